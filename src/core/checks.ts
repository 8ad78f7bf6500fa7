// What a schema and checks of one's own find in a value: guard asks it of the input, gate of the output.

import { z } from "zod";
import type { CallContext } from "./operation.ts";
import { type AnySchema, findingsOf } from "./schema.ts";
import { thrownBy } from "./source.ts";
import { type Issue, type Result, validatorOf } from "./validate.ts";
import type { Finding } from "./verdict.ts";
import { functionSchema } from "./wanted.ts";
import { isThenable } from "./wayIn.ts";

/** What a check answers: a finding, or a sentence saying what is wanted, or several; nothing where all is well. */
export type Found = Finding | string | undefined | readonly (Finding | string)[];

/** Gives what is wrong with the value; `input` is what the operation was asked, of a guard what the caller gave. */
export type Check<T, I = unknown> = (value: T, context: CallContext, input: I) => Found | Promise<Found>;

export const checksSchema = z.array(functionSchema<Check<unknown>>()).optional();

/** The value as the schema gives it, or what was found. */
export type Checked = { readonly value: unknown; readonly findings?: undefined } | Refused;
export interface Refused {
  readonly findings: readonly Finding[];
  /** As the schema said it; none where a check refused. */
  readonly issues?: readonly Issue[];
  /** What the schema made of it, where only a check refused. */
  readonly made?: unknown;
}

/** A promise only where the schema or a check is asynchronous. `whose`: their place in the declaration. */
export function checker(schema: AnySchema | undefined, checks: readonly Check<unknown>[] = [], whose = "") {
  const inspect = (given: unknown, context: CallContext, input: unknown) => ask(given, checks, whose, context, input);
  if (schema === undefined) return inspect;
  const validate = validatorOf(schema);
  const any = checks.length > 0;

  function goOn(parsed: Result, given: unknown, context: CallContext, input: unknown): Checked | Promise<Checked> {
    if (parsed.issues !== undefined) return { findings: findingsOf(parsed.issues, given), issues: parsed.issues };
    return any ? inspect(parsed.value, context, input) : parsed;
  }

  return (given: unknown, context: CallContext, input: unknown): Checked | Promise<Checked> => {
    const parsed = validate(given);
    if (parsed instanceof Promise) return parsed.then((done) => goOn(done, given, context, input));
    return any || parsed.issues !== undefined ? goOn(parsed, given, context, input) : parsed;
  };
}

/** All are asked; what they found is told in their order. */
function ask(
  value: unknown,
  checks: readonly Check<unknown>[],
  whose: string,
  context: CallContext,
  input: unknown,
): Checked | Promise<Checked> {
  let found: (Found | PromiseLike<Found>)[] | undefined;
  let waits = false;
  let at = 0;
  try {
    for (; at < checks.length; at++) {
      const check = checks[at] as Check<unknown>;
      const one = check(value, context, input);
      if (one === undefined) continue;
      found ??= [];
      found.push(isThenable(one) ? named(one, `${whose}.${at}`, check) : one);
      waits ||= isThenable(one);
    }
  } catch (error) {
    thrownBy(error, `${whose}.${at}`, checks[at]);
    // nobody waits any more for those asked before: that they fail too is no news
    if (waits) Promise.allSettled(found ?? []);
    throw error;
  }
  if (found === undefined) return { value };
  return waits ? Promise.all(found).then((all) => verdict(value, all)) : verdict(value, found as Found[]);
}

function named(found: PromiseLike<Found>, path: string, check: Check<unknown>): PromiseLike<Found> {
  // not by its own `then`, which may give nothing
  return Promise.resolve(found).then(undefined, (error) => {
    thrownBy(error, path, check);
    throw error;
  });
}

function verdict(value: unknown, found: readonly Found[]): Checked {
  const findings = found.flatMap(findingsIn);
  return findings.length === 0 ? { value } : { findings, made: value };
}

/** In JavaScript a check may answer anything: what is no finding is a mistake of the check. */
function findingsIn(answer: unknown): Finding[] {
  if (answer === undefined) return [];
  if (Array.isArray(answer)) return answer.flatMap(findingsIn);
  if (typeof answer === "string" && answer !== "") return [{ wanted: answer }];
  const wanted = (answer as Finding | null)?.wanted;
  if (typeof wanted === "string" && wanted !== "") return [answer as Finding];
  const empty =
    answer === "" || wanted === "" ? " An empty sentence is neither: where all is well it gives `undefined`." : "";
  throw new TypeError(`A check gives what it found, { path?, got?, wanted }, or a sentence, or nothing.${empty}`);
}
