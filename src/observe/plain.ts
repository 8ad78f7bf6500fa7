// A copy of anything that a log can write: bounded, without circles, and without what is secret. The original is only read.
import { field, isResponse, textField } from "../core/shapes.ts";

/** What is left to go of the paths that are secret, from here on; `*` is any key. */
export type Paths = ReadonlyArray<readonly string[]>;

export const HIDDEN = "[redacted]";

/** In which headers credentials travel: never written, wherever they are met. */
const always = /^(?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api-key|x-goog-api-key)$/i;

const deepest = 6;
/** Entries of one object or list. */
const widest = 50;
/** Values of one copy. */
const most = 1_000;
/** Characters of one text. */
const longest = 4_000;

/** How much of a copy is made, and what it stands in: the way back is a circle. */
interface Copying {
  left: number;
  readonly within: Set<unknown>;
}

export function copying(): Copying {
  return { left: most, within: new Set() };
}

/** Dots between keys, in any case: `error.config.headers.authorization`, `issues.*.got`. */
export function pathsOf(secret: readonly string[]): Paths {
  return secret.map((path) => path.toLowerCase().split("."));
}

/** Whether what stands at this key is secret, and what is secret inside it. */
export function step(paths: Paths, key: string): { readonly hidden: boolean; readonly inside: Paths } {
  const low = key.toLowerCase();
  const fitting = paths.filter(([first]) => first === "*" || first === low);
  return {
    hidden: fitting.some(({ length }) => length === 1) || always.test(key),
    inside: fitting.filter(({ length }) => length > 1).map((path) => path.slice(1)),
  };
}

/** `told` gives what stands for an error. */
export function plain(seen: unknown, paths: Paths, state: Copying, told: (error: object) => unknown): unknown {
  if (typeof seen === "string") return short(seen);
  if (typeof seen === "bigint" || typeof seen === "symbol") return String(seen);
  if (typeof seen === "function") return undefined;
  if (typeof seen !== "object" || seen === null) return seen;
  if (state.within.has(seen)) return "[circular]";
  if (state.left <= 0 || state.within.size >= deepest) return "[more]";
  state.within.add(seen);
  try {
    return shape(seen, paths, state, told);
  } catch {
    return "[unreadable]";
  } finally {
    state.within.delete(seen);
  }
}

function shape(seen: object, paths: Paths, state: Copying, told: (error: object) => unknown): unknown {
  if (isResponse(seen)) return `HTTP ${field(seen, "status")}`;
  if (isError(seen)) return told(seen);
  const inner = (key: string, value: unknown): unknown => {
    const { hidden, inside } = step(paths, key);
    state.left--;
    return hidden ? HIDDEN : plain(value, inside, state, told);
  };
  if (Array.isArray(seen) || seen instanceof Set) return list([...seen], inner);
  const entries = entriesOf(seen);
  if (entries !== undefined) return record(entries, inner);
  const toJson = field(seen, "toJSON");
  if (typeof toJson === "function") return plain(toJson.call(seen), paths, state, told);
  return `[${textField(field(seen, "constructor"), "name") || "Object"}]`;
}

function list(values: readonly unknown[], inner: (key: string, value: unknown) => unknown): unknown[] {
  const copy = values.slice(0, widest).map((value, index) => inner(String(index), value) ?? null);
  return values.length > widest ? [...copy, `… and ${values.length - widest} more`] : copy;
}

/** Without a prototype: nothing that reads it takes it for an error, or for an instance of anything. */
export function record(
  entries: readonly (readonly [string, unknown])[],
  inner: (key: string, value: unknown) => unknown,
): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries.slice(0, widest)) {
    const one = inner(key, value);
    if (one !== undefined) copy[key] = one;
  }
  if (entries.length > widest) copy["…"] = `and ${entries.length - widest} more`;
  return copy;
}

/** Of plain objects and of what is made of entries; of instances of other classes nobody knows what hangs on them. */
function entriesOf(seen: object): (readonly [string, unknown])[] | undefined {
  if (seen instanceof Map || field(seen, Symbol.toStringTag) === "Headers")
    return [...(seen as Map<unknown, unknown>)].map(([key, value]) => [String(key), value] as const);
  const prototype: unknown = Object.getPrototypeOf(seen);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return undefined;
  return ownOf(seen);
}

export function ownOf(seen: object): (readonly [string, unknown])[] {
  try {
    return Object.keys(seen).map((key) => [key, field(seen, key)] as const);
  } catch {
    return [];
  }
}

export function isError(seen: object): boolean {
  try {
    return seen instanceof Error || Object.prototype.toString.call(seen) === "[object Error]";
  } catch {
    return false;
  }
}

export function short(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
