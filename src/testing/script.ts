// An operation that does what a test says.
import type { AttemptRecord } from "../core/attempt.ts";
import { type Clock, inForce } from "../core/clock.ts";
import { ATTEMPT } from "../core/context.ts";
import { toMs } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { CallContext, Duration, Operation } from "../core/operation.ts";

/** A value, an error, a wait before either, or never: that call stays pending, aborted or not. */
export type Answer<O> =
  | { readonly value: O; readonly after?: Duration | undefined }
  | { readonly error: unknown; readonly after?: Duration | undefined }
  | "never";

export interface Script {
  /** What it was given, call by call. */
  readonly calls: ReadonlyArray<{ readonly input: unknown; readonly context: CallContext }>;
}

/**
 * An operation that gives these answers in turn, whatever its input. A wait (`after`) is on the clock of its call, and
 * ends at once, with the signal's reason, when its attempt is aborted.
 * @throws OptionsInvalidError when made with an answer that is none
 * @throws RangeError when called more often than it has answers
 * @example
 * const shaky = script({ error: new Error("once") }, { value: 42 });
 * const call = protect("shaky", shaky, { retry: { base: 1 } });
 * console.log(await call(undefined), shaky.calls.length); // → 42 2
 */
export function script<O>(
  ...answers: readonly Answer<O>[]
  // biome-ignore lint/suspicious/noExplicitAny: it takes the place of an operation of whatever input
): Operation<any, O> & Script {
  const waits = answers.map(waitOf);
  const calls: { readonly input: unknown; readonly context: CallContext }[] = [];
  const scripted = async (input: unknown, context: CallContext): Promise<O> => {
    const no = calls.push({ input, context });
    const answer = answers[no - 1];
    if (answer === undefined) throw new RangeError(usedUp(answers.length, no));
    if (answer === "never") return new Promise(() => {});
    const ms = waits[no - 1] ?? 0;
    if (ms > 0) await clockOf(context).sleep(ms, context?.signal);
    if ("error" in answer) throw answer.error;
    return answer.value;
  };
  return Object.assign(scripted, { calls });
}

/** Ms that an answer waits; throws for what is no answer. */
function waitOf(answer: Answer<unknown>, index: number): number {
  if (answer === "never") return 0;
  const given: object = typeof answer === "object" && answer !== null ? answer : {};
  if ("value" in given === "error" in given) throw unfit(`${index}`, answer, '{ value }, { error } or "never"');
  const { after = 0 } = answer;
  const ms = toMs(after);
  if (ms < Number.POSITIVE_INFINITY) return ms;
  throw unfit(
    `${index}.after`,
    after,
    'milliseconds, or a text such as "250ms" or "20s"; for no answer at all "never"',
  );
}

function unfit(path: string, got: unknown, wanted: string): OptionsInvalidError {
  return new OptionsInvalidError("script", [{ path, got, wanted }]);
}

function usedUp(count: number, no: number): string {
  return `script() has ${count === 1 ? "1 answer" : `${count} answers`}, and this is call ${no}.`;
}

/** Of the call that it is part of; called by hand it has only the clock in force. */
function clockOf(context: CallContext | undefined): Clock {
  const attempt = (context as { readonly [ATTEMPT]?: AttemptRecord } | undefined)?.[ATTEMPT];
  return attempt?.call.stack.seams.clock ?? inForce.clock;
}
