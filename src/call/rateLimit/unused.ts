// Whether what was taken was not used: nothing of the request has reached the other side.
import { mayHaveArrived } from "../../core/received.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";

/** What was answered was received, and the other side counts it, whatever the answer. */
export function wasNotUsed(outcome: Outcome<unknown>, verdict: Verdict | undefined): boolean {
  return verdict !== undefined && !mayHaveArrived(outcome.ok ? outcome.value : outcome.error, verdict);
}
