// A drain: after its grace nothing new begins, what is in flight has its time, and then all is over.
import type { CallerLog } from "../../../src/testing/simulation/ledger.ts";
import { nameOf, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { DrainLog } from "../also.ts";
import type { DrainPlan } from "../plan.ts";

export function shutsDown({ at, within, grace = 0 }: DrainPlan, drained: readonly DrainLog[]): Rule {
  const [closedAt, overAt] = [at + grace, at + within];
  return {
    name: "shuts down",
    says: "After the grace of a drain no new call begins; it ends with the last in flight, or when its time is over, and then no call is left.",
    called(run, _world, found) {
      const { startedAt } = run.caller as CallerLog;
      if (startedAt > closedAt)
        found(`${nameOfRun(run)} is begun for a call of ${startedAt} ms, and nothing is taken since ${closedAt} ms`);
    },
    heard(event, { coming }, found) {
      if (event.type === "call.shed" && event.why === "draining" && coming < closedAt)
        found(`"${event.name}" was refused at ${coming} ms, and new calls are taken until ${closedAt} ms`);
    },
    stepped({ waiting, coming }, found) {
      if (coming <= overAt) return;
      for (const caller of waiting)
        found(`${nameOf(caller)} is in flight at ${coming} ms, and all was to be over at ${overAt} ms`);
    },
    ended({ callers, shares }, found) {
      const [log] = drained;
      if (drained.length !== 1 || log === undefined) return found(`the drain has ended ${drained.length} times`);
      const { cancelled, finished, at: endedAt } = log;
      if (endedAt > overAt) found(`the drain has ended at ${endedAt} ms, and its time was over at ${overAt} ms`);
      if (endedAt < overAt && cancelled > 0)
        found(`the drain has cancelled ${cancelled} at ${endedAt} ms, and they had time until ${overAt} ms`);
      for (const caller of callers) {
        const { abortedAt = Number.POSITIVE_INFINITY, result, startedAt } = caller;
        if (startedAt <= closedAt || abortedAt <= startedAt || caller.dueAt <= startedAt) continue;
        if (result?.story.state !== "notAdmitted")
          found(`${nameOf(caller)} came at ${startedAt} ms, after the end, and is ${result?.story.state}`);
      }
      // of what falls on one moment with its parts nobody can tell; what callers share flies by itself
      const ties = new Set([at, closedAt, overAt]);
      if (shares || callers.some(({ startedAt, settledAt = 0 }) => ties.has(startedAt) || ties.has(settledAt))) return;
      // also those that end while new ones are still taken
      const flying = callers.filter(({ startedAt, settledAt = 0 }) => startedAt < closedAt && settledAt > at);
      if (finished !== flying.length || cancelled !== 0)
        found(
          `the drain tells of ${finished} finished and ${cancelled} cancelled, and ${flying.length} were in flight`,
        );
      const latest = Math.max(closedAt, ...flying.map(({ settledAt = 0 }) => settledAt));
      if (endedAt !== latest) found(`the drain has ended at ${endedAt} ms, and the last call at ${latest} ms`);
    },
  };
}
