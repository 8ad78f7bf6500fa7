// What a user's `when` is never asked about: there is nothing to decide.
import { HoldfastError } from "./errors.ts";
import { FAULT, OVERDUE, OVERDUE_EARLY } from "./final.ts";
import type { Outcome, Verdict } from "./verdict.ts";

/** Not about what was cancelled, ran into the deadline, had its input refused, or was turned away by a layer of ours: there the verdict decides. */
export function mayAsk(outcome: Outcome<unknown>, verdict: Verdict | undefined): boolean {
  if (verdict === undefined) return true;
  if (verdict.kind === "cancelled" || verdict.kind === "notAdmitted") return false;
  if (verdict === FAULT || verdict === OVERDUE || verdict === OVERDUE_EARLY) return false;
  if (outcome.ok) return true;
  return !HoldfastError.is(outcome.error, "DEADLINE_EXCEEDED") && !HoldfastError.is(outcome.error, "INPUT_REJECTED");
}
