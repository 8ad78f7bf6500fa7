// In which of the named states a call ended.
import { brief } from "./brief.ts";
import { type ErrorCode, HoldfastError, OutputRejectedError, stackless } from "./errors.ts";
import { triesOf } from "./rare.ts";
import type { CallRecord } from "./record.ts";
import { operationOf, stackOf } from "./stack.ts";
import type { StoryState } from "./story.ts";
import type { Verdict } from "./verdict.ts";

/** How it ended, where somebody may ask; `given` is the error. */
export interface End {
  readonly ok: boolean;
  readonly given: unknown;
  readonly state: StoryState;
  readonly elapsedMs: number;
}

/** `verdict` with a value: it tells of a failure. */
export function stateOf(call: CallRecord, ok: boolean, given: unknown, verdict: Verdict | undefined): StoryState {
  if (ok && verdict !== undefined) return "failed";
  if (ok) return call.reviewId !== undefined ? "flagged" : call.degraded ? "degraded" : "succeeded";
  if (call.cut !== null && given === call.cut.reason && !HoldfastError.is(given, "OPTIONS_INVALID"))
    return call.cut.wholeMs > 0 ? "timedOut" : "cancelled";
  if (!HoldfastError.is(given)) return "failed";
  // of a call that the operation made: its input was not this one's
  if (given.code === "INPUT_REJECTED" && triesOf(call) > 0 && stackOf(operationOf(call.stack)) === undefined)
    return "failed";
  // no operation of any tier was called
  if (refusals.has(given.code) && triesOf(call) === 0) return "notAdmitted";
  if (given.code === "FALLBACK_EXHAUSTED" && HoldfastError.is(call.failures.at(-1)?.error, "TIMEOUT"))
    return "timedOut";
  return byCode[given.code] ?? "failed";
}

/** A value that tells of a failure is never delivered where the output is checked. */
export function refusedValue(call: CallRecord, value: unknown, verdict: Verdict): OutputRejectedError {
  const finding = { got: brief(value), wanted: `a value that tells of no failure (${verdict.kind})` };
  return stackless(() => new OutputRejectedError(call.name, [finding], value));
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  "BREAKER_OPEN",
  "BULKHEAD_FULL",
  "RATE_LIMITED",
  "LOAD_SHED",
  "SHUTTING_DOWN",
  "REFUSED",
  "FALLBACK_EXHAUSTED",
]);

const byCode: Partial<Record<ErrorCode, StoryState>> = {
  INPUT_REJECTED: "rejected",
  REVIEW_PENDING: "flagged",
  TIMEOUT: "timedOut",
  DEADLINE_EXCEEDED: "timedOut",
};
