// A limit of time on the whole call.
import { limited } from "../core/limited.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { wrapperOf } from "../core/wrapper.ts";

export interface Deadline extends Wrapper {
  readonly kind: "deadline";
}

/**
 * Ends the call with a `DeadlineExceededError` when this time is over: checks, waits, queues, every attempt and tier
 * included, and the calls made inside it. Nothing is begun that it leaves no time for. `Infinity`: no limit.
 * @throws OptionsInvalidError when made with no duration
 * @example
 * const user = pipe(async (id: string) => ({ id }), retry(), deadline("5s"));
 * await user("ada");
 */
export function deadline(within: Duration, seams?: Partial<Seams>): Deadline {
  return wrapperOf(deadlineSpec(within), seams) as Deadline;
}

export function deadlineSpec(within: Duration): LayerSpec {
  return limited("deadline", "call", within, (ms) => ({ within: ms }));
}
