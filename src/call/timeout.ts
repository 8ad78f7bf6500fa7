// A limit of time on one attempt.
import { limited } from "../core/limited.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { wrapperOf } from "../core/wrapper.ts";

export interface Timeout extends Wrapper {
  readonly kind: "timeout";
}

/**
 * Ends an attempt that takes longer, with a `TimeoutError`; its own signal is aborted, no other attempt is touched.
 * Waiting in a queue does not count. Round a retry it ends all rounds together. `Infinity`: no limit.
 * @throws OptionsInvalidError when made with no duration
 * @example
 * const user = timeout("2s")(async (id: string) => ({ id }));
 * await user("ada");
 */
export function timeout(after: Duration, seams?: Partial<Seams>): Timeout {
  return wrapperOf(timeoutSpec(after), seams) as Timeout;
}

export function timeoutSpec(after: Duration): LayerSpec {
  return limited("timeout", "attempt", after, (ms) => ({ after: ms }));
}
