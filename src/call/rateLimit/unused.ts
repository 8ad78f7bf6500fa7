// Whether what was taken was not used: nothing of the request has reached the other side.
import { mayHaveBeenReceived } from "../../core/received.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";

/** A refusal for the rate was received, and the other side counts it. */
export function wasNotUsed(outcome: Outcome<unknown>, verdict: Verdict | undefined): boolean {
  if (verdict === undefined || verdict.kind === "rateLimited" || verdict.kind === "overloaded") return false;
  return !mayHaveBeenReceived(outcome.ok ? outcome.value : outcome.error, verdict);
}
