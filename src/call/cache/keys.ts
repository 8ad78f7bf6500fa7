// By what two calls are known to ask the same.
import { z } from "zod";
import { OptionsInvalidError } from "../../core/errors.ts";
import { thrownBy } from "../../core/source.ts";
import type { Settings } from "./settings.ts";

/** A number is not the text that is written like it. */
export type Key = string | number;

/** What no text of a user's begins with once it is a key: ours do, and a text that does is marked. */
const OWN = "\u0000";

export const keyNeeded = "`key: (input) => …`, since only a text or a number is a key by itself";

/** Whether what this schema gives is surely no key by itself. */
export function givesNoKey(schema: unknown): boolean {
  return [z.ZodObject, z.ZodArray, z.ZodTuple, z.ZodRecord, z.ZodMap, z.ZodSet].some((kind) => schema instanceof kind);
}

/** The key of an input; throws where it has none. */
export function keyOf(input: unknown, { key }: Settings, name: string): Key {
  if (key === undefined) {
    if (typeof input === "string") return marked(input);
    if (typeof input === "number") return input;
    if (input === undefined) return OWN;
    throw unfit(name, input, keyNeeded);
  }
  try {
    const given: unknown = key(input as never);
    if (typeof given === "string") return marked(given);
    throw unfit(name, given, "a text from `key`");
  } catch (error) {
    throw saidBy(error, "key", key);
  }
}

/** The same question of another tenant is another question. */
export function keyWithin(tenant: string | undefined, key: Key): Key {
  if (tenant === undefined) return key;
  return `${OWN}${tenant.length}:${tenant}${typeof key === "number" ? "#" : "$"}${key}`;
}

/** The error, known as that of this function of the user's. */
export function saidBy(error: unknown, option: "key" | "ttl", thrower: { readonly name: string }): unknown {
  thrownBy(error, `cache.${option}`, thrower.name === option ? undefined : thrower);
  return error;
}

function marked(text: string): string {
  return text.charCodeAt(0) === 0 ? `${OWN}-${text}` : text;
}

function unfit(name: string, got: unknown, wanted: string): OptionsInvalidError {
  return new OptionsInvalidError(name, [{ path: "cache.key", wanted: `${wanted}; not ${typeName(got)}` }]);
}

/** What is in an input or an answer is nobody's but theirs: a message says no more than the kind of it. */
export function typeName(got: unknown): string {
  if (got === null || got === undefined) return String(got);
  if (Array.isArray(got)) return "an array";
  return typeof got === "object" ? "an object" : `a ${typeof got}`;
}
