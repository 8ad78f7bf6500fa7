// Retries and hedges together take no more than their budget has: counted once more, beside it.
import type { Found, Rule } from "../../../src/testing/simulation/rule.ts";
import type { World } from "../../../src/testing/simulation/world.ts";
import type { WatchedBudget } from "../watched.ts";

const almost = 1e-5;

export function budgetKept({ plan, names, state }: WatchedBudget): Rule {
  const { share = 0.1, perSecond = 1 } = plan;
  const whole = perSecond === 0 ? 0 : Math.max(1, perSecond * 10);
  let taken = 0;
  /** Of the minimum, if all that was taken had come of it. */
  let reserve = whole;
  let at = 0;
  /** Calls that have brought their share, or will. */
  const calls = new Set<string>();

  function refill(now: number): void {
    reserve = Math.min(whole, reserve + ((now - at) * perSecond) / 1_000);
    at = now;
  }

  /** All that there can have been until now. */
  function brought(now: number): number {
    return whole + (now * perSecond) / 1_000 + share * calls.size;
  }

  function take(what: string, { coming }: World, found: Found): void {
    refill(coming);
    reserve--;
    taken++;
    if (taken > brought(coming) + almost)
      found(`${what} as number ${taken}, and the budget had ${brought(coming)} in all`);
  }

  return {
    name: "budget kept",
    says: "Retries and hedges together take no more than the minimum and the shares of the calls; none is refused while the minimum is there.",
    called({ told }) {
      if (told !== undefined && names.has(told.name)) calls.add(told.call);
    },
    heard(event, world, found) {
      if (!names.has(event.name)) return;
      if (event.type === "hedge.started") take(`a hedge of "${event.name}" is begun`, world, found);
      // a wait for a refusal of our own costs nothing
      else if (event.type === "retry.scheduled" && event.kind !== "notAdmitted")
        take(`a round of "${event.name}" is begun`, world, found);
      else if (event.type === "hedge.refused" && event.why === "budget") {
        refill(world.coming);
        if (reserve >= 1 + almost) found(`a hedge of "${event.name}" was refused, and at least ${reserve} were left`);
      }
    },
    stepped({ coming, watched }, found) {
      const { left } = state();
      if (left < 0) found(`the budget has ${left} left`);
      if (left > whole + share * calls.size + almost)
        found(`the budget has ${left} left, and ${calls.size} calls have brought ${share} each to ${whole}`);
      if (watched && left + taken > brought(coming) + almost)
        found(`the budget has ${left} left, ${taken} were taken, and it had ${brought(coming)} in all`);
    },
  };
}
