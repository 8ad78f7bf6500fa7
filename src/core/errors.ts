// One error for each thing a caller handles differently.
import { brief, written } from "./brief.ts";
import { spell } from "./duration.ts";
import { list, tellable } from "./findings.ts";
import type { BulkheadFullError } from "./fullError.ts";
import type { LoadShedError, RateLimitedError, ShuttingDownError } from "./loadErrors.ts";
import type { ReviewConflictError, ReviewExpiredError } from "./reviewErrors.ts";
import { BRAND } from "./shared.ts";
import type { Failure, Finding } from "./verdict.ts";

export type ErrorCode =
  | "INPUT_REJECTED"
  | "TIMEOUT"
  | "DEADLINE_EXCEEDED"
  | "BREAKER_OPEN"
  | "BULKHEAD_FULL"
  | "RATE_LIMITED"
  | "LOAD_SHED"
  | "SHUTTING_DOWN"
  | "REFUSED"
  | "OUTPUT_REJECTED"
  | "REVIEW_PENDING"
  | "REVIEW_CONFLICT"
  | "REVIEW_EXPIRED"
  | "FALLBACK_EXHAUSTED"
  | "SAGA_FAILED"
  | "STORE_CONFLICT"
  | "STORE_CORRUPT"
  | "STORE_UNAVAILABLE"
  | "STORE_FULL"
  | "OPTIONS_INVALID";

/** What an error of this code has beside what all have. */
export type ErrorOf<C extends ErrorCode> = (C extends keyof ErrorsByCode ? ErrorsByCode[C] : HoldfastError) & {
  readonly code: C;
};
/** The codes whose errors tell more than their code. */
export interface ErrorsByCode {
  INPUT_REJECTED: InputRejectedError;
  OUTPUT_REJECTED: OutputRejectedError;
  REVIEW_PENDING: ReviewPendingError;
  REVIEW_CONFLICT: ReviewConflictError;
  REVIEW_EXPIRED: ReviewExpiredError;
  FALLBACK_EXHAUSTED: FallbackExhaustedError;
  TIMEOUT: TimeoutError;
  DEADLINE_EXCEEDED: DeadlineExceededError;
  BREAKER_OPEN: BreakerOpenError;
  BULKHEAD_FULL: BulkheadFullError;
  RATE_LIMITED: RateLimitedError;
  LOAD_SHED: LoadShedError;
  SHUTTING_DOWN: ShuttingDownError;
  OPTIONS_INVALID: OptionsInvalidError;
}

export interface ErrorFacts {
  readonly code?: ErrorCode | undefined;
  /** Name of the call. */
  readonly operation?: string | undefined;
  /** May the same be tried again? */
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

// what only the keeper of stories needs: cheaper on the error itself than in a map beside it, and in nobody's log
export let tellOn: (error: HoldfastError, teller: object) => void;
export let tellerOn: (error: HoldfastError) => object | undefined;
/** Made by this copy of the package. */
export let isOwn: (error: unknown) => error is HoldfastError;

/**
 * Every error of holdfast's own; a wrapper of your own refuses with one.
 * @example
 * const slow = protect("slow", () => new Promise<never>(() => {}), { timeout: "5ms" });
 * const error = await slow().catch((error) => error);
 * if (HoldfastError.is(error, "TIMEOUT")) console.log(error.message); // → …"slow"…
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly operation: string;
  readonly retryable: boolean;
  declare readonly retryAfterMs?: number | undefined;
  /** Whoever can tell the story that ended with it. */
  #teller: object | undefined;

  static {
    tellOn = (error, teller) => {
      error.#teller = teller;
    };
    tellerOn = (error) => error.#teller;
    isOwn = (error): error is HoldfastError => typeof error === "object" && error !== null && #teller in error;
  }

  constructor(message?: string, facts: ErrorFacts = {}) {
    super(message);
    this.code = facts.code ?? "REFUSED";
    this.operation = facts.operation ?? "";
    this.retryable = facts.retryable ?? false;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    // as the language does it: not listed among the properties
    if (facts.cause !== undefined)
      Object.defineProperty(this, "cause", { value: facts.cause, configurable: true, writable: true });
  }

  /** Knows the errors of another copy of the package too, where `instanceof` does not. */
  static is(error: unknown): error is HoldfastError;
  static is<C extends ErrorCode>(error: unknown, code: C): error is ErrorOf<C>;
  static is(error: unknown, code?: ErrorCode): boolean {
    if (typeof error !== "object" || error === null) return false;
    const ours = error as { readonly [BRAND]?: true; readonly code?: ErrorCode };
    try {
      return ours[BRAND] === true && (code === undefined || ours.code === code);
    } catch {
      return false; // a proxy that throws is none of ours
    }
  }

  /** Plain facts for a log: no stack, no story, other errors in a few words. */
  toJSON(): object {
    const { name, message, cause } = this;
    const told = cause instanceof Error ? `${cause.name}: ${brief(cause)}` : written(cause, 0);
    return { ...(written({ ...this }, 0) as object), name, message, ...(cause !== undefined && { cause: told }) };
  }
}
Object.defineProperty(HoldfastError.prototype, BRAND, { value: true });
title(HoldfastError);

/** The input was refused before anything was called; every finding at once. */
export class InputRejectedError extends HoldfastError {
  readonly issues: readonly Finding[];
  constructor(operation: string, issues: readonly Finding[]) {
    super(undefined, { code: "INPUT_REJECTED", operation });
    this.issues = tellable(issues);
  }
}
says(InputRejectedError, (e) => `${named(e)} was not called: its input was refused. ${list(e.issues)}`);

/** The output was refused and nothing is left to try; it is kept here. */
export class OutputRejectedError extends HoldfastError {
  readonly findings: readonly Finding[];
  declare readonly output: unknown;
  /** It was cut off at its limit, the model refused, or a judge failed (its error is the `cause`): the same is not asked again. */
  declare readonly reason?: "cutOff" | "refusal" | "unjudged" | undefined;
  constructor(
    operation: string,
    findings: readonly Finding[],
    output: unknown,
    reason?: OutputRejectedError["reason"],
    cause?: unknown,
  ) {
    super(undefined, { code: "OUTPUT_REJECTED", operation, retryable: reason === undefined, cause });
    this.findings = tellable(findings);
    if (reason !== undefined) this.reason = reason;
    // kept for whoever asks, not for every log line that prints the error
    Object.defineProperty(this, "output", { value: output });
  }
}
says(OutputRejectedError, (e) => `${named(e)} answered, but its output was refused. ${list(e.findings)}`);

/** The output waits for a person's verdict. */
export class ReviewPendingError extends HoldfastError {
  readonly reviewId: string;
  /** `cause`: what the call would have ended with. */
  constructor(operation: string, reviewId: string, cause?: unknown) {
    super(undefined, { code: "REVIEW_PENDING", operation, cause });
    this.reviewId = reviewId;
  }
}
says(ReviewPendingError, (e) => `${named(e)} waits for a person's verdict: review ${e.reviewId}.`);

/** No tier gave an answer; the cause is the first tier's error. */
export class FallbackExhaustedError extends HoldfastError {
  readonly failures: readonly Failure[];
  /** `retryAfterMs`: when the first of them may be asked again, where each says when. */
  constructor(operation: string, failures: readonly Failure[], retryAfterMs?: number) {
    super(undefined, { code: "FALLBACK_EXHAUSTED", operation, retryAfterMs, cause: failures[0]?.error });
    this.failures = failures;
  }
}
says(FallbackExhaustedError, (e) => {
  const tiers = new Map(e.failures.map((failure) => [failure.tier, failure]));
  const tried = [...tiers.values()].map((f) => `${f.tierName} (${f.kind}: ${brief(f.error)})`);
  const again = e.retryAfterMs === undefined ? "" : ` The first may be asked again in ${spell(e.retryAfterMs)}.`;
  return `${named(e)} has no tier left: ${tried.join("; ")}.${again}`;
});

/** One attempt took longer than allowed. */
export class TimeoutError extends HoldfastError {
  readonly afterMs: number;
  constructor(operation: string, afterMs: number) {
    super(undefined, { code: "TIMEOUT", operation, retryable: true });
    this.afterMs = afterMs;
  }
}
says(TimeoutError, (e) => `${named(e)} took longer than the ${spell(e.afterMs)} that one attempt may take.`);

/** The whole call took longer than allowed. */
export class DeadlineExceededError extends HoldfastError {
  readonly lateMs: number;
  constructor(operation: string, lateMs: number) {
    super(undefined, { code: "DEADLINE_EXCEEDED", operation });
    this.lateMs = lateMs;
  }
}
says(DeadlineExceededError, (e) => `${named(e)} did not finish before its deadline and was ended.`);

/** Not called: it failed too often, or was isolated by hand. */
export class BreakerOpenError extends HoldfastError {
  readonly breaker: string;
  /** What opened it, in words. */
  readonly why: string;
  constructor(operation: string, breaker: string, why: string, nextProbeMs: number | undefined) {
    super(undefined, { code: "BREAKER_OPEN", operation, retryable: true, retryAfterMs: nextProbeMs });
    this.breaker = breaker;
    this.why = why;
  }
}
says(BreakerOpenError, (e) => {
  const next =
    e.retryAfterMs === undefined
      ? "It stays so until it is closed by hand."
      : `Next probe in ${spell(e.retryAfterMs)}.`;
  const by = e.breaker === "" || e.breaker === e.operation ? "" : ` (breaker "${e.breaker}")`;
  return `${named(e)} is not being called: ${e.why}${by}. ${next}`;
});

/** Options that cannot be meant, all problems at once, with their paths. */
export class OptionsInvalidError extends HoldfastError {
  readonly issues: readonly Finding[];
  constructor(operation: string, issues: readonly Finding[]) {
    super(undefined, { code: "OPTIONS_INVALID", operation });
    this.issues = tellable(issues);
  }
}
says(OptionsInvalidError, (e) => `The options of ${named(e)} cannot be used. ${list(e.issues)}`);

/**
 * Makes an error without a stack: a refusal is no programming mistake, its stack would tell only of holdfast, and in
 * volume the stack is what a refusal costs (some 6 µs). `stack` reads `name: message`; where that is known already it can
 * be given, and not even the place is looked for (0.2 µs).
 */
export function stackless<E extends HoldfastError>(make: () => E, stack?: string): E {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = stack === undefined ? 0 : (undefined as never);
  try {
    const error = make();
    if (stack !== undefined) error.stack = stack;
    return error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Gives the class its name and a message that is put together only when somebody reads it. */
export function says<E extends HoldfastError>(type: new (...given: never[]) => E, message: (error: E) => string): void {
  title(type);
  Object.defineProperty(type.prototype, "message", {
    configurable: true,
    get(this: E) {
      return message(this);
    },
  });
}

function title(type: { readonly name: string; readonly prototype: object }): void {
  Object.defineProperty(type.prototype, "name", { configurable: true, writable: true, value: type.name });
}

export function named(error: HoldfastError): string {
  return `"${error.operation}"`;
}
