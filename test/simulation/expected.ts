// One call as it must go: a second, simple reading of what is declared. It knows one caller at a time, and no promises.

import type { StoryState } from "../../src/index.ts";
import type { Behaviour } from "../../src/testing/simulation/script.ts";
import { type Judged, judged, refusedOutput, timedOut } from "./judged.ts";
import type { Layers, RetryPlan, SimulatedCaller, TierPlan } from "./plan.ts";

export interface Expected {
  /** When services are called, ms from the call's start, and which. */
  readonly runs: readonly { readonly at: number; readonly tier: number }[];
  readonly state: StoryState;
  /** Ms; `Infinity`: it hangs. */
  readonly settledAt: number;
  readonly tier: number;
}

/** Two things at one moment: either may come first. */
class Tie extends Error {}

/** Whether all that decides is in the plan: nothing shared, and nothing left to chance. */
export function isPredictable({ breaker, bulkhead, cache, retry, tiers = [] }: Layers): boolean {
  const shared = breaker ?? bulkhead ?? cache;
  return shared === undefined && isCertain(retry) && tiers.every(({ own }) => own === undefined);
}

function isCertain(retry: RetryPlan | undefined): boolean {
  if (retry === undefined || retry.jitter === "none") return true;
  return retry.base === 0 && retry.jitter !== "decorrelated";
}

/** `gone`: when its caller went away, ms from its start. `undefined`: the order of two things that fall on one moment decides. */
export function expected(layers: Layers, caller: SimulatedCaller, gone: number): Expected | undefined {
  try {
    return new Reading(layers, caller, gone).call();
  } catch (error) {
    if (error instanceof Tie) return undefined;
    throw error;
  }
}

/** What an attempt came to. */
interface Came {
  readonly at: number;
  /** `undefined`: a success. */
  readonly failure: Judged | undefined;
  readonly isTimeout: boolean;
}

/** The call is over, whatever was going on. */
class Cut extends Error {}

class Reading {
  private readonly layers: Layers;
  private readonly caller: SimulatedCaller;
  /** When the caller goes away, and when the deadline is. */
  private readonly gone: number;
  private readonly due: number;
  private readonly runs: { at: number; tier: number }[] = [];

  constructor(layers: Layers, caller: SimulatedCaller, gone: number) {
    this.layers = layers;
    this.caller = caller;
    this.gone = gone;
    this.due = Math.min(layers.deadline ?? Number.POSITIVE_INFINITY, caller.deadline ?? Number.POSITIVE_INFINITY);
    if (caller.abort === "inside" || (gone === this.due && gone !== Number.POSITIVE_INFINITY)) throw new Tie();
  }

  call(): Expected {
    const { caller, layers, due, gone } = this;
    const isGone = caller.abort === "before" || gone < 0;
    if (gone === 0 && !isGone) throw new Tie();
    if (due === 0) {
      if (isGone) throw new Tie();
      return this.ends("timedOut", 0, 0);
    }
    if (isGone) return this.ends("cancelled", 0, 0);
    if (layers.guard !== undefined && caller.bad) return this.ends("rejected", 0, 0);
    let tier = 0;
    try {
      let came = this.rounds();
      for (const [i, way] of (layers.tiers ?? []).entries()) {
        if (came.failure === undefined || this.mustNotRepeat(came)) break;
        if (!this.asks(way, came)) continue;
        tier = i + 1;
        came = this.attempt(came.at, tier, way.timeout ?? layers.timeout);
      }
      return this.deliver(came, tier);
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      return this.ends(gone < due ? "cancelled" : "timedOut", Math.min(gone, due), tier);
    }
  }

  private deliver({ at, failure, isTimeout }: Came, tier: number): Expected {
    if (failure === undefined) return this.ends(tier > 0 ? "degraded" : "succeeded", at, tier);
    return this.ends(isTimeout ? "timedOut" : "failed", at, tier);
  }

  /** The operation, as often as retry says. */
  private rounds(): Came {
    const { retry, timeout, tiers } = this.layers;
    const { attempts = 3, patience = 1_000, maxElapsed = Number.POSITIVE_INFINITY } = retry ?? { attempts: 1 };
    let came = this.attempt(0, 0, timeout);
    for (let round = 1; round < attempts; round++) {
      const { failure } = came;
      if (failure === undefined || !failure.again || this.mustNotRepeat(came)) break;
      const delay = failure.hintMs ?? delayAfter(round, retry ?? {});
      const longest = tiers !== undefined ? patience : failure.hintMs === undefined ? delay : 20_000;
      if (came.at === this.due) throw new Tie();
      if (delay > longest || delay >= this.due - came.at || came.at + delay > maxElapsed) break;
      const next = came.at + delay;
      if (next === this.gone) throw new Tie();
      if (next > this.gone) throw new Cut();
      came = this.attempt(next, 0, timeout);
    }
    return came;
  }

  private attempt(at: number, tier: number, timeout = Number.POSITIVE_INFINITY): Came {
    const { meets } = this.caller;
    const behaviour: Behaviour = meets[Math.min(this.runs.length, meets.length - 1)] ?? { gives: "value" };
    this.runs.push({ at, tier });
    const { gives, after = 0 } = behaviour;
    const answer = gives === "nothing" ? Number.POSITIVE_INFINITY : gives === "throws" ? at : at + after;
    const limit = at + timeout;
    const end = Math.min(this.gone, this.due);
    const first = Math.min(answer, limit, end);
    if (first === Number.POSITIVE_INFINITY) return { at: first, failure: undefined, isTimeout: false };
    const isAtOnce = gives === "throws" || (behaviour.after === undefined && gives !== "nothing");
    if (
      [answer, limit, end].filter((one) => one === first).length > 1 &&
      !(isAtOnce && answer === first && end > first)
    )
      throw new Tie();
    if (end === first) throw new Cut();
    if (limit === first && !(isAtOnce && answer === first)) return { at: first, failure: timedOut, isTimeout: true };
    const failure = judged(gives) ?? (gives === "lie" && this.layers.gate !== undefined ? refusedOutput : undefined);
    return { at: first, failure, isTimeout: false };
  }

  /** What may have been received must not be sent again, without a key. */
  private mustNotRepeat({ failure }: Came): boolean {
    const { once, key } = this.layers;
    return once === true && key !== true && this.caller.key !== true && failure?.received === true;
  }

  private asks({ when }: TierPlan, { failure, at }: Came): boolean {
    if (at === this.due || at === this.gone) throw new Tie();
    return when === undefined ? failure?.elsewhere === true : when === "always";
  }

  private ends(state: StoryState, settledAt: number, tier: number): Expected {
    return { runs: this.runs, state, settledAt, tier };
  }
}

/** Without jitter. */
function delayAfter(round: number, { base = 100, backoff = "exponential" }: RetryPlan): number {
  if (base === 0 || backoff === "constant") return base;
  return Math.min(20_000, backoff === "linear" ? base * round : base * 2 ** (round - 1));
}
