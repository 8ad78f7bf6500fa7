// What a wrapper lays round an operation: a bracket, a recovery, or a promise-style function of a user's own.
import type { CallContext, Operation } from "./operation.ts";
import type { Outcome, Verdict } from "./verdict.ts";

/** One attempt, as a layer sees it. */
export interface Attempt {
  readonly context: CallContext;
  /** As it is at this layer: what the layer outside gave on. */
  readonly input: unknown;
  /** When the operation was begun (before that, the call): `clock.monotonic()` ms. */
  readonly startedAt: number;
  /** Grows with every attempt of the process: what began before, and what after, a change. */
  readonly serial: number;
}

/** Up to five moments of an attempt, each optional, synchronous where they can be. */
export interface Bracket {
  /** Gives the input for what is inside; refuses by `tools.refuse`; a promise is a wait that abandonment ends. */
  before?(attempt: Attempt): unknown | Promise<unknown>;
  /** All layers have admitted; may still refuse. */
  started?(attempt: Attempt): void;
  /** Answered: once, exactly where `before` passed, also when the operation was never called. No verdict: a success. A value may come with a verdict (a Response that tells of a failure). */
  after?(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void;
  /** Gives the value for what is outside; refuses by `tools.refuse`. Not asked about a failed outcome. */
  judge?(attempt: Attempt, value: unknown): unknown | Promise<unknown>;
  /** The true end: the operation itself has settled, or was never called. Once, exactly where `before` passed. */
  ended?(attempt: Attempt): void;
  /** Ms until it would admit such an input, taking nothing. */
  ready?(input: unknown): number;
}

export interface Recovery {
  /** Asked only after a failed outcome; `undefined` leaves the outcome as it is. `again` runs what is inside once more. */
  recover(
    attempt: Attempt,
    outcome: Outcome<unknown>,
    verdict: Verdict,
    again: (options?: { delayMs?: number | undefined }) => Promise<unknown>,
  ): Promise<unknown> | undefined;
  ready?(input: unknown): number;
}

/**
 * Some 350 ns dearer than a bracket; for what cannot be one. Not generic, because TypeScript cannot carry that through
 * `defineWrapper`'s own inference; the wrapper that comes of it keeps the types of what it wraps.
 */
export type PromiseStyle = (operation: Operation<unknown, unknown>) => Operation<unknown, unknown>;

export type Layer<Options = never> = (
  | { readonly bracket: Bracket }
  | { readonly recovery: Recovery }
  | { readonly around: PromiseStyle }
) & {
  readonly state?: (() => unknown) | undefined;
  /**
   * How it takes other options while it runs, for `configure`; without it they stay. It gets all of them, parsed, and may
   * throw `OptionsInvalidError`; nothing may have changed until what it gives is called, which must not fail.
   */
  change?(options: Options): () => void;
};
