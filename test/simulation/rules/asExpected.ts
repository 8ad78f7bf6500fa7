// A call goes the way that a second reading of its declaration says: each run at its millisecond, and the end.
import { nameOf, type Rule } from "../../../src/testing/simulation/rule.ts";
import { type Declared, expected } from "../expected.ts";
import type { SimulatedCaller } from "../plan.ts";

/** Of calls that share nothing; `declared`: of each call, by its index. */
export function asExpected(declared: readonly Declared[]): Rule {
  return {
    name: "as expected",
    says: "What is called, when, how often, and how it ends, is what the declaration says.",
    ended({ callers }, found) {
      for (const caller of callers) {
        const { plan, runs, result, startedAt, settledAt, abortedAt = Number.POSITIVE_INFINITY } = caller;
        const one = expected(declared[plan.to ?? 0] as Declared, plan as SimulatedCaller, abortedAt - startedAt);
        if (one === undefined) continue;
        const called = runs.map((run) => `${run.startedAt - startedAt} ms`).join(", ");
        const wanted = one.runs.map((at) => `${at} ms`).join(", ");
        if (called !== wanted) {
          found(`${nameOf(caller)} has called services after [${called}], and should have after [${wanted}]`);
          continue;
        }
        if (one.settledAt === Number.POSITIVE_INFINITY || result === undefined || settledAt === undefined) continue;
        const took = settledAt - startedAt;
        const { state, tier } = result.story;
        if (took !== one.settledAt)
          found(`${nameOf(caller)} has taken ${took} ms, and should have taken ${one.settledAt} ms`);
        if (state !== one.state) found(`${nameOf(caller)} is ${state}, and should be ${one.state}`);
        if (tier !== one.tier)
          found(`${nameOf(caller)} has ended in tier ${tier}, and should have in tier ${one.tier}`);
      }
    },
  };
}
