// One call as it must go: a second, simple reading of what is declared. It knows one caller at a time, and no promises.
import type { StoryState } from "../../src/index.ts";
import type { Behaviour } from "../../src/testing/simulation/script.ts";
import { type Judged, judged, overdue, refusedOutput, timedOut } from "./judged.ts";
import type { Inside, Layers, RetryPlan, SimulatedCaller, TierPlan } from "./plan.ts";

export interface Expected {
  /** When services are called, ms from the call's start. */
  readonly runs: readonly number[];
  readonly state: StoryState;
  /** Ms; `Infinity`: it hangs. */
  readonly settledAt: number;
  readonly tier: number;
}

/** A declaration, and the call that its operation is or makes. */
export interface Declared extends Layers {
  readonly inside?: Inside | undefined;
}

/** Whether all that decides is in the plan: nothing shared, and nothing left to chance. */
export function isPredictable({ inside, tiers = [], cache, ...layers }: Declared): boolean {
  const all = [layers, inside?.layers ?? {}, ...tiers.map(({ own = {} }) => own)];
  return cache === undefined && all.every((one) => stateless(one) && isCertain(one.retry));
}

function stateless({ breaker, bulkhead, hedge, budget, rateLimit, adaptiveLimit, shed, urgency }: Layers): boolean {
  return (breaker ?? bulkhead ?? hedge ?? budget ?? rateLimit ?? adaptiveLimit ?? shed ?? urgency) === undefined;
}

function isCertain(retry: RetryPlan | undefined): boolean {
  if (retry === undefined || retry.jitter === "none") return true;
  return retry.base === 0 && retry.jitter !== "decorrelated";
}

/** `gone`: when its caller went away, ms from its start. `undefined`: the order of two things that fall on one moment decides. */
export function expected(declared: Declared, caller: SimulatedCaller, gone: number): Expected | undefined {
  try {
    return new Reading(declared, caller, gone).call();
  } catch (error) {
    if (error instanceof Tie) return undefined;
    throw error;
  }
}

/** What an attempt, or a call inside, came to. */
interface Came {
  readonly at: number;
  /** `undefined`: a success. */
  readonly failure: Judged | undefined;
  /** A success that no gate lets through. */
  readonly isLie?: boolean | undefined;
  /** An attempt before the last may have been received. */
  readonly received?: boolean | undefined;
  /** By the time-out of an attempt, or by the deadline of a call inside. */
  readonly by?: "timeout" | "deadline" | undefined;
}

/** What ends whatever goes on inside it. */
interface Limit {
  readonly at: number;
  readonly is: "gone" | "deadline" | "timeout";
}

/** Two things at one moment: either may come first. */
class Tie extends Error {}

/** A limit was reached. */
class Cut extends Error {
  readonly limit: Limit;
  constructor(limit: Limit) {
    super();
    this.limit = limit;
  }
}

/** Where a call stands: what limits it, whether there is another way, whether a key tells its repetition. */
interface Place {
  readonly gated: boolean;
  readonly limits: readonly Limit[];
  readonly elsewhere: () => boolean;
  readonly keyed: boolean;
}

class Reading {
  private readonly declared: Declared;
  private readonly caller: SimulatedCaller;
  private readonly gone: number;
  private readonly due: number;
  private readonly runs: number[] = [];

  constructor(declared: Declared, caller: SimulatedCaller, gone: number) {
    this.declared = declared;
    this.caller = caller;
    this.gone = gone;
    const never = Number.POSITIVE_INFINITY;
    this.due = Math.min(declared.deadline ?? never, caller.deadline ?? never, caller.within ?? never);
    if (caller.abort === "inside" || (gone === this.due && gone !== Number.POSITIVE_INFINITY)) throw new Tie();
  }

  call(): Expected {
    const { caller, declared, due, gone } = this;
    const isGone = caller.abort === "before" || gone < 0;
    if ((isGone && due === 0) || (gone === 0 && !isGone)) throw new Tie();
    if (due === 0) return this.ends("timedOut", 0, 0);
    if (isGone) return this.ends("cancelled", 0, 0);
    if (declared.guard !== undefined && caller.bad) return this.ends("rejected", 0, 0);
    const { inside, tiers = [] } = declared;
    const limits: Limit[] = [
      { at: gone, is: "gone" },
      { at: due, is: "deadline" },
    ];
    const left = new Set(tiers);
    const keyed = caller.key === true || declared.key === true;
    const place: Place = { gated: declared.gate !== undefined, limits, elsewhere: () => left.size > 0, keyed };
    let [tier, tried] = [0, 0];
    try {
      let came = this.rounds(0, declared, place, inside);
      for (const [i, way] of tiers.entries()) {
        if (came.failure === undefined || mustNotRepeat(declared, came.failure, keyed)) break;
        if (!this.asks(way, came)) continue;
        left.delete(way);
        tier = i + 1;
        tried++;
        const own = way.own === undefined ? undefined : { layers: way.own, how: "direct" as const };
        const timeout = way.timeout ?? (own === undefined ? declared.timeout : undefined);
        came = this.attempt(came.at, timeout, place, own);
      }
      return this.deliver(came, tier, tried);
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      const { at, is } = error.limit;
      return this.ends(is === "gone" ? "cancelled" : "timedOut", at, tier);
    }
  }

  private deliver({ at, failure, by }: Came, tier: number, tried: number): Expected {
    if (failure === undefined) return this.ends(tier > 0 ? "degraded" : "succeeded", at, tier);
    // of a chain that is exhausted the last attempt's time-out tells, and not the deadline of a call that was a tier
    const isLate = by === "timeout" || (by === "deadline" && tried === 0);
    return this.ends(isLate ? "timedOut" : "failed", at, tier);
  }

  /** The operation, as often as retry says. */
  private rounds(from: number, layers: Layers, place: Place, inside: Inside | undefined): Came {
    const { retry, timeout } = layers;
    const { attempts = 3, patience = 1_000, maxElapsed = Number.POSITIVE_INFINITY } = retry ?? { attempts: 1 };
    const due = Math.min(...place.limits.filter(({ is }) => is === "deadline").map(({ at }) => at));
    let came = this.attempt(from, timeout, place, inside);
    let received = false;
    for (let round = 1; round < attempts; round++) {
      const { failure } = came;
      if (failure === undefined || !failure.again || mustNotRepeat(layers, failure, place.keyed)) break;
      const delay = failure.hintMs ?? delayAfter(round, retry ?? {});
      const longest = place.elsewhere() ? patience : failure.hintMs === undefined ? delay : 20_000;
      if (came.at === due) throw new Tie();
      if (delay > longest || delay >= due - came.at || came.at - from + delay > maxElapsed) break;
      this.wait(came.at + delay, place.limits);
      received ||= failure.received;
      came = this.attempt(came.at + delay, timeout, place, inside);
    }
    return { ...came, received };
  }

  private wait(until: number, limits: readonly Limit[]): void {
    const first = firstOf(limits);
    if (first.at === until) throw new Tie();
    if (first.at < until) throw new Cut(first);
  }

  private attempt(at: number, timeout: number | undefined, place: Place, inside: Inside | undefined): Came {
    const limit: Limit = { at: at + (timeout ?? Number.POSITIVE_INFINITY), is: "timeout" };
    try {
      const came = this.operate(at, { ...place, limits: [...place.limits, limit] }, inside);
      return place.gated && came.isLie ? { ...came, failure: refusedOutput } : came;
    } catch (error) {
      if (!(error instanceof Cut) || error.limit !== limit) throw error;
      return { at: limit.at, failure: timedOut, by: "timeout" };
    }
  }

  private operate(at: number, place: Place, inside: Inside | undefined): Came {
    return inside === undefined ? this.ask(at, place.limits) : this.callInside(at, place, inside);
  }

  /** A call of its own: what ends it when its own retry gave up is final for those above. */
  private callInside(at: number, place: Place, { layers, how }: Inside): Came {
    const { deadline, retry, key, once } = layers;
    const limit: Limit = { at: deadline === undefined ? Number.POSITIVE_INFINITY : at + deadline, is: "deadline" };
    const isDirect = how === "direct";
    const within: Place = {
      gated: false,
      limits: [...place.limits, limit],
      elsewhere: () => isDirect && place.elsewhere(),
      keyed: key === true || (isDirect && place.keyed),
    };
    try {
      const came = this.rounds(at, layers, within, undefined);
      const { failure } = came;
      if (failure === undefined || retry === undefined) return came;
      // what it has done before counts where it is the operation itself, or must not be repeated either
      const counts = isDirect || (once === true && key !== true);
      const received = failure.received || (counts && came.received === true);
      return { ...came, failure: { ...failure, again: false, received } };
    } catch (error) {
      if (!(error instanceof Cut) || error.limit !== limit) throw error;
      return { at: limit.at, failure: overdue, by: "deadline" };
    }
  }

  /** The service. */
  private ask(at: number, limits: readonly Limit[]): Came {
    const { meets } = this.caller;
    const behaviour: Behaviour = meets[Math.min(this.runs.length, meets.length - 1)] ?? { gives: "value" };
    this.runs.push(at);
    const { gives, after } = behaviour;
    const isAtOnce = gives === "throws" || (after === undefined && gives !== "nothing");
    const answer = gives === "nothing" ? Number.POSITIVE_INFINITY : isAtOnce ? at : at + (after ?? 0);
    const first = firstOf(limits);
    // what is answered at once is answered before any timer
    if (first.at === answer && answer !== Number.POSITIVE_INFINITY && !(isAtOnce && first.at > at)) throw new Tie();
    if (first.at < answer) throw new Cut(first);
    if (answer === Number.POSITIVE_INFINITY) return { at: answer, failure: undefined };
    return { at: answer, failure: judged(gives), isLie: gives === "lie" };
  }

  private asks({ when }: TierPlan, { failure, at, by }: Came): boolean {
    if (at === this.due || at === this.gone) throw new Tie();
    // a condition has no say where a deadline has come
    return when === undefined || by === "deadline" ? failure?.elsewhere === true : when === "always";
  }

  private ends(state: StoryState, settledAt: number, tier: number): Expected {
    return { runs: this.runs, state, settledAt, tier };
  }
}

function firstOf(limits: readonly Limit[]): Limit {
  const first = limits.reduce((one, other) => (other.at < one.at ? other : one));
  if (first.at !== Number.POSITIVE_INFINITY && limits.filter(({ at }) => at === first.at).length > 1) throw new Tie();
  return first;
}

/** What may have been received must not be sent again, without a key. */
function mustNotRepeat({ once }: Layers, { received }: Judged, keyed: boolean): boolean {
  return once === true && !keyed && received;
}

/** Without jitter. */
function delayAfter(round: number, { base = 100, backoff = "exponential" }: RetryPlan): number {
  if (base === 0 || backoff === "constant") return base;
  return Math.min(20_000, backoff === "linear" ? base * round : base * 2 ** (round - 1));
}
