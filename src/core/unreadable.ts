// Why a value could not even be looked at, when that is the value's own doing and not the schema's.
import { brief } from "./brief.ts";
import type { Finding } from "./verdict.ts";

/** What a schema that calls itself can follow on the stack in any case. */
const safeDepth = 400;
/** Values that are looked at: a value is no place to spend a second in. */
const most = 100_000;

interface Place {
  readonly value: unknown;
  readonly at: Place | undefined;
  readonly key: string;
  readonly depth: number;
}

/** A getter or a proxy that threw this error, or a depth that ended the stack (circles are deep without end); else `undefined`. */
export function unreadable(input: unknown, error: unknown): Finding | undefined {
  const overflow = error instanceof RangeError && /call stack/i.test(error.message);
  const open: Place[] = [{ value: input, at: undefined, key: "", depth: 0 }];
  for (let looked = 0; looked < most; looked++) {
    const place = open.pop();
    if (place === undefined) return undefined;
    const { value, depth } = place;
    if ((typeof value !== "object" && typeof value !== "function") || value === null) continue;
    if (refuses(value, error)) return found(place, error);
    if (depth > safeDepth) {
      if (overflow) return { wanted: "less depth, and no circle" };
      continue;
    }
    for (const key of keysOf(value))
      try {
        open.push({ value: (value as Record<string, unknown>)[key], at: place, key, depth: depth + 1 });
      } catch (thrown) {
        if (isSame(thrown, error)) return found({ value, at: place, key, depth }, error);
      }
  }
  return undefined;
}

function found(place: Place, error: unknown): Finding {
  const path = pathOf(place);
  return { ...(path !== "" && { path }), wanted: `something that can be read (${brief(error)})` };
}

function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return []; // a proxy
  }
}

const nobodys = "[unreadable?]";

/** Whether it is a proxy that throws this whatever it is asked for; what it says may name the key. */
function refuses(value: object, error: unknown): boolean {
  for (const ask of questions)
    try {
      ask(value);
    } catch (thrown) {
      if (isSame(thrown, error) || /\bproxy that has been revoked\b/.test(brief(error))) return true;
      const [before, ...after] = brief(thrown).split(nobodys);
      const said = brief(error);
      if (after.length > 0 && said.startsWith(before as string) && said.endsWith(after.at(-1) as string)) return true;
    }
  return false;
}

const questions: ReadonlyArray<(value: object) => unknown> = [
  (value) => (value as Record<string, unknown>)[nobodys],
  (value) => nobodys in value,
  (value) => Object.getOwnPropertyDescriptor(value, nobodys),
  (value) => Object.getPrototypeOf(value),
  (value) => Reflect.ownKeys(value).length,
];

function isSame(thrown: unknown, error: unknown): boolean {
  return brief(thrown) === brief(error);
}

function pathOf(place: Place): string {
  const keys: string[] = [];
  for (let one: Place | undefined = place; one?.at !== undefined; one = one.at) keys.unshift(one.key);
  return keys.join(".");
}
