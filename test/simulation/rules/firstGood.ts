// The first good answer is the call's, whoever gave it: nobody goes on waiting for another.
import type { Run } from "../../../src/testing/simulation/ledger.ts";
import { nameOf, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";

export const firstGood: Rule = {
  name: "first good",
  says: "The first good answer ends the call, whichever try, hedge or tier gave it.",
  stepped(world, found) {
    for (const caller of world.waiting) {
      const good = caller.runs.find(isGood);
      if (good !== undefined) found(`${nameOf(caller)} waits, and ${nameOfRun(good)} has given a good answer`);
    }
  },
};

/** Given while somebody waited for it. */
function isGood({ abortedInStep, behaviour, endedInStep, ok }: Run): boolean {
  return (
    ok === true && behaviour.gives === "value" && (abortedInStep === undefined || abortedInStep > (endedInStep ?? 0))
  );
}
