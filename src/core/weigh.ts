// The verdict on what came out of an attempt: the call's own `classify` round the standard table.
import type { AttemptRecord } from "./attempt.ts";
import { classifyError, classifyValue } from "./classify.ts";
import { HoldfastError } from "./errors.ts";
import { CANCELLED, Fault, OVERDUE, OVERDUE_EARLY } from "./final.ts";
import type { Cut } from "./record.ts";
import { thrownBy } from "./source.ts";
import { verdicts } from "./table.ts";
import type { Classify, Verdict } from "./verdict.ts";

/** Throws what a user's `classify` throws, or another function of a user's has thrown further in. */
export function errorVerdict(attempt: AttemptRecord, error: unknown): Verdict {
  if (Fault.is(error)) throw error.error;
  const { classify } = attempt.call.stack;
  const { last } = attempt;
  // what an attempt inside was already found to be is not judged anew; but a time-out that was final to what it ended is
  // a failure like others to what is outside
  if (last?.threw && last.value === error && last.verdict !== undefined) {
    if (!last.isCut || HoldfastError.is(error, "DEADLINE_EXCEEDED")) return last.verdict;
  }
  const standard = (seen: unknown) => notOurs(attempt, seen, classifyError(seen));
  return (classify === undefined ? undefined : asked(classify, error, standard)) ?? standard(error);
}

/** An abort that is neither the caller's nor that of a call made in the attempt is a failure like others: a client's own time-out, say. */
function notOurs(attempt: AttemptRecord, error: unknown, verdict: Verdict): Verdict {
  return verdict.kind !== "cancelled" || attempt.over || attempt.wasCancelledBy(error) ? verdict : verdicts.unknown;
}

/** `undefined`: nothing wrong with it. Throws what a user's `classify` throws. */
export function valueVerdict(attempt: AttemptRecord, value: unknown): Verdict | undefined {
  const { last } = attempt;
  if (last?.threw === false && last.value === value) return last.verdict;
  const { classify } = attempt.call.stack;
  return classify === undefined ? classifyValue(value) : asked(classify, value, classifyValue);
}

function asked(classify: Classify, seen: unknown, standard: Parameters<Classify>[1]): Verdict | undefined {
  try {
    return classify(seen, standard);
  } catch (error) {
    thrownBy(error, "classify", classify);
    throw error;
  }
}

/** A limit of time counts against what was called only if the attempt had at least half of it. */
export function cutVerdict(attempt: AttemptRecord, cut: Cut): Verdict {
  if (cut.wholeMs === 0) return CANCELLED;
  return attempt.called && cut.at - attempt.startedAt >= cut.wholeMs / 2 ? OVERDUE : OVERDUE_EARLY;
}
