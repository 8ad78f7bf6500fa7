// Whatever it is, in a few words: for messages and logs.
import { isResponse } from "./shapes.ts";
import { sketch } from "./sketch.ts";

/** Short enough for a message, whatever it is. */
export function brief(seen: unknown): string {
  const text = typeof seen === "string" ? seen : show(seen);
  return visible(text.length > 120 ? `${text.slice(0, 119)}…` : text);
}

/** In place of what is secret. */
export const hidden = "[secret]";

/** What is quoted at more length: a path, a sentence. */
export function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

/** In one line, and as it is written: what would move a cursor, begin a line or turn the direction is spelt. */
export function visible(text: string): string {
  return text.replace(unseen, (sign) => shorthand[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
const unseen = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const shorthand: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function show(seen: unknown): string {
  try {
    if (isResponse(seen)) return `HTTP ${(seen as Response).status}`;
    const kind = Object.prototype.toString.call(seen);
    // also those of another realm
    if (seen instanceof Error || kind === "[object Error]")
      return String((seen as Error).message || (seen as Error).name);
    if (typeof seen === "function") return `a ${(seen as { kind?: string }).kind ?? "function"}`;
    if (typeof seen === "bigint" || typeof seen === "number") return String(seen);
    return tryJson(seen) ?? (typeof seen === "object" ? kind : String(seen));
  } catch {
    return "[unreadable]";
  }
}

function tryJson(seen: unknown): string | undefined {
  try {
    return JSON.stringify(sketch(seen));
  } catch {
    return undefined;
  }
}

/** What JSON can write, to a depth at which circles have an end; of what is long, the start. */
export function written(seen: unknown, depth: number): unknown {
  try {
    return plain(seen, depth);
  } catch {
    return "[unreadable]"; // a getter or a proxy that throws must not take the log line with it
  }
}

function plain(seen: unknown, depth: number): unknown {
  if (typeof seen === "string") return cut(seen);
  if (typeof seen !== "object" || seen === null) return typeof seen === "bigint" ? String(seen) : seen;
  if (depth > 4) return brief(seen);
  if (Array.isArray(seen) && "toJSON" in seen) return (seen as unknown as { toJSON(): unknown }).toJSON();
  if (Array.isArray(seen))
    return capped(
      seen,
      (one) => written(one, depth + 1),
      (more) => `and ${more} more`,
    );
  const prototype: unknown = Object.getPrototypeOf(seen);
  if (prototype !== Object.prototype && prototype !== null) return brief(seen);
  return Object.fromEntries(
    capped(
      Object.keys(seen),
      (key) => [key, written((seen as Record<string, unknown>)[key], depth + 1)],
      (more) => ["…", `${more} more`],
    ),
  );
}

/** So many items of a list, or keys of an object, are written. */
const most = 50;

function capped<T, R>(all: readonly T[], write: (one: T) => R, rest: (more: number) => R): R[] {
  const told = all.slice(0, most).map(write);
  return all.length > most ? [...told, rest(all.length - most)] : told;
}
