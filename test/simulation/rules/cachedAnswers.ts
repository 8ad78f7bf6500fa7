// What comes from a cache was given for the same question, lately, by the first tier; and nobody asks twice at once.
import type { CallerLog, Run } from "../../../src/testing/simulation/ledger.ts";
import { nameOf, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import { Answer, Passed, type Question } from "../answers.ts";
import type { CachePlan } from "../plan.ts";

/** `caches`: of each call, by its index. */
export function cachedAnswers(caches: readonly (CachePlan | undefined)[]): Rule {
  return {
    name: "cached answers",
    says: "A cached answer is of the same question, fresh, or degraded and within its limits, and of the first tier; one load serves all who ask at once.",
    called(run, world, found) {
      const plan = cacheOf(run.caller);
      if (plan === undefined || run.caller?.plan.accept === "uncached") return;
      for (const other of world.running)
        if (isOtherLoad(run, other, plan)) found(`${nameOfRun(run)} is begun, and ${nameOfRun(other)} loads the same`);
    },
    ended({ callers, runs }, found) {
      const by = new Map<unknown, Run>();
      for (const run of runs) if (run.gave instanceof Answer) by.set(run.gave, run);
      for (const caller of callers) {
        const plan = cacheOf(caller);
        const { result, startedAt, settledAt = 0 } = caller;
        if (plan === undefined || !result?.ok) continue;
        const { value, story } = result;
        const run = by.get(value instanceof Passed ? value.answer : value);
        const { endedAt } = run ?? {};
        if (run === undefined || endedAt === undefined || endedAt >= startedAt) continue;
        const age = settledAt - endedAt;
        const longest =
          plan.ttl + (story.degraded === undefined ? 0 : Math.max(plan.staleOnError ?? 0, plan.whileRevalidating ?? 0));
        if (age > longest)
          found(`${nameOf(caller)} has got an answer that is ${age} ms old, and ${longest} ms are allowed`);
        if (caller.plan.accept === "uncached")
          found(`${nameOf(caller)} wants nothing of the cache, and has got ${nameOfRun(run)}`);
        if (caller.plan.accept === "fresh" && age > plan.ttl)
          found(`${nameOf(caller)} wants what is fresh, and has got what is ${age} ms old`);
        if (story.degraded?.ageMs === undefined && story.state === "degraded")
          found(`${nameOf(caller)} has got from the cache what a later tier gave`);
      }
    },
  };

  function cacheOf(caller: CallerLog | undefined): CachePlan | undefined {
    return caches[caller?.plan.to ?? 0];
  }

  function isOtherLoad(run: Run, other: Run, { keys }: CachePlan): boolean {
    if (other === run || other.service !== run.service || other.signal?.aborted !== false) return false;
    if (other.caller?.plan.accept === "uncached" || other.caller?.plan.to !== run.caller?.plan.to) return false;
    if (other.caller === run.caller) return false; // hedges of one load
    return (other.input as Question).n % keys === (run.input as Question).n % keys;
  }
}
