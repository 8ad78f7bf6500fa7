// Why an input could not even be looked at, when that is the input's own doing and not the schema's.
import { brief } from "../core/brief.ts";
import type { Finding } from "../core/verdict.ts";

/** What a schema that calls itself can follow on the stack in any case. */
const safeDepth = 400;
/** Values that are looked at: an input is no place to spend a second in. */
const most = 100_000;

interface Place {
  readonly value: unknown;
  readonly at: Place | undefined;
  readonly key: string;
  readonly depth: number;
}

/** A getter that threw this error, or a depth that ended the stack (circles are deep without end); else `undefined`. */
export function unreadable(input: unknown, error: unknown): Finding | undefined {
  const overflow = error instanceof RangeError && /call stack/i.test(error.message);
  const open: Place[] = [{ value: input, at: undefined, key: "", depth: 0 }];
  for (let looked = 0; looked < most; looked++) {
    const place = open.pop();
    if (place === undefined) return undefined;
    const { value, depth } = place;
    if (typeof value !== "object" || value === null) continue;
    if (depth > safeDepth) {
      if (overflow) return { wanted: "less depth, and no circle" };
      continue;
    }
    for (const key of keysOf(value))
      try {
        open.push({ value: (value as Record<string, unknown>)[key], at: place, key, depth: depth + 1 });
      } catch (thrown) {
        if (thrown === error || brief(thrown) === brief(error))
          return {
            path: pathOf({ value, at: place, key, depth }),
            wanted: `something that can be read (${brief(error)})`,
          };
      }
  }
  return undefined;
}

function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return []; // a proxy
  }
}

function pathOf(place: Place): string {
  const keys: string[] = [];
  for (let one: Place | undefined = place; one?.at !== undefined; one = one.at) keys.unshift(one.key);
  return keys.join(".");
}
