// The one shape: an operation goes into a wrapper, an operation comes out.
import type { Failure } from "./verdict.ts";

/** A number is milliseconds. */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h`;

/** How much a call matters when not all can be served. */
export type Criticality = "critical" | "normal" | "sheddable" | "background";

/** What a caller may say about one call. */
export interface CallOptions {
  /** Ends the call with the signal's own reason; a call that has not begun calls nothing. */
  readonly signal?: AbortSignal | undefined;
  /** From now; the shorter of this, `deadlineAt` and the declared one holds. */
  readonly deadline?: Duration | undefined;
  /** Epoch ms; what a context passes on. */
  readonly deadlineAt?: number | undefined;
  readonly criticality?: Criticality | undefined;
  /** One key for all attempts, tiers and hedges of the call. */
  readonly idempotencyKey?: string | undefined;
  /** Request id, tenant …: copied to events and story, added to those of an outer call. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** What of the cache is good enough. */
  readonly accept?: "any" | "fresh" | "uncached" | undefined;
  /** This once without. */
  readonly retry?: false | undefined;
  /** This once without. */
  readonly fallback?: false | undefined;
}

/** What an operation gets beside its input: plain own properties, so it survives a spread and can be handed to `fetch`, a client, or another protected call. */
export interface CallContext extends CallOptions {
  /** This attempt's own: aborted by its timeout, the deadline or the caller, never after a success. */
  readonly signal: AbortSignal;
  readonly name: string;
  readonly component: string;
  /** The story's id. */
  readonly call: string;
  /** From 1; a tier's attempts start from 1 again. */
  readonly attempt: number;
  /** From 0: the operation itself. */
  readonly tier: number;
  /** What was tried before this attempt: feedback and hand-off. */
  readonly previous: readonly Failure[];
  /** `Infinity` without a deadline. */
  remainingMs(): number;
  /** Tells what this attempt used; tellings add up. Money that is not told is worked out by `prices`, as they are now, of the model named here or before. */
  cost(spent: Cost): void;
}

export interface Cost {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  /** Nothing: not known, which is not the same as 0. */
  readonly money?: number | undefined;
  /** As the provider names it; of a sum, the last. */
  readonly model?: string | undefined;
  /** Not all of it is known: "at least". */
  readonly estimated?: boolean | undefined;
  /** Models of which tokens are in it and no price was known: `money` is without them. */
  readonly unpriced?: readonly string[] | undefined;
}

/** What a user hands in. */
export type Operation<I, O> = (input: I, context: CallContext) => Promise<O>;
/** What a user gets back: callable bare, or with options, or inside another call with its context. */
export type Protected<I, O> = (input: I, options?: CallOptions) => Promise<O>;
/** Keeps the types of what it wraps. */
export type Wrapper = <I = void, O = unknown>(operation: Operation<I, O>) => Protected<I, O>;
/** Keeps them too, for an operation of this input (a key, an estimate or a tenant is read from it). */
export type WrapperFor<I> = <O>(operation: Operation<I, O>) => Protected<I, O>;
