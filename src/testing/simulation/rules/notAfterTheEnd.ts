// Nothing is called for a call that is over, and what still runs for it is told.
import { type Found, nameOfRun, type Rule } from "../rule.ts";
import type { World } from "../world.ts";

export const notAfterTheEnd: Rule = {
  name: "not after the end",
  says: "Nothing is called after it was cancelled or answered; what still runs then has its signal aborted, and nothing else has.",
  called(run, world, found) {
    const { caller, signal } = run;
    if (signal?.aborted) found(`${nameOfRun(run)} is begun with a signal that is aborted`);
    if (caller === undefined || world.shares) return; // others may wait for it
    if (caller.settledAt !== undefined)
      found(`${nameOfRun(run)} is begun, and the call has settled at ${caller.settledAt} ms`);
    else if (caller.abortedInStep !== undefined)
      found(`${nameOfRun(run)} is begun, and its caller has gone away in step ${caller.abortedInStep}`);
  },
  stepped(world, found) {
    if (!world.shares) goesOn(world, found);
  },
  quiet(world, found) {
    if (world.waiting.size === 0) goesOn(world, found);
  },
  ended({ runs, shares }, found) {
    if (shares) return;
    for (const run of runs) {
      const { caller, abortedInStep, endedInStep } = run;
      if (abortedInStep === undefined || endedInStep === undefined || caller?.settledInStep === undefined) continue;
      if (abortedInStep > endedInStep && abortedInStep > caller.settledInStep)
        found(`${nameOfRun(run)} had answered, the call was over, and then its signal was aborted`);
    }
  },
};

function goesOn({ running }: World, found: Found): void {
  for (const run of running)
    if (run.caller?.settledAt !== undefined && run.signal?.aborted !== true)
      found(
        `${nameOfRun(run)} goes on, the call is over, and ${run.signal ? "its signal is not aborted" : "it was given no signal"}`,
      );
}
