// The rules by which an input may be corrected: what each makes of a value that was refused.
import { thrownBy } from "../core/source.ts";
import { isThenable } from "../core/wayIn.ts";

/** How a value that was refused is put right. */
export type Correction =
  | "trim"
  | "coerce"
  | "clamp"
  | "default"
  | { clamp: readonly [min: number, max: number] }
  | { default: unknown }
  | ((value: unknown) => unknown);

/** One, or several in their order: each has a round of its own. */
export type Corrections = Correction | readonly Correction[];

/** What zod says of a bound, or of the type that it wants. */
export interface ZodIssue {
  readonly code?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly origin?: string;
  readonly expected?: string;
}

export interface Rule {
  /** For event and story. */
  readonly name: string;
  /** Gives the value back where it has nothing to correct. */
  correct(value: unknown, issue: ZodIssue): unknown;
}

export function ruleOf(correction: Correction, path: string): Rule {
  if (typeof correction === "string") return { name: correction, correct: words[correction] };
  if (typeof correction === "function") {
    // an arrow function written in place is named after its key
    const name = correction.name === "" || correction.name === path ? "function" : correction.name;
    return { name, correct: (value) => atOnce(told(correction, value, path), path) };
  }
  if ("default" in correction) return { name: "default", correct: () => correction.default };
  const [min, max] = correction.clamp;
  return { name: "clamp", correct: (value) => (typeof value === "number" ? within(value, min, max) : value) };
}

const words: Record<Extract<Correction, string>, Rule["correct"]> = {
  trim: (value) => (typeof value === "string" ? value.trim() : value),
  coerce: (value, { code, expected }) => (code === "invalid_type" ? (types[expected ?? ""]?.(value) ?? value) : value),
  clamp,
  // what is missing gets the schema's own
  default: () => undefined,
};

/** To the bound itself: an exclusive one has no nearest number, only a nearest bigint. */
function clamp(value: unknown, { code, minimum, maximum, inclusive }: ZodIssue): unknown {
  const bound = code === "too_big" ? maximum : code === "too_small" ? minimum : undefined;
  if (bound === undefined || Number.isNaN(value)) return value;
  if (typeof value === "bigint") return BigInt(bound) + (inclusive ? 0n : code === "too_big" ? -1n : 1n);
  if (!inclusive) return value;
  if (value instanceof Date) return new Date(Number(bound));
  return typeof value === "number" ? Number(bound) : value;
}

function within(value: number, min: number, max: number): number {
  return Number.isNaN(value) ? value : Math.min(max, Math.max(min, value));
}

/** By the type that zod expects; only where nothing is lost. */
const types: Readonly<Record<string, (value: unknown) => unknown>> = {
  number: toNumber,
  int: toNumber,
  bigint: (value) =>
    (typeof value === "number" && Number.isSafeInteger(value)) || isText(value, /^\s*[+-]?\d{1,1000}\s*$/)
      ? BigInt(String(value).trim().replace(/^\+/, ""))
      : value,
  boolean: (value) => booleans.get(typeof value === "string" ? value.trim().toLowerCase() : value) ?? value,
  string: (value) => (["number", "bigint", "boolean"].includes(typeof value) ? String(value) : value),
  date: toDate,
};

const booleans = new Map<unknown, boolean>([
  ...(["true", "1", 1] as const).map((yes) => [yes, true] as const),
  ...(["false", "0", 0] as const).map((no) => [no, false] as const),
]);

function toNumber(value: unknown): unknown {
  if (!isText(value, /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i)) return value;
  const number = Number(value);
  // a whole number with more digits than it can hold would be another one
  return !Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number)) ? value : number;
}

function toDate(value: unknown): unknown {
  if (typeof value !== "number" && !isText(value, /^\s*\d{4}-\d\d-\d\d(?:[T ][\d:.,]+(?:Z|[+-][\d:]+)?)?\s*$/i))
    return value;
  const date = new Date(typeof value === "number" ? value : (value as string).trim());
  return Number.isNaN(date.getTime()) ? value : date;
}

/** No number or date is longer: what is, is not even looked through. */
function isText(value: unknown, like: RegExp): value is string {
  return typeof value === "string" && value.length <= 1_010 && like.test(value);
}

function told(correction: (value: unknown) => unknown, value: unknown, path: string): unknown {
  try {
    return correction(value);
  } catch (error) {
    thrownBy(
      error,
      path === "" ? "guard.correct" : `guard.correct.${path}`,
      correction.name === path ? "" : correction,
    );
    throw error;
  }
}

function atOnce(value: unknown, path: string): unknown {
  if (!isThenable(value)) return value;
  Promise.resolve(value).catch(() => {}); // what becomes of it is of no interest any more
  throw new TypeError(`The correction of "${path}" has to answer at once, not with a promise: a look-up is a check.`);
}
