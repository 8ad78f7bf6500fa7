// When all is over every place of every bulkhead is free, and nobody waits for one.
import type { Rule } from "../../../src/testing/simulation/rule.ts";
import type { BulkheadState } from "../stacks.ts";

export function emptied(places: readonly (() => BulkheadState)[]): Rule {
  return {
    name: "emptied",
    says: "When all is over every place of every bulkhead is free, and nobody waits for one.",
    ended(_world, found) {
      for (const state of places) {
        const { running, queued, abandoned } = state();
        if (running + queued + abandoned > 0)
          found(`${running} have a place, ${queued} wait, ${abandoned} are abandoned`);
      }
    },
  };
}
