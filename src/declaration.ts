// What may be declared of a call, and of the component it belongs to.
import type { AdaptiveLimit, AdaptiveLimitOptions } from "./call/adaptiveLimit.ts";
import type { Breaker, BreakerOptions, KeyedBreaker } from "./call/breaker.ts";
import type { BudgetOptions } from "./call/budget.ts";
import type { Bulkhead, BulkheadOptions } from "./call/bulkhead.ts";
import type { Cache, CacheOptions } from "./call/cache.ts";
import type { Hedge, HedgeOptions } from "./call/hedge.ts";
import type { RateLimit, RateLimitFor, RateLimitOptions } from "./call/rateLimit.ts";
import type { Retry, RetryOptions } from "./call/retry.ts";
import type { Shed, ShedOptions } from "./call/shed.ts";
import type { Timeout } from "./call/timeout.ts";
import type { Budget } from "./core/budget.ts";
import type { CallContext, CallOptions, Criticality, Duration, Operation, Protected } from "./core/operation.ts";
import type { AnySchema, In, Out } from "./core/schema.ts";
import type { Seams } from "./core/seams.ts";
import type { Classify } from "./core/verdict.ts";
import type { Tier } from "./fallback/fallback.ts";
import type { UrgencyStage } from "./fallback/urgency.ts";
import type { GuardOptions } from "./input/guard.ts";
import type { GateOptions } from "./output/gate.ts";

/** What a policy (one component) can hold; each key is a primitive's options, a wrapper made before, or false. */
export interface PolicyOptions<I = never, O = unknown> {
  /** The whole call: checks, waits, queues, every attempt and tier. */
  deadline?: Duration | false | undefined;
  /** One attempt. */
  timeout?: Duration | Timeout | false | undefined;
  /** `{}`: three rounds, exponential back-off from 100 ms to 20 s, full jitter. */
  retry?: RetryOptions<O> | Retry | false | undefined;
  /** `{}`: a second try beside the first, when that takes longer than 95 % of the answers of late; the first good answer wins. */
  hedge?: HedgeOptions<O> | Hedge | false | undefined;
  /** `{}`: opens at half of at least 10 calls in 10 s, for 5 s and longer each time up to 1 min. */
  breaker?: BreakerOptions<I> | Breaker | KeyedBreaker<I> | false | undefined;
  /** Requests, tokens and money in a time: who finds nothing left waits for up to 1 min, or is refused. */
  rateLimit?: RateLimitOptions<I> | RateLimit | RateLimitFor<I> | false | undefined;
  /** How many operations run at a time, found out from how long they take. `{}`: from 1 to 1,000. */
  adaptiveLimit?: AdaptiveLimitOptions | AdaptiveLimit | false | undefined;
  /** `{}`: when the limits inside are reached, the lowest goes first. */
  shed?: ShedOptions<I> | Shed | false | undefined;
  /** How many operations run at a time: a number, or with a queue. */
  bulkhead?: number | BulkheadOptions | Bulkhead | false | undefined;
  /** `{}`: all retries and hedges together add a tenth to the load at most, or one a second. */
  budget?: Budget | BudgetOptions | false | undefined;
  /** True by default. False: never twice once the request may have been received, unless there is an idempotency key. */
  idempotent?: boolean | undefined;
  /** Wraps the standard verdicts. */
  classify?: Classify | undefined;
  criticality?: Criticality | undefined;
  /** Events, clock and chance, in place of the common ones. */
  seams?: Partial<Seams> | undefined;
}

export interface ProtectOptions<SI extends AnySchema | undefined, SO extends AnySchema | undefined, I, Raw>
  extends PolicyOptions<I, Given<SO, Out<SO>, NoInfer<Raw>>> {
  /** Any Standard Schema; the operation gets what it makes of the input. */
  input?: SI | undefined;
  /** What else is asked of the input. */
  guard?: GuardOptions<Given<SI, Out<SI>, NoInfer<I>>> | undefined;
  /** Any Standard Schema; the caller gets what it makes of the output, whichever tier gave it. */
  output?: SO | undefined;
  /** What else is asked of the output. */
  gate?: GateOptions<Given<SO, Out<SO>, NoInfer<Raw>>, I> | undefined;
  /** `{ ttl }`: what was answered before is given again for so long, and all who ask the same at once share one load. */
  cache?: CacheOptions<NoInfer<I>, Given<SO, Out<SO>, NoInfer<Raw>>> | Cache<I> | false | undefined;
  /** Other ways to the same answer, tried in order. */
  fallback?:
    | ReadonlyArray<
        | Operation<I, SO extends AnySchema ? unknown : NoInfer<Raw>>
        | Tier<I, SO extends AnySchema ? unknown : NoInfer<Raw>>
      >
    | false
    | undefined;
  /** What starts beside what runs when so much of the deadline is gone: a hedge, the next tier, the last, the cached answer. */
  urgency?: readonly UrgencyStage[] | undefined;
  /** One key for all attempts, tiers and hedges of a call. */
  idempotencyKey?: ((input: NoInfer<I>) => string) | undefined;
  /** What is done with a result that nobody wants any more, in place of closing it. */
  discard?: ((value: NoInfer<Raw>) => void | Promise<void>) | undefined;
}

/** Of a schema or of none. While a wrapper inside a declaration is looked at, what is not yet known stands as `never`: that is none. */
export type Given<S, Then, Else> = [S] extends [never] ? Else : S extends AnySchema ? Then : Else;

/** One signature: with an input schema the operation's input is the schema's output. */
export type Protect = <
  I = void,
  Raw = unknown,
  SI extends AnySchema | undefined = undefined,
  SO extends AnySchema | undefined = undefined,
>(
  name: string,
  operation: Operation<Given<SI, Out<SI>, I>, Raw>,
  options?: ProtectOptions<SI, SO, Given<SI, Out<SI>, NoInfer<I>>, Raw>,
) => Protected<Given<SI, In<SI>, I>, Given<SO, Out<SO>, Raw>>;

/** One component's options and state, for many calls. */
export interface Policy extends Protect {
  readonly component: string;
  /** Runs one operation on it; builds nothing anew. */
  run<O>(operation: (context: CallContext) => Promise<O>, options?: CallOptions): Promise<O>;
}
