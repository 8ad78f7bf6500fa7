// Plain data as JSON, and back: what JSON has no word for is written as an object that says what it is.
import { put } from "./copy.ts";

const mark = "$holdfast";

/** Of what `copyOf` gives. */
export function encode(value: unknown): unknown {
  if (value === undefined) return { [mark]: "undefined" };
  if (typeof value === "bigint") return { [mark]: "bigint", value: String(value) };
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return { [mark]: "number", value: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(encode);
  if (value instanceof Date) return { [mark]: "date", value: encode(value.getTime()) };
  if (value instanceof Map) return { [mark]: "map", value: [...value].map(([key, one]) => [encode(key), encode(one)]) };
  if (value instanceof Set) return { [mark]: "set", value: [...value].map(encode) };
  // data that looks like a mark is none
  if (Object.hasOwn(value, mark))
    return { [mark]: "object", value: Object.entries(value).map(([key, one]) => [key, encode(one)]) };
  const written = {};
  for (const [key, one] of Object.entries(value)) put(written, key, encode(one));
  return written;
}

/** @throws TypeError for a mark that it does not know */
export function decode(written: unknown): unknown {
  if (typeof written !== "object" || written === null) return written;
  if (Array.isArray(written)) return written.map(decode);
  if (Object.hasOwn(written, mark)) return unmarked(written as { readonly value?: unknown });
  return object(Object.entries(written));
}

function unmarked(written: { readonly [mark]?: unknown; readonly value?: unknown }): unknown {
  const { [mark]: kind, value } = written;
  if (kind === "undefined") return undefined;
  if (kind === "bigint") return BigInt(value as string);
  if (kind === "number") return Number(value);
  if (kind === "date") return new Date(decode(value) as number);
  if (kind === "map") return new Map((value as [unknown, unknown][]).map(([key, one]) => [decode(key), decode(one)]));
  if (kind === "set") return new Set((value as unknown[]).map(decode));
  if (kind === "object") return object(value as [string, unknown][]);
  throw new TypeError(`There is no data of the kind ${String(kind)}.`);
}

function object(entries: readonly (readonly [string, unknown])[]): object {
  const result = {};
  for (const [key, one] of entries) put(result, key, decode(one));
  return result;
}
