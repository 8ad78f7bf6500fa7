// What can be read once only, and so cannot be given to several.
import { isResponse, isStream } from "../../core/streams.ts";

/** So many properties of an answer are looked at. */
const most = 100;

interface Found {
  readonly what: string;
  /** It, or what holds it. */
  readonly part: object;
}

/** For the answers of one cache. */
export class OnceOnly {
  /** What the last answer had, all of it data: to ask each property whether it is costs as much as all the rest. */
  private likened: readonly string[] = [];

  /** What it is, or holds as a property of its own, where that is of such a kind. */
  find(value: unknown): Found | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    try {
      if (isResponse(value)) return { what: "a Response", part: value };
      if (isStream(value)) return { what: "a stream", part: value };
      if (typeof (value as { next?: unknown }).next === "function") return { what: "an iterator", part: value };
      return Array.isArray(value) ? undefined : this.within(value as Readonly<Record<string, unknown>>);
    } catch {
      return undefined; // a proxy that throws says nothing
    }
  }

  private within(value: Readonly<Record<string, unknown>>): Found | undefined {
    const keys = Object.keys(value);
    if (areSame(keys, this.likened)) {
      try {
        return amongData(value, keys);
      } catch {
        this.likened = []; // a getter after all, and it throws: from here on it is not asked
      }
    }
    let isData = keys.length <= most;
    for (const key of keys.slice(0, most)) {
      const own = Object.getOwnPropertyDescriptor(value, key); // a getter may begin to read
      if (own?.get !== undefined) isData = false;
      const found = streamIn(own?.value);
      if (found !== undefined) return found;
    }
    if (isData) this.likened = keys;
    return undefined;
  }
}

function amongData(value: Readonly<Record<string, unknown>>, keys: readonly string[]): Found | undefined {
  for (const key of keys) {
    const found = streamIn(value[key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function streamIn(value: unknown): Found | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isResponse(value)) return { what: "a Response", part: value };
  if (isStream(value)) return { what: "a stream", part: value };
  return typeof (value as { next?: unknown }).next === "function" ? { what: "an iterator", part: value } : undefined;
}
