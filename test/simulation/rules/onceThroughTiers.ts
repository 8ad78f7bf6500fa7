// What must not happen twice happens in no other tier either.
import { nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { Layers } from "../plan.ts";

/** `declared`: of each call, by its index. */
export function onceThroughTiers(declared: readonly Layers[]): Rule {
  return {
    name: "once through tiers",
    says: "What is not idempotent and has no key is sent to no other tier once it may have been received.",
    called(run, _world, found) {
      const { caller, service } = run;
      if (caller === undefined || caller.plan.key) return;
      const { once, key } = declared[caller.plan.to ?? 0] as Layers;
      if (!once || key) return;
      for (const earlier of caller.runs)
        if (tierOf(earlier.service) !== tierOf(service) && (earlier.endedAt === undefined || earlier.received))
          found(`${nameOfRun(run)} is begun, and ${nameOfRun(earlier)} may have been received`);
    },
  };
}

/** What a tier that is a call of its own hedges with is its own affair. */
function tierOf(service: string): string {
  return service.replace(", elsewhere", "");
}
