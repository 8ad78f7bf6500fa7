// What ends a retry from outside, and what it leaves behind.
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { type CallContext, pipe, protect, retry, settled, timeout } from "../../src/index.ts";
import { script, testClock } from "../../src/testing/index.ts";
import { setup, turn, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const slow = { base: "10s", jitter: "none" } as const;

describe("an abort during back-off", () => {
  it("rejects within a tick with the caller's reason, clears the timer, and the operation is not called again", async () => {
    const { clock, caller } = setup();
    const operation = script<string>({ error: down }, { value: "too late" });
    const controller = caller();
    const reason = new Error("navigated away");
    const answered = watch(pipe(operation, retry(slow))("x", { signal: controller.signal }));
    await turn();
    expect(clock.sleepers).toBe(1);
    controller.abort(reason);
    expect(clock.sleepers).toBe(0);
    await Promise.resolve();
    await turn();
    expect((answered.at as { error: unknown }).error).toBe(reason);
    await clock.advance("1h");
    expect(operation.calls).toHaveLength(1);
  });

  it("also while an open breaker is waited for", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const call = protect("x", script<string>({ error: down }), {
      breaker: { consecutiveFailures: 1, breakTime: 500 },
      retry: { attempts: 1 },
    });
    await settled(call)("x");
    const answered = watch(call("x", { signal: controller.signal }));
    await turn();
    expect(clock.sleepers).toBe(1);
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
  });
});

describe("an abort during an attempt", () => {
  it("ends the call at once even if the operation ignores it; no back-off starts on an aborted signal", async () => {
    const { clock, caller, seen } = setup();
    const controller = caller();
    const operation = script<string>("never");
    const answered = watch(pipe(operation, retry(slow))("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    expect([clock.sleepers, operation.calls.length]).toEqual([0, 1]);
    expect(seen.of("retry.scheduled")).toEqual([]);
  });

  it("that the operation answers with an error of its own starts none either", async () => {
    const { clock, caller, seen } = setup();
    const controller = caller();
    const operation = (_: string, { signal }: CallContext) =>
      new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(down), { once: true }));
    const answered = watch(pipe(operation, retry(slow))("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    expect(clock.sleepers).toBe(0);
    expect(seen.of("retry.scheduled")).toEqual([]);
  });

  it("by the operation's own failure and the abort in one moment calls nothing again", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    let calls = 0;
    const operation = async (_: string) => {
      calls++;
      controller.abort("gone");
      throw down;
    };
    const answered = watch(pipe(operation, retry({ base: 0 }))("x", { signal: controller.signal }));
    await clock.advance("1h");
    expect([answered.at, calls]).toEqual([{ error: "gone" }, 1]);
  });

  it("while `when` is being asked ends the call at once", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const operation = script<string>({ error: down }, { value: "too late" });
    const when = async () => {
      await clock.sleep(1_000);
      return true;
    };
    const answered = watch(pipe(operation, retry({ ...slow, when }))("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    await clock.advance("1h");
    expect(operation.calls).toHaveLength(1);
  });
});

describe("a caller's own expired signal", () => {
  it.each([
    { what: "a network error as its cause", cause: Object.assign(new Error("socket"), { code: "ECONNRESET" }) },
    { what: "an HTTP status of 503 as its cause", cause: Object.assign(new Error("busy"), { status: 503 }) },
  ])("is never retried, even when the error's `cause` looks transient: $what", async ({ cause }) => {
    const { clock, caller, seen } = setup();
    const controller = caller();
    const expired = new DOMException("The operation timed out.", { name: "TimeoutError", cause } as never);
    const operation = script<string>({ error: new Error("wrapped", { cause }), after: 10 }, { value: "too late" });
    const call = protect("x", operation, { retry: { base: 1 }, breaker: { consecutiveFailures: 1 } });
    const answered = watch(call("x", { signal: controller.signal }));
    await turn();
    controller.abort(expired);
    await clock.advance("1m");
    expect((answered.at as { error: unknown }).error).toBe(expired);
    expect(operation.calls).toHaveLength(1);
    expect(seen.of("call.settled")).toMatchObject([{ state: "cancelled" }]);
    expect(seen.of("breaker.opened")).toEqual([]);
  });

  it("aborted before the start: not called, rejects, never hangs", async () => {
    setup();
    const operation = script<string>({ value: "never asked" });
    const answered = watch(pipe(operation, retry(slow))("x", { signal: AbortSignal.abort("gone") }));
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    expect(operation.calls).toEqual([]);
  });
});

describe("after 1,000 retried calls", () => {
  it("the caller's long-lived signal has no listener left", async () => {
    const { clock, caller } = setup();
    const { signal } = caller();
    const calls = Array.from({ length: 1_000 }, () =>
      pipe(script<string>({ error: down }, { error: down }, { value: "ok" }), timeout("1s"), retry())("x", { signal }),
    );
    expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
    await clock.advance("1m");
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["ok"]));
    expect([getEventListeners(signal, "abort").length, clock.sleepers]).toEqual([0, 0]);
  });
});

describe("rounds without a wait between them", () => {
  it("starve no timer, on the real clock either", async () => {
    let calls = 0;
    const operation = async () => {
      calls++;
      throw down;
    };
    const firedAfter = new Promise<number>((resolve) => setTimeout(() => resolve(calls), 0));
    expect(await settled(pipe(operation, retry({ attempts: 2_000, base: 0 })))()).toMatchObject({ ok: false });
    expect(await firedAfter).toBeLessThan(100);
    expect(calls).toBe(2_000);
  });
});

describe("AsyncLocalStorage", () => {
  it("is the caller's in the second attempt, after a wait and after a time-out alike", async () => {
    const { clock } = setup();
    const store = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    let calls = 0;
    const operation = async (id: string) => {
      seen.push(`${id}: ${store.getStore()}`);
      if (calls++ < 3)
        await new Promise(() => {}); // the first of each times out
      else if (calls <= 6) throw down;
      return id;
    };
    const call = pipe(operation, timeout("1s"), retry());
    const all = ["a", "b", "c"].map((id) => store.run(id, () => call(id)));
    await clock.advance("1m");
    expect(await Promise.all(all)).toEqual(["a", "b", "c"]);
    expect(seen.toSorted()).toEqual(["a: a", "a: a", "a: a", "b: b", "b: b", "b: b", "c: c", "c: c", "c: c"]);
  });
});

describe("a deadline that comes while it is being decided whether to go on", () => {
  it("is what the call ends with, at whatever look at the clock it has come", async () => {
    const ends: unknown[] = [];
    for (let looks = 1; looks <= 40; looks++) {
      const clock = testClock();
      let left = Number.POSITIVE_INFINITY;
      const running = { ...clock, monotonic: () => clock.monotonic() + (left-- > 0 ? 0 : 1) };
      const operation = async () => {
        await clock.sleep(99);
        left = looks;
        throw down;
      };
      const call = protect("x", operation, {
        ...({ deadline: 100, retry: { attempts: 100, base: 0 } } as const),
        seams: { clock: running },
      });
      const answered = settled(call)();
      await clock.advance(100);
      const { error } = (await answered) as { error?: unknown };
      ends.push((error as { code?: string }).code);
    }
    expect(new Set(ends)).toEqual(new Set(["DEADLINE_EXCEEDED"]));
  });
});
