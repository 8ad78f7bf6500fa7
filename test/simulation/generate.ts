// Random plans: fast-check's generators, so that what goes wrong is shrunk to what is needed to show it.
import fc from "fast-check";
import { failures } from "../../src/testing/simulation/failures.ts";
import type { Behaviour } from "../../src/testing/simulation/script.ts";
import { adaptiveLimit, budget, drain, hedge, maybe, ms, rateLimit, shed, span, urgent, yes } from "./arbitraries.ts";
import type {
  BreakerPlan,
  BulkheadPlan,
  ByHand,
  CachePlan,
  ChangePlan,
  Hostile,
  Layers,
  Plan,
  RetryPlan,
  SimulatedCaller,
  StackPlan,
  TierPlan,
} from "./plan.ts";

const retry: fc.Arbitrary<RetryPlan> = fc.record({
  attempts: maybe(70, fc.integer({ min: 1, max: 4 })),
  base: maybe(80, fc.constantFrom(0, 1, 10, 20)),
  backoff: maybe(50, fc.constantFrom("exponential", "linear", "constant")),
  jitter: maybe(80, fc.constantFrom("none", "none", "none", "full", "decorrelated")),
  patience: maybe(30, ms),
  maxElapsed: maybe(10, span),
});

const breaker: fc.Arbitrary<BreakerPlan> = fc.record({
  consecutiveFailures: maybe(40, fc.integer({ min: 1, max: 4 })),
  failureRate: maybe(50, fc.constantFrom(0.2, 0.5, 0.75, 1)),
  minimumCalls: maybe(80, fc.integer({ min: 1, max: 6 })),
  window: maybe(60, fc.constantFrom(50, 200, 1_000, 3_600_000)),
  breakTime: maybe(80, fc.constantFrom(10, 40, 100, 500)),
  halfOpenCalls: maybe(50, fc.integer({ min: 1, max: 3 })),
  ramp: maybe(10, fc.constant(50)),
  mode: maybe(10, fc.constant("observe" as const)),
  slow: maybe(20, fc.record({ rate: fc.constantFrom(0.5, 1), duration: fc.constantFrom(10, 30) })),
});

const bulkhead: fc.Arbitrary<BulkheadPlan> = fc
  .record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    queue: maybe(70, fc.integer({ min: 0, max: 4 })),
    queueTimeout: maybe(30, span),
    abandonAfter: maybe(30, span),
  })
  .map((plan) => (plan.queue ? plan : { ...plan, queueTimeout: undefined }));

const cache: fc.Arbitrary<CachePlan> = fc
  .record({
    ttl: fc.oneof(span, fc.constantFrom(1_000, 3_600_000)),
    keys: fc.integer({ min: 1, max: 5 }),
    max: maybe(20, fc.integer({ min: 1, max: 3 })),
    staleOnError: maybe(40, span),
    whileRevalidating: maybe(40, span),
    patience: maybe(40, span),
    negative: maybe(30, span),
  })
  .map((plan) => (plan.whileRevalidating === undefined ? { ...plan, patience: undefined } : plan));

const checks = fc.constantFrom("now" as const, "later" as const);

const own = {
  deadline: maybe(30, span),
  retry: maybe(65, retry),
  breaker: maybe(40, breaker),
  bulkhead: maybe(25, bulkhead),
  hedge: maybe(20, hedge),
  budget: maybe(15, budget),
  rateLimit: maybe(12, rateLimit),
  adaptiveLimit: maybe(12, adaptiveLimit),
  shed: maybe(10, shed),
  timeout: maybe(60, span),
  once: maybe(20, yes),
  key: maybe(20, yes),
};

/** What a call of its own declares; no tiers. */
const simple: fc.Arbitrary<Layers> = fc.record(own);

const tier: fc.Arbitrary<TierPlan> = fc.record({
  timeout: maybe(30, span),
  when: maybe(20, fc.constantFrom("always" as const, "never" as const)),
  own: maybe(30, simple),
});
const tiers = fc.array(tier, { minLength: 1, maxLength: 2 });

const layers: fc.Arbitrary<Layers> = urgent(
  fc.record({
    ...own,
    guard: maybe(30, checks),
    tiers: maybe(40, tiers),
    gate: maybe(30, checks),
    cache: maybe(20, cache),
  }),
);

const byHand: fc.Arbitrary<ByHand> = fc.oneof(
  fc.record({ kind: fc.constantFrom("timeout" as const, "deadline" as const), ms: span }),
  fc.record({ kind: fc.constant("retry" as const), retry }),
  fc.record({ kind: fc.constant("breaker" as const), breaker }),
  fc.record({ kind: fc.constant("bulkhead" as const), bulkhead }),
  fc.record({ kind: fc.constant("cache" as const), cache }),
  fc.record({ kind: fc.constant("hedge" as const), hedge }),
  fc.record({ kind: fc.constant("rateLimit" as const), rateLimit }),
  fc.record({ kind: fc.constant("adaptiveLimit" as const), adaptiveLimit }),
  fc.record({ kind: fc.constant("shed" as const), shed }),
  fc.record({ kind: fc.constant("fallback" as const), tiers }),
  fc.record({ kind: fc.constantFrom("gate" as const, "guard" as const), checks }),
);

const stack: fc.Arbitrary<StackPlan> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("protect" as const), layers }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("protect" as const),
      layers,
      inside: fc.record({
        layers: simple,
        how: fc.constantFrom("direct" as const, "context" as const, "spread" as const),
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pipe" as const),
      layers: fc
        .array(byHand, { minLength: 1, maxLength: 5 })
        .map((all) => all.filter((one, i) => !onceAtMost.has(one.kind) || first(all, one.kind) === i)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("policy" as const),
      shared: simple.map(({ key: _, ...shared }) => shared),
      layers: fc.tuple(layers, layers),
    }),
  },
);

/** Of these two would do what no one can tell apart. */
const onceAtMost: ReadonlySet<ByHand["kind"]> = new Set(["gate", "guard", "cache"] as const);

function first(all: readonly ByHand[], kind: ByHand["kind"]): number {
  return all.findIndex((one) => one.kind === kind);
}

const failing = fc.constantFrom(...(Object.keys(failures) as (keyof typeof failures)[]));

/** `well`: how often of ten. */
function behaviour(well: number): fc.Arbitrary<Behaviour> {
  return fc.record({
    gives: fc.oneof(
      { weight: well * 2, arbitrary: fc.constant("value" as const) },
      { weight: (10 - well) * 2, arbitrary: failing },
      { weight: 1, arbitrary: fc.constant("lie" as const) },
      { weight: 1, arbitrary: fc.constant("nothing" as const) },
    ),
    after: maybe(75, ms),
    deaf: maybe(20, yes),
  });
}

function caller(well: number, until: number): fc.Arbitrary<SimulatedCaller> {
  return fc.record({
    at: fc.integer({ min: 0, max: until }),
    to: fc.constantFrom(0, 1),
    deadline: maybe(25, fc.oneof({ weight: 20, arbitrary: span }, { weight: 1, arbitrary: fc.constant(0) })),
    abort: maybe(
      30,
      fc.oneof(
        { weight: 6, arbitrary: ms },
        { weight: 1, arbitrary: fc.constantFrom("before" as const, "inside" as const) },
        { weight: 3, arbitrary: fc.constant("never" as const) },
      ),
    ),
    shares: maybe(5, yes),
    key: maybe(20, yes),
    accept: maybe(5, fc.constantFrom("fresh" as const, "uncached" as const)),
    criticality: maybe(20, fc.constantFrom("critical" as const, "sheddable" as const)),
    bad: maybe(5, yes),
    within: maybe(10, span),
    meets: fc.array(behaviour(well), { maxLength: 5, size: "max" }),
  });
}

const callers = fc.oneof(
  ...[10, 8, 5, 2].flatMap((well) =>
    [100, 1_000].map((until) => fc.array(caller(well, until), { minLength: 1, maxLength: 60, size: "max" })),
  ),
);

const change: fc.Arbitrary<ChangePlan> = fc.record({
  at: fc.integer({ min: 0, max: 300 }),
  to: fc.constantFrom(0, 1),
  undoAt: maybe(50, fc.integer({ min: 0, max: 600 })),
  change: fc.record({
    deadline: maybe(20, span),
    timeout: maybe(20, span),
    retry: maybe(20, retry),
    breaker: maybe(
      20,
      breaker.map(({ slow: _, ...rest }) => rest),
    ),
    bulkhead: maybe(20, bulkhead),
    cache: maybe(
      20,
      cache.map(({ keys: _, max: __, ...rest }) => rest),
    ),
    hedge: maybe(
      20,
      hedge.map(({ to: _, ...rest }) => rest),
    ),
    budget: maybe(10, budget),
    adaptiveLimit: maybe(10, adaptiveLimit),
  }),
});

const hostile = fc.constantFrom<Hostile>(
  "when",
  "breaker.when",
  "tier.when",
  "classify",
  "key",
  "discard",
  "listener",
  "caller",
);

export const plans: fc.Arbitrary<Plan> = fc.record({
  stack,
  changes: maybe(15, fc.array(change, { minLength: 1, maxLength: 3 })),
  hostile: maybe(15, hostile),
  drain: maybe(8, drain),
  callers,
  seed: fc.nat(),
  watched: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});
