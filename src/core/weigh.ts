// The verdict on what came out of an attempt: the call's own `classify` round the standard table.
import type { AttemptRecord } from "./attempt.ts";
import { classifyError, classifyValue } from "./classify.ts";
import { HoldfastError } from "./errors.ts";
import { CANCELLED, OVERDUE, OVERDUE_EARLY } from "./final.ts";
import type { Cut } from "./record.ts";
import type { Verdict } from "./verdict.ts";

/** Throws what a user's `classify` throws. */
export function errorVerdict(attempt: AttemptRecord, error: unknown): Verdict {
  const { classify } = attempt.call.stack;
  const { last } = attempt;
  // what an attempt inside was already found to be is not judged anew; but a time-out that was final to what it ended is
  // a failure like others to what is outside
  if (last?.threw && last.value === error && last.verdict !== undefined) {
    if (!last.isCut || HoldfastError.is(error, "DEADLINE_EXCEEDED")) return last.verdict;
  }
  return (classify === undefined ? undefined : classify(error, classifyError)) ?? classifyError(error);
}

/** `undefined`: nothing wrong with it. Throws what a user's `classify` throws. */
export function valueVerdict(attempt: AttemptRecord, value: unknown): Verdict | undefined {
  const { last } = attempt;
  if (last?.threw === false && last.value === value) return last.verdict;
  const { classify } = attempt.call.stack;
  return classify === undefined ? classifyValue(value) : classify(value, classifyValue);
}

/** A limit of time counts against what was called only if the attempt had at least half of it. */
export function cutVerdict(attempt: AttemptRecord, cut: Cut): Verdict {
  if (cut.wholeMs === 0) return CANCELLED;
  return attempt.called && cut.at - attempt.startedAt >= cut.wholeMs / 2 ? OVERDUE : OVERDUE_EARLY;
}
