// Everything that can happen, as plain facts, and how much each matters.
import type { Cost, Criticality } from "./operation.ts";
import type { StoryState } from "./story.ts";
import type { FailureKind, Finding } from "./verdict.ts";

export type Severity = "info" | "warning" | "critical";
export type Health = "unknown" | "healthy" | "degraded" | "unhealthy";

/** Facts only; durations end in `Ms`. Add your own: `declare module "holdfast" { interface EventMap { "invoice.sent": { cents: number } } }` */
export interface EventMap {
  /** A call was entered; `parent` is the id of the call inside which it was made. */
  "call.started": { parent?: string | undefined };
  /** Every call ends in exactly one of these; `cost` is of its own attempts, so that a sum over calls counts nothing twice. */
  "call.settled": {
    state: StoryState;
    tier: number;
    attempts: number;
    elapsedMs: number;
    cost: Cost;
    /** Why it gave less than what was asked for first; what is stale has its age. As in the story. */
    degraded?: { readonly reason: string; readonly ageMs?: number | undefined } | undefined;
    /** Its operation only handed on what a call made in it got from a cache. */
    cached?: true | undefined;
  };
  /** The operation, or a tier's, is called. */
  "attempt.started": { attempt: number; tier: number };
  /** What it gave was no success; `counts`: against the health of what was called. */
  "attempt.failed": {
    attempt: number;
    tier: number;
    kind: FailureKind;
    counts: boolean;
    error: unknown;
    elapsedMs: number;
  };
  /** Its caller does not wait for it any more. */
  "attempt.abandoned": {
    attempt: number;
    tier: number;
    reason: "timeout" | "cancelled" | "lost";
    stillRunning: boolean;
  };
  /** The true end of an abandoned attempt. */
  "attempt.ended": { attempt: number; tier: number; lateMs: number; ok: boolean };
  /** A declared rule put an invalid input right. */
  "input.corrected": { path: string; rule: string };
  /** The input was refused: nothing is called. */
  "input.rejected": { issues: readonly Finding[] };
  /** A declared repair made an output readable. */
  "output.repaired": { repair: string };
  /** The output was refused; another try may follow. */
  "output.rejected": { attempt: number; findings: readonly Finding[] };
  /** A benchmark of money was asked of an attempt that used models without a price, and what is known was not too much: it is not refused for it. */
  "output.unpriced": { attempt: number; models: readonly string[] };
  /** A refused output is kept for a person. */
  "output.flagged": { reviewId: string; findings: readonly Finding[] };
  /** A person has decided (`by`), or nobody did in time. */
  "review.decided": {
    reviewId: string;
    verdict: "approved" | "amended" | "rejected" | "expired";
    by: string | undefined;
  };
  /** A verdict was taken back before it was handed to anybody: the review waits again. */
  "review.revoked": { reviewId: string; by: string };
  /** No place was left to keep a refused output: its call failed with it; or a verdict would have delivered what does not fit the schema: the review stays pending. */
  "review.refused": { why: "full" | "unfit"; reviewId: string | undefined; findings: readonly Finding[] };
  /** `attempt` is the one to come. */
  "retry.scheduled": { attempt: number; delayMs: number; kind: FailureKind };
  /** No try is left; `attempts` counts rounds. */
  "retry.exhausted": { attempts: number; kind: FailureKind };
  /** A later tier is asked. */
  "fallback.used": { from: string; to: string; kind: FailureKind };
  /** A tier is not asked, and why. */
  "fallback.skipped": {
    tier: string;
    reason: "breakerOpen" | "bulkheadFull" | "rateLimited" | "limitReached" | "condition" | "deadline";
  };
  /** No tier is left: the call fails. */
  "fallback.exhausted": { tiers: number };
  /** `enforced: false` in observe mode. */
  "breaker.opened": {
    failures: number;
    calls: number;
    breakMs: number;
    why: "failureRate" | "slowCallRate" | "consecutiveFailures" | "probeFailed" | "isolated";
    enforced: boolean;
  };
  /** The break is over: so many calls may try. */
  "breaker.halfOpened": { calls: number };
  /** The calls that tried have succeeded: all may call again. */
  "breaker.closed": { openMs: number };
  /** Not called: the breaker is open. */
  "breaker.refused": { nextProbeMs: number; enforced: boolean };
  /** A failure that says nothing about the health of what was called. */
  "breaker.ignored": { kind: FailureKind };
  /** No place is free: the call waits for one. */
  "bulkhead.queued": { queued: number };
  /** Not called: no place is free, in the queue neither; or none came free in time; or a more critical call, or one of a tenant that has less, took the place in the queue. */
  "bulkhead.refused": {
    running: number;
    queued: number;
    limit: number;
    reason: "full" | "queueTimeout" | "displaced" | "fairness";
    /** A call that has a place, and in which the refused one was made. */
    heldBy?: string | undefined;
  };
  /** An operation whose caller has gone still runs, so long after: its place is given to others. `abandoned` counts all that run like that. */
  "bulkhead.abandoned": { afterMs: number; running: number; abandoned: number };
  /** Another try of the same runs beside those that run. `attempt` is its number; `afterMs`: since the first was begun. */
  "hedge.started": { attempt: number; afterMs: number };
  /** Another try was due and is not begun; those that run go on. */
  "hedge.refused": { why: "budget" | "idempotent" | "deadline" | "pushback" };
  /** The budget of retries and hedges is used up: told once, until for 10 s nobody found it so. */
  "budget.spent": { left: number };
  /** A call waited for a quota and goes on now. */
  "limit.waited": { waitMs: number; quota: string };
  /** Not called: a quota is used up. */
  "limit.refused": { retryAfterMs: number; quota: string };
  /** An attempt used models without a price, and a quota of money did not hold what they cost: told once for each model. */
  "limit.unpriced": { models: readonly string[] };
  /** A limit that is found out while it runs is another one now. */
  "limit.changed": { from: number; to: number; why: "latency" | "overload" | "provider" };
  /** Not called: what matters more goes first, or nothing new is begun. */
  "call.shed": {
    criticality: Criticality;
    why: "limit" | "eventLoop" | "measure" | "fairness" | "draining";
    /** A call that has a place under the same limit, and in which the refused one was made. */
    heldBy?: string | undefined;
  };
  /** So much of the deadline is gone that a declared stage (from 1) begins. */
  "urgency.raised": { stage: number; start: string };
  /** This process, or a component of it, has begun to shut down. */
  "shutdown.started": { withinMs: number };
  /** Answered from the cache. */
  "cache.hit": { ageMs: number; stale: boolean };
  /** The cache has nothing good enough: the operation is asked. */
  "cache.missed": {};
  /** The call as a whole took too long. */
  "deadline.exceeded": { lateMs: number };
  /** 401 or 403: the credentials were not accepted. */
  "credentials.refused": { status: number };
  /** A component is seen to be better, or worse, than before. */
  "health.changed": { from: Health; to: Health; reason: string };
  /** A fetch-style handler failed: its client got a problem for an answer, or a connection cut in the middle of one. */
  "request.failed": { method: string; error: unknown };
  /** `configure` has changed a running call. */
  "options.changed": { layer: string };
  /** A listener threw, or its promise rejected, when it heard of this type; the others still heard. */
  "listener.failed": { heard: string; error: unknown };
}

export type EventType = keyof EventMap;
export type EventOf<T extends EventType> = {
  [K in T]: {
    readonly type: K;
    readonly name: string;
    readonly component: string;
    /** The story's id; `undefined` for what no call did. */
    readonly call: string | undefined;
    /** Epoch ms. */
    readonly at: number;
    readonly severity: Severity;
    readonly labels: Readonly<Record<string, string>>;
  } & Readonly<EventMap[K]>;
}[T];
export type AnyEvent = EventOf<EventType>;

/** What is not named here is `info`. */
export const severities: Readonly<Record<string, Severity>> = {
  "attempt.failed": "info",
  "input.rejected": "warning",
  "output.rejected": "warning",
  "output.unpriced": "warning",
  "limit.unpriced": "warning",
  "output.flagged": "warning",
  "review.refused": "warning",
  "retry.exhausted": "warning",
  "fallback.used": "warning",
  "fallback.exhausted": "critical",
  "breaker.opened": "critical",
  "breaker.refused": "info",
  "bulkhead.refused": "warning",
  "bulkhead.abandoned": "warning",
  "budget.spent": "warning",
  "limit.refused": "warning",
  "call.shed": "warning",
  "urgency.raised": "warning",
  "shutdown.started": "warning",
  "deadline.exceeded": "warning",
  "credentials.refused": "critical",
  "health.changed": "warning",
  "request.failed": "warning",
  "options.changed": "info",
  "listener.failed": "warning",
};
