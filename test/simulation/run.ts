// One plan, played against what it says is to be built.
import { type drain, settled, within } from "../../src/index.ts";
import { type Played, play, type Setting } from "../../src/testing/simulation/play.ts";
import type { Rule } from "../../src/testing/simulation/rule.ts";
import { comesBack } from "../../src/testing/simulation/rules/comesBack.ts";
import { notAfterTheEnd } from "../../src/testing/simulation/rules/notAfterTheEnd.ts";
import { oneKey } from "../../src/testing/simulation/rules/oneKey.ts";
import { onlyOnce } from "../../src/testing/simulation/rules/onlyOnce.ts";
import { ownAnswer } from "../../src/testing/simulation/rules/ownAnswer.ts";
import { sameStory } from "../../src/testing/simulation/rules/sameStory.ts";
import { settles } from "../../src/testing/simulation/rules/settles.ts";
import { alsoHappens, type DrainLog } from "./also.ts";
import type { Question } from "./answers.ts";
import type { Plan } from "./plan.ts";
import { asExpected } from "./rules/asExpected.ts";
import { breakerCounts } from "./rules/breakerCounts.ts";
import { budgetKept } from "./rules/budgetKept.ts";
import { cachedAnswers } from "./rules/cachedAnswers.ts";
import { emptied } from "./rules/emptied.ts";
import { firstGood } from "./rules/firstGood.ts";
import { hedgedRuns } from "./rules/hedgedRuns.ts";
import { letGo } from "./rules/letGo.ts";
import { limitHeld } from "./rules/limitHeld.ts";
import { lowestFirst } from "./rules/lowestFirst.ts";
import { nothingUnchecked } from "./rules/nothingUnchecked.ts";
import { onceThroughTiers } from "./rules/onceThroughTiers.ts";
import { placesHeld } from "./rules/placesHeld.ts";
import { quotaKept } from "./rules/quotaKept.ts";
import { shutsDown } from "./rules/shutsDown.ts";
import { timely } from "./rules/timely.ts";
import { urgencyRises } from "./rules/urgencyRises.ts";
import { type Built, build } from "./stacks.ts";

export interface More {
  /** In place of what the plan builds, and of how its calls are entered: what is broken on purpose. */
  readonly build?: ((plan: Plan) => Built) | undefined;
  readonly enter?: Setting["enter"];
  readonly drain?: typeof drain;
  readonly traced?: boolean;
}

export async function run(plan: Plan, more: More = {}): Promise<Played> {
  const { build: made = ({ stack, hostile }) => build(stack, hostile), enter = inside(plan), traced = false } = more;
  const built = made(plan);
  const { calls } = built;
  const drained: DrainLog[] = [];
  return play({
    calls,
    script: plan.callers.map((caller) => ({ ...caller, to: (caller.to ?? 0) % calls.length })),
    seed: plan.seed,
    rules: rulesOf(built, plan, drained),
    also: alsoHappens(plan, built, drained, more.drain),
    probes: throws(plan.hostile) || plan.drain !== undefined ? 0 : undefined,
    given: (n) => withinOf(plan, n),
    input: (n): Question => ({ n, checked: 0, bad: plan.callers[n]?.bad }),
    watched: plan.watched,
    shares: shares(built),
    traced,
    enter,
  });
}

/** A listener that calls would do so inside that of whoever it hears of. */
function withinOf({ callers, hostile }: Plan, n: number): number | undefined {
  return hostile === "caller" ? undefined : callers[n]?.within;
}

/** Each caller inside the `within` that he has. */
function inside(plan: Plan): NonNullable<Setting["enter"]> {
  return (call) => {
    const enter = settled(call);
    return (input, options) => {
      const deadline = withinOf(plan, (input as Question).n);
      return deadline === undefined ? enter(input, options) : within({ deadline }, () => enter(input, options));
    };
  };
}

export function rulesOf(built: Built, { changes, hostile, drain }: Plan, drained: readonly DrainLog[]): Rule[] {
  const always = [
    settles,
    notAfterTheEnd,
    onlyOnce(built.onceOnly),
    oneKey,
    comesBack,
    sameStory,
    ownAnswer(undefined),
    nothingUnchecked(built),
    letGo(hostile === "discard" ? built.dropped : undefined),
    emptied(built.places),
  ];
  const { declared, predictable } = built;
  if (declared !== undefined) always.push(onceThroughTiers(declared));
  if (drain !== undefined && !throws(hostile)) always.push(shutsDown(drain, drained));
  // what is declared holds until it is changed
  if (changes !== undefined) return always;
  if (declared !== undefined) always.push(timely(declared));
  always.push(...built.bulkheads.map(placesHeld));
  if (shares(built) && built.inOrder !== false) always.push(cachedAnswers(built.caches));
  // what they say of an outcome is the user's, who throws
  if (throws(hostile)) return always;
  always.push(...built.breakers.map(breakerCounts));
  if (declared !== undefined && hostile === undefined) always.push(firstGood);
  if (built.urgent !== undefined) always.push(urgencyRises(built.urgent));
  const { adaptiveLimits = [], budgets = [], rateLimits = [], watchedCalls = [] } = built;
  always.push(...rateLimits.map(quotaKept), ...adaptiveLimits.map(limitHeld), ...budgets.map(budgetKept));
  if (watchedCalls.length > 0) always.push(hedgedRuns(watchedCalls), lowestFirst(watchedCalls));
  if (predictable !== undefined && hostile === undefined && drain === undefined) always.push(asExpected(predictable));
  return always;
}

function shares({ caches }: Built): boolean {
  return caches.some((cache) => cache !== undefined);
}

/** A function of the user's does, that a call depends on. */
function throws(hostile: Plan["hostile"]): boolean {
  return hostile !== undefined && hostile !== "listener" && hostile !== "caller";
}
