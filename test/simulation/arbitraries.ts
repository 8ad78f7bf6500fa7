// What random plans are made of, and the plans of the layers that spread or bound the load.
import fc from "fast-check";
import type { AdaptiveLimitPlan, BudgetPlan, DrainPlan, HedgePlan, Layers, RateLimitPlan, ShedPlan } from "./plan.ts";

/** Few and round, so that much falls on the same moment. */
export const ms = fc.oneof(fc.constantFrom(10, 20, 30, 40, 50, 100), fc.integer({ min: 0, max: 120 }));
export const span = fc.oneof(fc.constantFrom(10, 20, 30, 40, 50, 100, 200), fc.integer({ min: 1, max: 250 }));

/** Nothing, or in so many of a hundred something. */
export function maybe<T>(of100: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 100 - of100, arbitrary: fc.constant(undefined) }, { weight: of100, arbitrary });
}
export const yes = fc.constant(true as const);

export const hedge: fc.Arbitrary<HedgePlan> = fc.record({
  after: fc.oneof({ weight: 8, arbitrary: span }, { weight: 1, arbitrary: fc.constant("p95" as const) }),
  extra: maybe(50, fc.integer({ min: 1, max: 3 })),
  to: maybe(25, yes),
});

export const budget: fc.Arbitrary<BudgetPlan> = fc.record({
  share: maybe(70, fc.constantFrom(0, 0.1, 0.5)),
  perSecond: maybe(80, fc.constantFrom(0, 0.1, 1)),
});

export const rateLimit: fc.Arbitrary<RateLimitPlan> = fc
  .record({
    limit: fc.integer({ min: 1, max: 6 }),
    per: fc.constantFrom(20, 50, 100, 300),
    shape: maybe(70, fc.constantFrom("tokenBucket" as const, "slidingWindow" as const, "smooth" as const)),
    burst: maybe(40, fc.integer({ min: 1, max: 3 })),
    whenFull: maybe(60, fc.constantFrom("wait" as const, "reject" as const)),
    maxWait: maybe(50, span),
  })
  .map((plan) => ((plan.shape ?? "tokenBucket") === "tokenBucket" ? plan : { ...plan, burst: undefined }));

export const adaptiveLimit: fc.Arbitrary<AdaptiveLimitPlan> = fc.record({
  min: maybe(40, fc.constant(1)),
  max: maybe(80, fc.integer({ min: 1, max: 6 })),
  reserve: maybe(
    40,
    fc.record({ critical: maybe(80, fc.constantFrom(0.2, 0.5)), sheddable: maybe(30, fc.constant(0.3)) }),
  ),
});

const stage = fc.constantFrom("hedge" as const, "nextTier" as const, "lastTier" as const, "cached" as const);
const stages = fc.uniqueArray(fc.record({ at: fc.constantFrom(0.25, 0.5, 0.75, 0.9), start: stage }), {
  selector: ({ at }) => at,
  minLength: 1,
  maxLength: 3,
});

/** Stages of what a call has. */
export function urgent<L extends Layers>(layers: fc.Arbitrary<L>): fc.Arbitrary<L> {
  return fc.tuple(layers, maybe(50, stages)).map(([one, all]) => {
    const { deadline, hedge, tiers = [], cache } = one;
    const stale = (cache?.staleOnError ?? 0) + (cache?.whileRevalidating ?? 0) > 0;
    const left = { hedge: hedge === undefined ? 0 : (hedge.extra ?? 1), tier: tiers.length, cached: stale ? 1 : 0 };
    const inOrder = all?.toSorted((a, b) => a.at - b.at) ?? [];
    const fit = inOrder.filter(({ start }) => left[start === "hedge" || start === "cached" ? start : "tier"]-- > 0);
    return deadline === undefined || fit.length === 0 ? one : { ...one, urgency: fit };
  });
}

export const drain: fc.Arbitrary<DrainPlan> = fc
  .record({
    at: fc.integer({ min: 0, max: 300 }),
    within: span,
    grace: maybe(50, ms),
    component: maybe(30, yes),
  })
  .map((plan) => ({ ...plan, grace: plan.grace && Math.min(plan.grace, plan.within) }));

export const shed: fc.Arbitrary<ShedPlan> = fc.record({
  pressure: maybe(50, fc.constantFrom(0.5, 0.85, 0.95)),
  eventLoopDelay: maybe(20, fc.constantFrom(20, 50)),
  tenants: maybe(30, fc.integer({ min: 1, max: 3 })),
});
