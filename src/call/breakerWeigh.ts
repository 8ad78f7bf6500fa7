// What an outcome means to a breaker.
import { HoldfastError } from "../core/errors.ts";
import { FAULT, OVERDUE, OVERDUE_EARLY } from "../core/final.ts";
import type { Outcome, Verdict } from "../core/verdict.ts";
import { isThenable } from "../core/wayIn.ts";
import type { Settings } from "./breakerSettings.ts";

export type Meaning = "success" | "failure" | "nothing";

/** Throws what `when` throws. */
export function weigh(outcome: Outcome<unknown>, verdict: Verdict | undefined, when: Settings["when"]): Meaning {
  if (when === undefined || !mayAsk(outcome, verdict)) {
    if (verdict === undefined) return "success";
    return verdict.counts ? "failure" : "nothing";
  }
  const answer = when(outcome, verdict);
  if (isThenable(answer)) throw new TypeError("A breaker's `when` has to answer at once, not with a promise.");
  if (answer) return "failure";
  return verdict === undefined ? "success" : "nothing";
}

/** What was cancelled, ran into the deadline, or was refused by a layer of ours is not the user's to count. */
function mayAsk(outcome: Outcome<unknown>, verdict: Verdict | undefined): boolean {
  if (verdict === undefined) return true;
  if (verdict.kind === "cancelled" || verdict.kind === "notAdmitted") return false;
  if (verdict === FAULT || verdict === OVERDUE || verdict === OVERDUE_EARLY) return false;
  if (outcome.ok) return true;
  return !HoldfastError.is(outcome.error, "DEADLINE_EXCEEDED") && !HoldfastError.is(outcome.error, "INPUT_REJECTED");
}
