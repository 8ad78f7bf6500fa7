// The call that never rejects.
import { begin } from "./enter.ts";
import type { CallOptions, Operation, Protected } from "./operation.ts";
import type { CallRecord } from "./record.ts";
import { type Stack, stackOf } from "./stack.ts";
import type { Settled } from "./story.ts";
import { named } from "./wrapper.ts";

/**
 * Gives how a call ended and its story, in place of rejecting. `ok`: it resolved.
 * @example
 * const { ok, story } = await settled(protect("user", async (id: string) => ({ id })))("ada");
 * console.log(ok, story.state); // → true succeeded
 */
export function settled<I = void, O = unknown>(
  call: Protected<I, O>,
): (input: I, options?: CallOptions) => Promise<Settled<O>> {
  const stack = stackOf(call) ?? (stackOf(named(call.name || "anonymous", call as Operation<I, O>)) as Stack);
  return (input, options) => {
    let record: CallRecord;
    const answer = begin(stack, input, options, (call) => {
      record = call;
    });
    return answer.then(
      (value) => ({ ok: true, value: value as O, story: record.story() }),
      (error) => ({ ok: false, error, story: record.story() }),
    );
  };
}
