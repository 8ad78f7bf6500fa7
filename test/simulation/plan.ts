// A simulation as data: what is laid round the services, and the script that is played against it.
import type { UrgencyStage } from "../../src/index.ts";
import type { Caller } from "../../src/testing/simulation/script.ts";

export interface RetryPlan {
  readonly attempts?: number | undefined;
  readonly base?: number | undefined;
  readonly backoff?: "exponential" | "linear" | "constant" | undefined;
  readonly jitter?: "full" | "decorrelated" | "none" | undefined;
  readonly patience?: number | undefined;
  readonly maxElapsed?: number | undefined;
}

export interface BreakerPlan {
  readonly consecutiveFailures?: number | undefined;
  readonly failureRate?: number | undefined;
  readonly minimumCalls?: number | undefined;
  readonly window?: number | undefined;
  readonly breakTime?: number | undefined;
  readonly halfOpenCalls?: number | undefined;
  readonly ramp?: number | undefined;
  readonly mode?: "enforce" | "observe" | undefined;
  readonly slow?: { readonly rate: number; readonly duration: number } | undefined;
}

export interface BulkheadPlan {
  readonly concurrency: number;
  readonly queue?: number | undefined;
  readonly queueTimeout?: number | undefined;
  readonly abandonAfter?: number | undefined;
}

export interface CachePlan {
  readonly ttl: number;
  /** So many different questions there are. */
  readonly keys: number;
  readonly max?: number | undefined;
  readonly staleOnError?: number | undefined;
  readonly whileRevalidating?: number | undefined;
  readonly patience?: number | undefined;
  readonly negative?: number | undefined;
}

export interface HedgePlan {
  readonly after: number | "p95";
  readonly extra?: number | undefined;
  /** The others ask another service. */
  readonly to?: true | undefined;
}

export interface BudgetPlan {
  readonly share?: number | undefined;
  readonly perSecond?: number | undefined;
}

/** Of requests. */
export interface RateLimitPlan {
  readonly limit: number;
  readonly per: number;
  readonly shape?: "tokenBucket" | "slidingWindow" | "smooth" | undefined;
  /** Of a token bucket. */
  readonly burst?: number | undefined;
  readonly whenFull?: "wait" | "reject" | undefined;
  readonly maxWait?: number | undefined;
}

export interface AdaptiveLimitPlan {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Shares of the limit. */
  readonly reserve?: { readonly critical?: number | undefined; readonly sheddable?: number | undefined } | undefined;
}

export interface ShedPlan {
  /** What the measure says, whenever it is asked. */
  readonly pressure?: number | undefined;
  readonly eventLoopDelay?: number | undefined;
  /** So many tenants there are. */
  readonly tenants?: number | undefined;
}

/** When a check has its answer. */
export type Checks = "now" | "later";

/** One of the ways that follow; `own`: a protected call of its own. */
export interface TierPlan {
  readonly timeout?: number | undefined;
  readonly when?: "always" | "never" | undefined;
  readonly own?: Layers | undefined;
}

/** A declaration. */
export interface Layers {
  readonly deadline?: number | undefined;
  readonly guard?: Checks | undefined;
  readonly tiers?: readonly TierPlan[] | undefined;
  readonly retry?: RetryPlan | undefined;
  readonly gate?: Checks | undefined;
  readonly breaker?: BreakerPlan | undefined;
  readonly bulkhead?: BulkheadPlan | undefined;
  readonly cache?: CachePlan | undefined;
  readonly hedge?: HedgePlan | undefined;
  readonly budget?: BudgetPlan | undefined;
  readonly rateLimit?: RateLimitPlan | undefined;
  readonly adaptiveLimit?: AdaptiveLimitPlan | undefined;
  readonly shed?: ShedPlan | undefined;
  readonly urgency?: readonly UrgencyStage[] | undefined;
  readonly timeout?: number | undefined;
  /** `idempotent: false`. */
  readonly once?: true | undefined;
  /** It declares a key. */
  readonly key?: true | undefined;
}

/** A layer laid by hand. */
export type ByHand =
  | { readonly kind: "timeout" | "deadline"; readonly ms: number }
  | { readonly kind: "retry"; readonly retry: RetryPlan }
  | { readonly kind: "breaker"; readonly breaker: BreakerPlan }
  | { readonly kind: "bulkhead"; readonly bulkhead: BulkheadPlan }
  | { readonly kind: "cache"; readonly cache: CachePlan }
  | { readonly kind: "hedge"; readonly hedge: HedgePlan }
  | { readonly kind: "rateLimit"; readonly rateLimit: RateLimitPlan }
  | { readonly kind: "adaptiveLimit"; readonly adaptiveLimit: AdaptiveLimitPlan }
  | { readonly kind: "shed"; readonly shed: ShedPlan }
  | { readonly kind: "fallback"; readonly tiers: readonly TierPlan[] }
  | { readonly kind: "gate" | "guard"; readonly checks: Checks };

/** The operation is, or makes, a protected call: it is handed over as it is, the context, or a spread of it. */
export interface Inside {
  readonly layers: Layers;
  readonly how: "direct" | "context" | "spread";
}

export type StackPlan =
  | {
      readonly kind: "protect";
      readonly layers: Layers;
      readonly inside?: Inside | undefined;
    }
  /** The innermost first. */
  | { readonly kind: "pipe"; readonly layers: readonly ByHand[] }
  /** Two calls of one component. */
  | {
      readonly kind: "policy";
      readonly shared: Omit<Layers, "tiers" | "guard" | "gate" | "key" | "cache">;
      readonly layers: readonly [Layers, Layers];
    };

export interface SimulatedCaller extends Caller {
  /** What he asks is refused by a guard. */
  readonly bad?: true | undefined;
  /** He calls inside a `within` of so many ms. */
  readonly within?: number | undefined;
}

/** Options that are changed while calls run, and perhaps back again. */
export interface ChangePlan {
  readonly at: number;
  readonly to: number;
  readonly undoAt?: number | undefined;
  readonly change: {
    readonly deadline?: number | undefined;
    readonly timeout?: number | undefined;
    readonly retry?: RetryPlan | undefined;
    readonly breaker?: Omit<BreakerPlan, "slow"> | undefined;
    readonly bulkhead?: BulkheadPlan | undefined;
    readonly cache?: Omit<CachePlan, "keys" | "max"> | undefined;
    readonly hedge?: Omit<HedgePlan, "to"> | undefined;
    readonly budget?: BudgetPlan | undefined;
    readonly adaptiveLimit?: AdaptiveLimitPlan | undefined;
  };
}

/** A shutdown: of the process, or of the component of its calls. */
export interface DrainPlan {
  readonly at: number;
  readonly within: number;
  readonly grace?: number | undefined;
  readonly component?: true | undefined;
}

/** A function of a user's that throws when it is asked, now and then; or a listener that throws, or that calls. */
export type Hostile = "when" | "breaker.when" | "tier.when" | "classify" | "key" | "discard" | "listener" | "caller";

export interface Plan {
  readonly stack: StackPlan;
  readonly changes?: readonly ChangePlan[] | undefined;
  readonly hostile?: Hostile | undefined;
  readonly drain?: DrainPlan | undefined;
  readonly callers: readonly SimulatedCaller[];
  readonly seed: number;
  /** Whether anybody listens to the bus. */
  readonly watched: boolean;
}
