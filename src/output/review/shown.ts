// What a person gets to see of a call's input: all of it, but for what is secret.
import { brief, hidden } from "../../core/brief.ts";
import { leadsTo, stepsOf } from "../../core/paths.ts";
import { copyOf, put } from "./copy.ts";

/** A copy without the values at these paths (`"key"`, `"user.key"`, `"users.*.key"`, `""` for all of it); of what is no plain data a few words. */
export function shownInput(input: unknown, secret: readonly string[] = []): unknown {
  const copy = copyOf(input);
  if (copy !== undefined) return secret.length === 0 ? copy.value : veiled(copy.value, [], secret.map(stepsOf));
  return secret.length === 0 ? brief(input) : hidden;
}

/** In place, as it is a copy. */
function veiled(seen: unknown, keys: readonly string[], secret: ReadonlyArray<readonly string[]>): unknown {
  if (secret.some((pattern) => leadsTo(pattern, keys))) return hidden;
  if (typeof seen !== "object" || seen === null) return seen;
  const inside = (key: unknown, value: unknown) => veiled(value, [...keys, String(key)], secret);
  if (seen instanceof Map) for (const [key, value] of seen) seen.set(key, inside(key, value));
  else if (seen instanceof Set) return new Set([...seen].map((one, i) => inside(i, one)));
  else for (const [key, value] of Object.entries(seen)) put(seen, key, inside(key, value));
  return seen;
}
