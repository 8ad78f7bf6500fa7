import { describe, expect, it } from "vitest";
import {
  type CallContext,
  explain,
  HoldfastError,
  OptionsInvalidError,
  pipe,
  protect,
  retry,
  settled,
  TimeoutError,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup, turn, watch } from "../composition/setup.ts";

const timedOut = { error: expect.objectContaining({ code: "TIMEOUT" }) };

describe("timeout", () => {
  it("ends an attempt that takes longer, and says how long it was allowed", async () => {
    const { clock } = setup();
    const answered = watch(protect("user", script<string>("never"), { timeout: "2s" })("x"));
    await clock.advance(1_999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    const { error } = answered.at as { error: TimeoutError };
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: "TIMEOUT", operation: "user", afterMs: 2_000, retryable: true });
    expect(error.message).toBe('"user" took longer than the 2 000 ms that one attempt may take.');
  });

  it("lets an answer of the last millisecond through", async () => {
    const { clock } = setup();
    const answered = watch(pipe(script<string>({ value: "ok", after: 1_999 }), timeout("2s"))("x"));
    await clock.advance("1m");
    expect(answered.at).toEqual({ value: "ok" });
  });

  it("gives each attempt its own time, and its own signal with the time-out as its reason", async () => {
    const { clock } = setup();
    const operation = script<string>("never", "never", { value: "ok", after: 900 });
    const answered = watch(pipe(operation, timeout("1s"), retry({ base: 100, jitter: "none" }))("x"));
    await clock.advance(1_000 + 100 + 1_000 + 200 + 900);
    expect(answered.at).toEqual({ value: "ok" });
    const signals = operation.calls.map(({ context }) => context.signal);
    expect(new Set(signals).size).toBe(3);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
    expect(signals.map(({ reason }) => HoldfastError.is(reason, "TIMEOUT"))).toEqual([true, true, false]);
  });

  it("one call's aborts only that attempt's signal; overlapping and later calls are untouched", async () => {
    const { clock } = setup();
    const operation = script<string>("never", { value: "second", after: 900 }, { value: "third", after: 900 });
    const call = pipe(operation, timeout("1s"));
    const first = watch(call("x"));
    await clock.advance(500);
    const second = watch(call("x"));
    await clock.advance(500);
    const third = watch(call("x"));
    expect(first.at).toEqual(timedOut);
    await clock.advance("1m");
    expect([second.at, third.at]).toEqual([{ value: "second" }, { value: "third" }]);
    expect(operation.calls.map(({ context }) => context.signal.aborted)).toEqual([true, false, false]);
  });

  it("aborts its signal neither early nor after success; an abort after the result does not replace the result", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const operation = script<string>({ value: "ok", after: 500 });
    const answered = watch(pipe(operation, timeout("1s"))("x", { signal: controller.signal }));
    await clock.advance(499);
    const [{ context }] = operation.calls as unknown as [{ context: CallContext }];
    expect(context.signal.aborted).toBe(false);
    await clock.advance(1);
    controller.abort("too late");
    await clock.advance("1m");
    expect([answered.at, context.signal.aborted]).toEqual([{ value: "ok" }, false]);
  });

  it("an operation that rejects late causes no unhandled rejection, also when the signal was aborted beforehand", async () => {
    const { clock, caller } = setup(); // which looks for unhandled rejections
    const controller = caller();
    const rejecting = async (_: string) => {
      await clock.sleep(5_000);
      throw new Error("late");
    };
    const call = pipe(rejecting, timeout("1s"));
    const [timed, aborted] = [watch(call("x")), watch(call("x", { signal: controller.signal }))];
    controller.abort("gone");
    const before = watch(call("x", { signal: controller.signal }));
    await clock.advance("1m");
    await turn();
    expect([timed.at, aborted.at, before.at]).toEqual([timedOut, { error: "gone" }, { error: "gone" }]);
  });

  it.each([
    { limit: "Infinity", after: Number.POSITIVE_INFINITY },
    { limit: "over 24.8 days", after: "600h" as const },
  ])("of $limit does not fire at once, and the signal still works", async ({ after }) => {
    const { clock, caller } = setup();
    const controller = caller();
    const operation = script<string>("never", { value: "ok", after: "500h" });
    const call = pipe(operation, timeout(after));
    const [hanging, working] = [watch(call("x", { signal: controller.signal })), watch(call("x"))];
    await clock.advance("500h");
    expect([hanging.at, working.at]).toEqual([undefined, { value: "ok" }]);
    controller.abort("gone");
    await turn();
    expect(hanging.at).toEqual({ error: "gone" });
    expect(operation.calls[0]?.context.signal.reason).toBe("gone");
  });

  it("over 24.8 days does not fire at once on the machine's own timers either", async () => {
    const call = pipe(async () => {
      await new Promise((resolve) => setTimeout(resolve, 15));
      return "ok";
    }, timeout("600h"));
    expect(await call()).toBe("ok");
  });

  it("a settled or aborted call leaves no timer", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const call = pipe(script<string>({ value: "ok" }, { error: new Error("no") }, "never"), timeout("1h"));
    await settled(call)("x");
    await settled(call)("x");
    const aborted = watch(call("x", { signal: controller.signal }));
    expect(clock.sleepers).toBe(1);
    controller.abort("gone");
    await turn();
    expect([aborted.at, clock.sleepers]).toEqual([{ error: "gone" }, 0]);
  });

  it("an own error thrown around the time-out is kept as `cause`", async () => {
    const { clock } = setup();
    const inner = pipe(script<string>("never"), timeout("1s"));
    const outer = protect("report", async (id: string, context) =>
      inner(id, context).catch((cause: unknown) => {
        throw new Error("no report today", { cause });
      }),
    );
    const answered = watch(outer("x"));
    await clock.advance("1s");
    expect(answered.at).toMatchObject({ error: { message: "no report today", cause: { code: "TIMEOUT" } } });
  });

  it("tells the bus of what it abandons, and of its true end", async () => {
    const { clock, seen } = setup();
    const answered = watch(protect("user", async () => clock.sleep(5_000), { timeout: "2s" })());
    await clock.advance("1m");
    expect(answered.at).toEqual(timedOut);
    expect(seen.of("attempt.abandoned")).toMatchObject([
      { attempt: 1, reason: "timeout", stillRunning: true, at: 2_000 },
    ]);
    expect(seen.of("attempt.failed")).toMatchObject([{ attempt: 1, kind: "timeout", elapsedMs: 2_000 }]);
    expect(seen.of("attempt.ended")).toMatchObject([{ attempt: 1, lateMs: 3_000, ok: true, at: 5_000 }]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "timedOut", elapsedMs: 2_000 }]);
  });

  it.each([0, -1, Number.NaN, "2 s", "soon", undefined, null, {}])(
    "throws when made with what is no time to wait: %s",
    (after) => {
      expect(() => timeout(after as never)).toThrow(OptionsInvalidError);
      if (after !== undefined)
        expect(() => protect("x", async () => 1, { timeout: after as never })).toThrow(/timeout: wanted milliseconds/);
    },
  );

  it("is shown in milliseconds by `explain`", () => {
    expect(explain(pipe(async () => 1, timeout("2s")))).toMatchObject([{ kind: "timeout", options: { after: 2_000 } }]);
  });
});
