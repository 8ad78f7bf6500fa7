// The public names.
export { type AdaptiveLimit, type AdaptiveLimitOptions, adaptiveLimit } from "./call/adaptiveLimit.ts";
export type { Backoff, Jitter } from "./call/backoff.ts";
export {
  type Breaker,
  type BreakerOptions,
  type BreakerState,
  breaker,
  type KeyedBreaker,
  type Permit,
} from "./call/breaker.ts";
export { type BudgetOptions, budget } from "./call/budget.ts";
export { type Bulkhead, type BulkheadOptions, bulkhead } from "./call/bulkhead.ts";
export { type Cache, type CacheOptions, cache, type PlainCache } from "./call/cache.ts";
export { type Deadline, deadline } from "./call/deadline.ts";
export { deadlineHeaders } from "./call/deadlineHeaders.ts";
export { type Drained, type DrainOptions, drain } from "./call/drain.ts";
export { fromHeaders, type HeadersGiven } from "./call/fromHeaders.ts";
export { type Hedge, type HedgeOptions, hedge } from "./call/hedge.ts";
export { type Quota, type RateLimit, type RateLimitFor, type RateLimitOptions, rateLimit } from "./call/rateLimit.ts";
export { type Retry, type RetryOptions, retry } from "./call/retry.ts";
export { type Shed, type ShedOptions, shed } from "./call/shed.ts";
export { type Timeout, timeout } from "./call/timeout.ts";
export { type WithinOptions, within } from "./call/within.ts";
// everything of it, so that a module augmentation of "holdfast" finds Change
export * from "./configure.ts";
export type { Budget } from "./core/budget.ts";
export { type About, type EventBus, eventBus, events, type Only } from "./core/bus.ts";
export type { Check, Found } from "./core/checks.ts";
export { classify } from "./core/classify.ts";
export type { Clock, TimerEntry } from "./core/clock.ts";
export { addCost } from "./core/cost.ts";
export {
  BreakerOpenError,
  DeadlineExceededError,
  type ErrorCode,
  type ErrorFacts,
  type ErrorOf,
  type ErrorsByCode,
  FallbackExhaustedError,
  HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  OutputRejectedError,
  ReviewPendingError,
  TimeoutError,
} from "./core/errors.ts";
// everything of it, so that a module augmentation of "holdfast" finds EventMap
export * from "./core/events.ts";
export { type Explained, explain } from "./core/explain.ts";
export { BulkheadFullError } from "./core/fullError.ts";
export type { Attempt, Bracket, Layer, PromiseStyle, Recovery } from "./core/layer.ts";
export { LoadShedError, RateLimitedError, ShuttingDownError } from "./core/loadErrors.ts";
export type * from "./core/operation.ts";
export { pipe } from "./core/pipe.ts";
export type { Price } from "./core/priced.ts";
export { type Prices, prices } from "./core/prices.ts";
export { type Problem, problem } from "./core/problem.ts";
export { report } from "./core/report.ts";
export { type ReviewConflict, ReviewConflictError, ReviewExpiredError } from "./core/reviewErrors.ts";
export type { AnySchema, In, Out } from "./core/schema.ts";
export type { Seams } from "./core/seams.ts";
export { settled } from "./core/settled.ts";
export { stories, storyOf } from "./core/stories.ts";
export type { Settled, Story, StoryState } from "./core/story.ts";
export type { Classify, Failure, FailureKind, Finding, Outcome, Verdict } from "./core/verdict.ts";
export { defineWrapper, named, type Tools } from "./core/wrapper.ts";
export type { Given, Policy, PolicyOptions, Protect, ProtectOptions } from "./declaration.ts";
export { type Fallback, type FallbackOptions, fallback, type Tier } from "./fallback/fallback.ts";
export type { UrgencyStage } from "./fallback/urgency.ts";
export { type HealthHandlerOptions, healthHandler } from "./health/handler.ts";
export { type HealthOf, health, type WatchOptions } from "./health/health.ts";
export { nodeHandler } from "./health/nodeHandler.ts";
export { type Probe, type ProbeOptions, probe } from "./health/probe.ts";
export type { Readiness } from "./health/readiness.ts";
export { type Guard, type GuardOptions, guard } from "./input/guard.ts";
export type { Correction, Corrections } from "./input/rules.ts";
export type { Benchmark } from "./output/benchmark.ts";
export { type Gate, type GateOptions, gate } from "./output/gate.ts";
export { type Judged, type JudgeOptions, judge, type Opinion } from "./output/judge.ts";
export type { Repair } from "./output/repair.ts";
export type { Decision, Review } from "./output/review/entry.ts";
export type { Restored } from "./output/review/restore.ts";
export { type KeepReviews, type ReviewQueue, reviews } from "./output/review.ts";
export { protect, standard } from "./protect.ts";
