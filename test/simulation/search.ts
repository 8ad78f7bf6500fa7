// Plays random plans until one breaks a rule, or so many calls have been made.
import fc from "fast-check";
import type { Violation } from "../../src/testing/simulation/ledger.ts";
import type { Played } from "../../src/testing/simulation/play.ts";
import { plans } from "./generate.ts";
import type { Plan } from "./plan.ts";
import { type More, run } from "./run.ts";

export interface Searched {
  readonly plans: number;
  readonly calls: number;
  readonly runs: number;
  readonly steps: number;
  readonly found?: { readonly plan: Plan; readonly violations: readonly Violation[] };
}

export interface SearchOptions extends More {
  readonly seed: number;
  readonly calls: number;
  /** Only this rule is of interest. */
  readonly rule?: string | undefined;
  /** Hears of each plan that was played. */
  readonly played?: (played: Played) => void;
}

class Broken extends Error {
  readonly violations: readonly Violation[];
  constructor(violations: readonly Violation[]) {
    super(violations[0]?.rule);
    this.violations = violations;
  }
}

/** So many plans come of one seed of fast-check's; then the next. */
const plansASeed = 100;

export async function search({ seed, calls, rule: wanted, played, ...more }: SearchOptions): Promise<Searched> {
  const sum = { plans: 0, calls: 0, runs: 0, steps: 0 };
  for (let part = 0; sum.calls < calls; part++) {
    let rule: string | undefined; // that was broken
    const holds = async (plan: Plan) => {
      if (sum.calls >= calls && rule === undefined) return;
      const result = await run(plan, more);
      if (rule === undefined) {
        sum.plans++;
        sum.calls += result.calls;
        sum.runs += result.runs;
        sum.steps += result.steps;
        played?.(result);
      }
      // what is shrunk goes on to break the same rule, or it would end as another fault
      const looked = rule ?? wanted;
      const broken = result.violations.filter((one) => looked === undefined || one.rule === looked);
      if (broken.length === 0) return;
      rule ??= broken[0]?.rule;
      throw new Broken(broken.filter((one) => one.rule === rule));
    };
    const chance = (Math.imul(seed, 1_000_003) + part) | 0;
    const details = await fc.check(fc.asyncProperty(plans, holds), { seed: chance, numRuns: plansASeed });
    if (!details.failed) continue;
    const { counterexample, errorInstance } = details as fc.RunDetailsFailureProperty<[Plan]>;
    const [plan] = counterexample;
    if (errorInstance instanceof Broken) return { ...sum, found: { plan, violations: errorInstance.violations } };
    throw new Error(`A plan that cannot be played: ${JSON.stringify(plan)}`, { cause: errorInstance });
  }
  return sum;
}
