// A limit of time on one attempt.
import { limitSchema } from "../core/duration.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { parseOptions, wrapperOf } from "../core/wrapper.ts";

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
  const ms = parseOptions("timeout", limitSchema, after);
  return wrapperOf(timeoutSpec(ms), seams) as Timeout;
}

export function timeoutSpec(ms: number): LayerSpec {
  return { kind: "timeout", options: { after: ms }, layer: { limit: "attempt", ms } };
}
