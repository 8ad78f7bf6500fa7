// What makes an output readable before it is checked: JSON that is broken in form, and functions of one's own.
import { brief } from "../core/brief.ts";
import { cutOff, type Ending } from "../core/ending.ts";
import { thrownBy } from "../core/source.ts";
import type { Finding } from "../core/verdict.ts";
import { isThenable } from "../core/wayIn.ts";
import { textOf } from "./answer.ts";
import { deepest, findJson } from "./findJson.ts";
import { filled, tokensOf } from "./tokens.ts";

export type Repair = "json" | ((raw: unknown) => unknown);

/** What came of it, and the names of the repairs that changed something; or why nothing can. */
export type Repaired =
  | { readonly value: unknown; readonly by: readonly string[] }
  | { readonly finding: Finding; readonly reason?: Ending["reason"] };

/** In their order, each of what the one before gave. A promise only where one of them gives one, and the first time that a text has to be mended. */
export function repairer(repairs: readonly Repair[]): (raw: unknown) => Repaired | Promise<Repaired> {
  const anyOwn = repairs.some((repair) => repair !== "json");

  function from(at: number, value: unknown, by: readonly string[]): Repaired | Promise<Repaired> {
    const repair = repairs[at];
    if (repair === undefined) return { value, by };
    const next = (done: Repaired) => ("finding" in done ? done : from(at + 1, done.value, [...by, ...done.by]));
    const done = repair === "json" ? json(value) : own(repair, value, at);
    return done instanceof Promise ? done.then(next) : next(done);
  }

  return (raw) => {
    // a function of the user's is not to close what is cut off either
    const ended = anyOwn ? brokenOff(raw, repairs.includes("json")) : undefined;
    return ended ?? from(0, raw, []);
  };
}

function own(repair: Exclude<Repair, "json">, raw: unknown, at: number): Repaired | Promise<Repaired> {
  const conclude = (value: unknown) => ({ value, by: Object.is(value, raw) ? [] : [repair.name || "repair"] });
  const failed = (error: unknown): never => {
    thrownBy(error, `gate.repair.${at}`, repair);
    throw error;
  };
  let value: unknown;
  try {
    value = repair(raw);
  } catch (error) {
    return failed(error);
  }
  return isThenable(value) ? Promise.resolve(value).then(conclude, failed) : conclude(value);
}

/** Text becomes what it says; what is no text is left as it is. */
function json(raw: unknown): Repaired | Promise<Repaired> {
  const text = textOf(raw);
  if (text === undefined) return { value: raw, by: [] };
  const plain = parsed(text);
  if (plain !== undefined) return { value: plain.value, by: [] };
  const located = findJson(text);
  if (located.found === "cutOff") return cutOff(undefined, tail(text));
  if (located.found !== "json") return { finding: { got: text, wanted: words[located.found] } };
  const inside = parsed(located.text);
  if (inside !== undefined) return { value: inside.value, by: ["json"] };
  return mend === undefined ? loaded().then(() => mended(located.text)) : mended(located.text);
}

const words = {
  none: "JSON",
  several: "JSON, one value and not several",
  tooDeep: `JSON, nested at most ${deepest} deep`,
  tooBroken: "JSON that is less broken",
  malformed: "JSON whose brackets and quotation marks match",
};

/** Loaded when the first text has to be mended: most programs never need it. */
let mend: ((text: string) => string) | undefined;

async function loaded(): Promise<void> {
  mend = (await import("jsonrepair")).jsonrepair;
}

/** Its form alone is mended: the words are out of reach meanwhile, and all of them are there afterwards. */
function mended(text: string): Repaired {
  try {
    const tokens = tokensOf(text);
    const whole = filled(tokens, (mend as (text: string) => string)(tokens.form));
    if (whole === undefined) throw new Error("more than its form would have to be changed");
    return { value: JSON.parse(whole), by: ["json"] };
  } catch (error) {
    return { finding: { got: text, wanted: `JSON (${brief(error)})` } };
  }
}

/** What may be a number that has no double: it would become `Infinity`. */
const huge = /\d[eE]\+?\d{3}|(?<!\d)\d{309}/;

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    if (huge.test(text)) JSON.parse(text, finite);
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function finite(_: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError();
  return value;
}

function brokenOff(raw: unknown, anywhere: boolean): Ending | undefined {
  const text = textOf(raw);
  if (text === undefined || (!anywhere && !/^\s*(?:```[\w-]*\s*)?[[{"]/.test(text))) return undefined;
  return parsed(text) === undefined && findJson(text).found === "cutOff" ? cutOff(undefined, tail(text)) : undefined;
}

/** Where it broke off. */
function tail(text: string): string {
  return text.length > 80 ? `…${text.slice(-80)}` : text;
}
