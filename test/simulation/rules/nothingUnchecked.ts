// Nothing unchecked goes in, and nothing unchecked comes out.
import { nameOf, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import { Answer, Passed, type Question } from "../answers.ts";
import type { Built } from "../stacks.ts";

export function nothingUnchecked({ checks, caches }: Built): Rule {
  return {
    name: "nothing unchecked",
    says: "With a guard every input that reaches a service was checked once; with a gate every value delivered was.",
    called(run, _world, found) {
      const { caller, input } = run;
      const { checked, bad, n } = input as Question;
      if (caller === undefined)
        return found(`${nameOfRun(run)} is begun for nobody: the caller's async context is lost`);
      if (n !== caller.no) found(`${nameOfRun(run)} is asked what call ${n} asks`);
      const { guard } = checks[caller.plan.to ?? 0] as Built["checks"][number];
      if (guard === "of some tiers") return;
      if (checked !== (guard ? 1 : 0)) found(`${nameOfRun(run)} has an input that was checked ${checked} times`);
      if (guard && bad) found(`${nameOfRun(run)} has an input that should have been refused`);
    },
    ended({ callers }, found) {
      for (const caller of callers) {
        const { result, no, plan } = caller;
        if (!result?.ok) continue;
        const { gate } = checks[plan.to ?? 0] as Built["checks"][number];
        const { value } = result;
        if (gate && !(value instanceof Passed)) found(`${nameOf(caller)} has got what no gate has passed`);
        const answer = value instanceof Passed ? value.answer : value;
        const keys = caches[plan.to ?? 0]?.keys ?? Number.POSITIVE_INFINITY;
        if (answer instanceof Answer && answer.to !== no && answer.to % keys !== no % keys)
          found(`${nameOf(caller)} has got the answer to call ${answer.to}`);
        if (gate && answer instanceof Answer && !answer.sound)
          found(`${nameOf(caller)} has got an answer that is not sound`);
        if (!(answer instanceof Answer) && result.story.state !== "failed")
          found(`${nameOf(caller)} has got a value that tells of a failure, and the story says ${result.story.state}`);
      }
    },
  };
}
