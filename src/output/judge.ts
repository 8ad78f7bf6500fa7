// A second opinion: an operation that scores the output, as a check of a gate.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { brief } from "../core/brief.ts";
import type { Check } from "../core/checks.ts";
import { classify } from "../core/classify.ts";
import { ATTEMPT, type Context } from "../core/context.ts";
import { spanSchema } from "../core/duration.ts";
import type { CallContext, Duration, Operation } from "../core/operation.ts";
import { stackOf } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { named, parseOptions } from "../core/wrapper.ts";
import { copyOf } from "./review/copy.ts";
import { shownInput } from "./review/shown.ts";
import { unjudged } from "./unjudged.ts";

/** What is judged: data of its own, to be kept apart from the judge's instructions. */
export interface Judged<T> {
  readonly output: T;
  /** What the operation was asked. */
  readonly input: unknown;
}

/** A score, alone or with what would make it better. */
export type Opinion = number | (Partial<Finding> & { readonly score: number });

export interface JudgeOptions {
  /** The lowest score that passes, from 0 to 1. */
  threshold: number;
  /** What a finding says that is wanted, where the opinion does not; "a score of at least …". */
  wanted?: string | undefined;
  /** How long an opinion may take, with all that its own protection does for it; 30 s. */
  timeout?: Duration | undefined;
  /**
   * When an opinion cannot be had: the judge failed, or its time was over. `"reject"`, the default: the output is refused
   * as `unjudged`, and nothing is asked again. `"accept"`: it passes without one.
   */
  onFailure?: "reject" | "accept" | undefined;
}

const judgeSchema = z.strictObject({
  threshold: z.number().min(0).max(1),
  wanted: z.string().min(1).optional(),
  timeout: spanSchema.optional(),
  onFailure: z.enum(["reject", "accept"]).optional(),
});

/**
 * Makes a check of an operation that scores, from 0 to 1: below the threshold is a finding, with its score. The operation
 * is called as a child of the attempt, protected or not, and gets copies. A judge that fails says nothing of the output:
 * unless `onFailure` accepts it, the gate refuses it with the `reason` `unjudged` and the judge's error as `cause`.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @example
 * const short = judge(async ({ output }: { output: string }) => 1 - output.length / 100, { threshold: 0.5 });
 * const ask = protect("ask", async () => "Twice a day.", { gate: { checks: [short] } });
 * console.log(await ask()); // → Twice a day.
 */
export function judge<T>(operation: Operation<Judged<T>, Opinion>, options: JudgeOptions): Check<T> {
  const given = parseOptions("judge", judgeSchema, options);
  const { threshold, wanted = `a score of at least ${threshold}`, timeout = 30_000, onFailure = "reject" } = given;
  const call = stackOf(operation) === undefined ? named(operation.name || "judge", operation) : operation;
  return async (output, context) => {
    let opinion: Opinion;
    try {
      opinion = await call(judged(output, context), { ...context, deadline: timeout });
    } catch (error) {
      // a mistake in the program is nobody's opinion, and neither is an end from outside
      if (context.signal.aborted || classify(error)?.kind === "bug") throw error;
      return onFailure === "accept" ? undefined : unjudged("which could not be had", error);
    }
    return findingIn(opinion, threshold, wanted);
  };
}

/** Copies: what it writes changes nothing that is delivered. What is no plain data is shown as it is. */
function judged<T>(output: T, context: CallContext): Judged<T> {
  const { call, input } = (context as Context<AttemptRecord>)[ATTEMPT];
  const veiled = call.rare?.veiled;
  return {
    output: copied(output),
    // what is secret is shown to a person in no other way
    input: veiled ? shownInput(veiled.input, veiled.secret) : copied(input),
  };
}

function copied<T>(value: T): T {
  const copy = copyOf(value);
  return copy === undefined ? value : (copy.value as T);
}

function findingIn(opinion: unknown, threshold: number, wanted: string): Finding | undefined {
  const { score, ...said } = (typeof opinion === "number" ? { score: opinion } : { ...(opinion as object) }) as {
    readonly score?: unknown;
  } & Partial<Finding>;
  if (typeof score !== "number" || !(score >= 0 && score <= 1)) {
    const got = brief(score === undefined ? opinion : score);
    const why = `A judge gives a score from 0 to 1, alone or as { score, wanted?, path?, fix? }; this one gave ${got}.`;
    return unjudged("and its score is none from 0 to 1", new RangeError(why));
  }
  return score >= threshold ? undefined : { ...said, wanted: said.wanted || wanted, score };
}
