// Layers of which it is known what stands behind them, and what they say of themselves.
import type { BreakerState } from "../../src/index.ts";
import type { AdaptiveLimitPlan, BreakerPlan, BudgetPlan, BulkheadPlan, Layers, RateLimitPlan } from "./plan.ts";

/** A breaker of which it is known what stands behind it. */
export interface WatchedBreaker {
  readonly plan: BreakerPlan;
  readonly state: () => BreakerState;
  /** Of the calls that it is part of. */
  readonly names: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** What limits each run, where one number does for all. */
  readonly timeout: number | undefined;
  /** Whether an attempt may wait between its begin and its run. */
  readonly waits: boolean;
  /** Whether a cache in front of it lets callers share runs. */
  readonly shares: boolean;
  /** Whether a run may lose against another one of its call. */
  readonly hedges: boolean;
  /** Declared, of each call by its index. */
  readonly deadlines: readonly (number | undefined)[];
}

/** A bulkhead with nothing behind it but these services. */
export interface WatchedBulkhead {
  readonly plan: BulkheadPlan;
  readonly state: () => BulkheadState;
  readonly services: ReadonlySet<string>;
}
export interface BulkheadState {
  readonly running: number;
  readonly queued: number;
  readonly abandoned: number;
}

/** Of whatever holds places, or lets wait. */
export interface Held {
  readonly running?: number;
  readonly queued?: number;
  readonly abandoned?: number;
  readonly waiting?: number;
}

/** A rate limit with nothing behind it but these services. */
export interface WatchedRateLimit {
  readonly plan: RateLimitPlan;
  readonly state: () => RateLimitState;
  readonly names: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Whether one that it has let in may wait before its run, */
  readonly waits: boolean;
  /** or may be refused by another: by what stands inside, or by a breaker that has opened meanwhile. */
  readonly refuses: boolean;
}
export interface RateLimitState {
  readonly left: { readonly requests: number };
  readonly waiting: number;
}

/** A limit that is found out, with nothing behind it but these services. */
export interface WatchedAdaptiveLimit {
  readonly plan: AdaptiveLimitPlan;
  readonly state: () => AdaptiveLimitState;
  readonly names: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** Whether one that has a place may wait before its run. */
  readonly waits: boolean;
  /** Whether load shedding stands in front of it, which refuses too. */
  readonly sheds: boolean;
}
export interface AdaptiveLimitState {
  readonly limit: number;
  readonly running: number;
  readonly baseMs?: number | undefined;
}

export interface WatchedBudget {
  readonly plan: BudgetPlan;
  readonly state: () => { readonly left: number };
  /** Of the calls that spend of it. */
  readonly names: ReadonlySet<string>;
}

/** A call whose operation is a service, and who else its hedges ask. */
export interface WatchedCall {
  readonly name: string;
  readonly layers: Layers;
  readonly services: ReadonlySet<string>;
}
