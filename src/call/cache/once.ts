// What can be read once only, and so cannot be given to several.
import { isNodeStream, isResponse, isStream, isWebStream } from "../../core/streams.ts";

/** So many properties of an answer are looked at. */
const most = 100;

interface OnceOnly {
  readonly what: string;
  /** It, or what holds it. */
  readonly part: object;
}

/** What it is, or holds as a property of its own, where that is of such a kind. */
export function onceOnly(value: unknown): OnceOnly | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    if (isResponse(value)) return { what: "a Response", part: value };
    if (isStream(value)) return { what: "a stream", part: value };
    if (typeof (value as { next?: unknown }).next === "function") return { what: "an iterator", part: value };
    if (Array.isArray(value)) return undefined;
    for (const key of Object.keys(value).slice(0, most)) {
      const held: unknown = Object.getOwnPropertyDescriptor(value, key)?.value; // a getter may begin to read
      const found = typeof held === "object" && held !== null ? streamIn(held) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  } catch {
    return undefined; // a proxy that throws says nothing
  }
}

function streamIn(value: object): OnceOnly | undefined {
  if (isResponse(value)) return { what: "a Response", part: value };
  return isWebStream(value) || isNodeStream(value) ? { what: "a stream", part: value } : undefined;
}
