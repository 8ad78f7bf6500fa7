// Timers and listeners come back, and so does what was refused for a while.
import { brief } from "../../../core/brief.ts";
import { nameOf, type Rule } from "../rule.ts";

export const comesBack: Rule = {
  name: "comes back",
  says: "Permits, timers and listeners come back, and no rejection is left to nobody.",
  ended(world, found) {
    if (world.timers > 0) found(`${world.timers} timers are left`);
    for (const caller of world.callers)
      if (caller.hand.listeners > 0)
        found(`${caller.hand.listeners} listeners are left on the signal of ${nameOf(caller)}`);
    for (const error of world.unheard) found(`nobody heard a rejection with ${brief(error)}`);
    for (const caller of world.callers) {
      if (!caller.probes || caller.result === undefined) continue;
      const refused = caller.result.story.failures.find(({ kind }) => kind === "notAdmitted");
      if (refused !== undefined)
        found(`${nameOf(caller)} came when all had been over for long, and was turned away: ${brief(refused.error)}`);
    }
  },
};
