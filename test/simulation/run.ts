// One plan, played against what it says is to be built.
import { type Played, play, type Setting } from "../../src/testing/simulation/play.ts";
import type { Rule } from "../../src/testing/simulation/rule.ts";
import { comesBack } from "../../src/testing/simulation/rules/comesBack.ts";
import { notAfterTheEnd } from "../../src/testing/simulation/rules/notAfterTheEnd.ts";
import { onlyOnce } from "../../src/testing/simulation/rules/onlyOnce.ts";
import { ownAnswer } from "../../src/testing/simulation/rules/ownAnswer.ts";
import { sameStory } from "../../src/testing/simulation/rules/sameStory.ts";
import { settles } from "../../src/testing/simulation/rules/settles.ts";
import type { Question } from "./answers.ts";
import type { Plan } from "./plan.ts";
import { asExpected } from "./rules/asExpected.ts";
import { breakerCounts } from "./rules/breakerCounts.ts";
import { cachedAnswers } from "./rules/cachedAnswers.ts";
import { emptied } from "./rules/emptied.ts";
import { letGo } from "./rules/letGo.ts";
import { nothingUnchecked } from "./rules/nothingUnchecked.ts";
import { placesHeld } from "./rules/placesHeld.ts";
import { type Built, build } from "./stacks.ts";

export interface More {
  /** In place of what the plan builds, and of how its calls are entered: what is broken on purpose. */
  readonly build?: ((plan: Plan) => Built) | undefined;
  readonly enter?: Setting["enter"];
  readonly traced?: boolean;
}

export async function run(plan: Plan, more: More = {}): Promise<Played> {
  const { build: made = ({ stack }) => build(stack), enter, traced = false } = more;
  const built = made(plan);
  const { calls } = built;
  return play({
    calls,
    script: plan.callers.map((caller) => ({ ...caller, to: (caller.to ?? 0) % calls.length })),
    seed: plan.seed,
    rules: rulesOf(built),
    input: (n): Question => ({ n, checked: 0, bad: plan.callers[n]?.bad }),
    watched: plan.watched,
    shares: shares(built),
    traced,
    enter,
  });
}

export function rulesOf(built: Built): Rule[] {
  return [
    settles,
    notAfterTheEnd,
    onlyOnce(built.onceOnly),
    comesBack,
    sameStory,
    ownAnswer(undefined),
    nothingUnchecked(built),
    letGo,
    ...built.breakers.map(breakerCounts),
    ...built.bulkheads.map(placesHeld),
    ...(shares(built) ? [cachedAnswers(built.caches)] : []),
    emptied(built.places),
    ...(built.predictable ? [asExpected(built.predictable)] : []),
  ];
}

function shares({ caches }: Built): boolean {
  return caches.some((cache) => cache !== undefined);
}
