// What the tests of the rate limit share: one on a clock and a bus of its own.
import { setImmediate } from "node:timers/promises";
import { type CallContext, type CallOptions, eventBus, named } from "holdfast";
import { record, testClock } from "holdfast/testing";
import { type RateLimitOptions, rateLimit } from "../../src/call/rateLimit.ts";

export function setup<I = unknown>(options: RateLimitOptions<I>) {
  const clock = testClock();
  const events = eventBus();
  const seen = record(events);
  const limit = rateLimit<I>(options, { clock, events, name: "account" });
  const starts: number[] = [];
  /** Its way is the test's. */
  const begin = (act: (context: CallContext) => unknown = () => 1, input?: unknown, said?: CallOptions) => {
    const call = limit(
      named("ask", async (_: I, context: CallContext) => {
        starts.push(clock.monotonic());
        return act(context);
      }),
    );
    return watched(call(input as I, said));
  };
  return { begin, clock, events, limit, seen, starts };
}

export function watched(promise: Promise<unknown>) {
  const ended: { value?: unknown; error?: unknown; is?: "in" | "out" } = {};
  promise.then(
    (value) => Object.assign(ended, { value, is: "in" }),
    (error) => Object.assign(ended, { error, is: "out" }),
  );
  return ended;
}

export const turn = () => setImmediate();
