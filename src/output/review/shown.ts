// What a person gets to see of a call's input: all of it, but for what is secret.
import { brief } from "../../core/brief.ts";
import { copyOf, put } from "./copy.ts";

const hidden = "[secret]";

/** A copy without the values at these paths (`"key"`, `"user.key"`, `"users.*.key"`, `""` for all of it); of what is no plain data a few words. */
export function shownInput(input: unknown, secret: readonly string[] = []): unknown {
  const copy = copyOf(input);
  if (copy !== undefined) return secret.length === 0 ? copy.value : veiled(copy.value, "", secret);
  return secret.length === 0 ? brief(input) : hidden;
}

/** In place, as it is a copy. */
function veiled(seen: unknown, path: string, secret: readonly string[]): unknown {
  if (secret.some((one) => matches(one, path))) return hidden;
  if (typeof seen !== "object" || seen === null) return seen;
  const at = (key: unknown) => (path === "" ? String(key) : `${path}.${String(key)}`);
  if (seen instanceof Map) for (const [key, value] of seen) seen.set(key, veiled(value, at(key), secret));
  else if (seen instanceof Set) return new Set([...seen].map((one, i) => veiled(one, at(i), secret)));
  else for (const [key, value] of Object.entries(seen)) put(seen, key, veiled(value, at(key), secret));
  return seen;
}

function matches(secret: string, path: string): boolean {
  if (secret === path) return true;
  if (!secret.includes("*")) return false;
  const wanted = secret.split(".");
  const keys = path.split(".");
  return wanted.length === keys.length && wanted.every((part, i) => part === "*" || part === keys[i]);
}
