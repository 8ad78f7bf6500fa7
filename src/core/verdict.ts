// What is thought of an outcome: the words that retry, breaker, fallback and metrics agree by.
import type { Cost } from "./operation.ts";

export type FailureKind =
  | "network"
  | "timeout"
  | "transient"
  | "overloaded"
  | "rateLimited"
  | "exhausted"
  | "unauthorized"
  | "tooLarge"
  | "contentFiltered"
  | "invalid"
  | "quality"
  | "cancelled"
  | "notAdmitted"
  | "bug"
  | "unknown";

/** Three answers: again here, counts against health, elsewhere. */
export interface Verdict {
  readonly kind: FailureKind;
  /** May the same be tried again here? */
  readonly retry: boolean;
  /** Does it count against the health of what was called? */
  readonly counts: boolean;
  /** May the next tier be asked? */
  readonly fallBack: boolean;
  /** What the other side asked to be left alone for. */
  readonly retryAfterMs?: number | undefined;
}

/** Wraps the standard table; `undefined`: nothing wrong with it. */
export type Classify = (seen: unknown, standard: (seen: unknown) => Verdict | undefined) => Verdict | undefined;

export type Outcome<O> = { readonly ok: true; readonly value: O } | { readonly ok: false; readonly error: unknown };

/** One thing that was tried and did not do. */
export interface Failure {
  /** What was thrown, or the value that told of a failure. */
  readonly error: unknown;
  readonly kind: FailureKind;
  readonly attempt: number;
  readonly tier: number;
  readonly tierName: string;
  /** What it had delivered, when that was refused. */
  readonly produced?: unknown;
  /** A cache gave the error, in place of any attempt: the call that had failed with it, and so long ago. */
  readonly kept?: { readonly call: string; readonly ageMs: number } | undefined;
  /** It waited for a place in this bulkhead, where the call in which it was made had one. */
  readonly waitedFor?: { readonly bulkhead: string; readonly heldBy: string } | undefined;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  readonly cost?: Cost | undefined;
}

/** What a check found wrong. */
export interface Finding {
  readonly path?: string | undefined;
  readonly got?: unknown;
  readonly wanted: string;
  readonly fix?: string | undefined;
  readonly score?: number | undefined;
}
