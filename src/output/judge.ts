// A second opinion: an operation that scores the output, as a check of a gate.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { brief } from "../core/brief.ts";
import type { Check } from "../core/checks.ts";
import { classify } from "../core/classify.ts";
import { ATTEMPT, type Context } from "../core/context.ts";
import type { Operation } from "../core/operation.ts";
import { stackOf } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { named, parseOptions } from "../core/wrapper.ts";

/** What is judged: data of its own, to be kept apart from the judge's instructions. */
export interface Judged<T> {
  readonly output: T;
  /** What the operation was asked. */
  readonly input: unknown;
}

/** A score, alone or with what would make it better. */
export type Opinion = number | (Partial<Finding> & { readonly score: number });

export interface JudgeOptions {
  /** The lowest score that passes. */
  threshold: number;
  /** What a finding says that is wanted, where the opinion does not; "a score of at least …". */
  wanted?: string | undefined;
}

const judgeSchema = z.strictObject({ threshold: z.number(), wanted: z.string().optional() });

/**
 * Makes a check of an operation that scores: below the threshold is a finding, with its score. The operation is called
 * as a child of the attempt, protected or not; an opinion that cannot be had passes nothing.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @example
 * const short = judge(async ({ output }: { output: string }) => 1 - output.length / 100, { threshold: 0.5 });
 * const ask = protect("ask", async () => "Twice a day.", { gate: { checks: [short] } });
 * console.log(await ask()); // → Twice a day.
 */
export function judge<T>(operation: Operation<Judged<T>, Opinion>, options: JudgeOptions): Check<T> {
  const { threshold, wanted = `a score of at least ${threshold}` } = parseOptions("judge", judgeSchema, options);
  const call = stackOf(operation) === undefined ? named(operation.name || "judge", operation) : operation;
  return async (output, context) => {
    const { input } = (context as Context<AttemptRecord>)[ATTEMPT];
    try {
      return findingIn(await call({ output, input }, context), threshold, wanted);
    } catch (error) {
      // a mistake in the program is nobody's opinion, and neither is an end from outside
      if (context.signal.aborted || classify(error)?.kind === "bug") throw error;
      return { wanted: `a second opinion, which could not be had (${brief(error)})` };
    }
  };
}

function findingIn(opinion: Opinion, threshold: number, wanted: string): Finding | undefined {
  const { score, ...said } = typeof opinion === "number" ? { score: opinion } : ({ ...opinion } as Partial<Finding>);
  if (typeof score !== "number" || Number.isNaN(score))
    return { got: opinion, wanted: "a second opinion with a score" };
  return score >= threshold ? undefined : { ...said, wanted: said.wanted ?? wanted, score };
}
