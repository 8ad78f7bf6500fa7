// A call becomes urgent stage by stage, each at its share of the deadline, and no longer when it has ended.
import { nameOf, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { Layers } from "../plan.ts";

const tiny = 1e-3;

interface Raised {
  readonly stage: number;
  readonly start: string;
  readonly at: number;
}

/** `urgent`: the stages of each call, by its index. */
export function urgencyRises(urgent: readonly Layers["urgency"][]): Rule {
  const raised = new Map<string, Raised[]>();
  const over = new Set<string>();
  return {
    name: "urgency rises",
    says: "Each stage of a call begins once, in its order, at its share of the deadline, and none after the call's end.",
    heard(event, world, found) {
      const { type, call } = event;
      // what several share is told of in the name of one of them, and later perhaps of another
      if (call === undefined || world.shares) return;
      if (type === "call.settled") over.add(call);
      if (type !== "urgency.raised") return;
      const before = raised.get(call) ?? [];
      const { stage, start } = event;
      if (stage !== before.length + 1)
        found(`stage ${stage} of "${event.name}" begins, and ${before.length} have begun`);
      if (over.has(call)) found(`stage ${stage} of "${event.name}" begins, and the call has ended`);
      raised.set(call, [...before, { stage, start, at: world.coming }]);
    },
    ended({ callers, watched, shares }, found) {
      if (!watched || shares) return;
      for (const caller of callers) {
        const { plan, result, startedAt, settledAt = 0, dueAt } = caller;
        if (result === undefined) continue;
        const begun = raised.get(result.story.id) ?? [];
        const stages = urgent[plan.to ?? 0] ?? [];
        if (begun.length > stages.length)
          found(`${nameOf(caller)} has ${stages.length} stages, and ${begun.length} began`);
        for (const [i, { at, start }] of stages.entries()) {
          const due = startedAt + at * (dueAt - startedAt);
          const one = begun[i];
          if (one === undefined) {
            if (due < settledAt - tiny)
              found(`stage ${i + 1} of ${nameOf(caller)} was due at ${due} ms, and never began`);
          } else if (one.start !== start || Math.abs(one.at - due) > tiny)
            found(`stage ${i + 1} (${one.start}) of ${nameOf(caller)} began at ${one.at} ms, and was due at ${due} ms`);
        }
      }
    },
  };
}
