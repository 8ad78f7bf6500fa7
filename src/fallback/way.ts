// One of the ways to an answer, as whoever may begin it knows it: by what was given, and as a segment of the call.
import type { AttemptRecord } from "../core/attempt.ts";
import type { Operation } from "../core/operation.ts";
import { type InnerRecovery, readyIn, readyThrough, type Segment } from "../core/stack.ts";
import type { Failure, Verdict } from "../core/verdict.ts";

export interface Way {
  /** As it was given: by this it is known whether it was asked before. */
  readonly operation: Operation<never, unknown>;
  readonly when: ((failure: Failure, verdict: Verdict) => boolean) | undefined;
  readonly segment: Segment;
}

/** A fallback's recovery, with its ways. */
export interface Tiered extends InnerRecovery {
  readonly ways: readonly Way[];
}

/** Ms until it would admit this input, of the call that this attempt is of. */
export function readyOf({ operation, layers }: Segment, input: unknown, asking: AttemptRecord): number {
  return Math.max(readyIn(operation, input, asking), readyThrough(layers, layers.length, input, asking));
}
