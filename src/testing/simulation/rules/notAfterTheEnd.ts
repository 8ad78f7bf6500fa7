// Nothing is called for a call that is over, and what still runs for it is told.
import { nameOfRun, type Rule } from "../rule.ts";

export const notAfterTheEnd: Rule = {
  name: "not after the end",
  says: "Nothing is called after it was cancelled or answered; what still runs then has its signal aborted, and nothing else has.",
  called(run, _world, found) {
    const { caller, signal } = run;
    if (signal?.aborted) found(`${nameOfRun(run)} is begun with a signal that is aborted`);
    if (caller === undefined) return;
    if (caller.settledAt !== undefined)
      found(`${nameOfRun(run)} is begun, and the call has settled at ${caller.settledAt} ms`);
    else if (caller.abortedInStep !== undefined)
      found(`${nameOfRun(run)} is begun, and its caller has gone away in step ${caller.abortedInStep}`);
  },
  stepped(world, found) {
    for (const run of world.running) {
      const { caller, signal } = run;
      if (caller?.settledAt !== undefined && signal?.aborted === false)
        found(`${nameOfRun(run)} goes on, the call is over, and its signal is not aborted`);
    }
  },
  ended({ runs }, found) {
    for (const run of runs) {
      const { caller, abortedInStep, endedInStep } = run;
      if (abortedInStep === undefined || endedInStep === undefined || caller?.settledInStep === undefined) continue;
      if (abortedInStep > endedInStep && abortedInStep > caller.settledInStep)
        found(`${nameOfRun(run)} had answered, the call was over, and then its signal was aborted`);
    }
  },
};
