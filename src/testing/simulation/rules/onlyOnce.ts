// What must not happen twice does not.
import type { Run, Told } from "../ledger.ts";
import { nameOfRun, type Rule } from "../rule.ts";

/** Of calls by these names that were declared not idempotent. */
export function onlyOnce(names: ReadonlySet<string>): Rule {
  return {
    name: "only once",
    says: "What is not idempotent and has no key is never called again once it may have been received.",
    called(run, _world, found) {
      const { caller, told } = run;
      if (caller === undefined || told === undefined) return;
      if (told.idempotencyKey !== undefined || !names.has(told.name)) return;
      for (const earlier of caller.runs) {
        if (earlier === run || earlier.told?.call !== told.call || !mayHaveBeen(earlier)) continue;
        // one attempt may ask several services, but none of them twice
        if (isOfOneAttempt(earlier.told, told) && earlier.service !== run.service) continue;
        found(`${nameOfRun(run)} is begun, and ${nameOfRun(earlier)} may have been received`);
      }
    },
  };
}

function isOfOneAttempt(one: Told, other: Told): boolean {
  return one.tier === other.tier && one.attempt === other.attempt;
}

function mayHaveBeen({ endedAt, received }: Run): boolean {
  return endedAt === undefined || received;
}
