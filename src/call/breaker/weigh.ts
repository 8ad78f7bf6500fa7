// What an outcome means to a breaker.
import { mayAsk } from "../../core/askable.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import { isThenable } from "../../core/wayIn.ts";
import type { Settings } from "./settings.ts";

type Meaning = "success" | "failure" | "nothing";

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
