// When all is over every place of every bulkhead and limit is free, and nobody waits for one.
import type { Rule } from "../../../src/testing/simulation/rule.ts";
import type { Held } from "../watched.ts";

export function emptied(places: readonly (() => Held)[]): Rule {
  return {
    name: "emptied",
    says: "When all is over every place of every bulkhead and limit is free, and nobody waits for one.",
    ended(_world, found) {
      for (const state of places) {
        const { running = 0, queued = 0, abandoned = 0, waiting = 0 } = state();
        if (running + queued + abandoned + waiting > 0)
          found(`${running} have a place, ${queued + waiting} wait, ${abandoned} are abandoned`);
      }
    },
  };
}
