import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type CallContext,
  DeadlineExceededError,
  deadline,
  fallback,
  OptionsInvalidError,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, queue, setup, turn, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const overdue = { error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) };

describe("deadline", () => {
  it("ends the whole call, and says so", async () => {
    const { clock, seen } = setup();
    const answered = watch(protect("report", script<string>("never"), { deadline: "2s" })("x"));
    await clock.advance(1_999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    const { error } = answered.at as { error: DeadlineExceededError };
    expect(error).toBeInstanceOf(DeadlineExceededError);
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", operation: "report", retryable: false, lateMs: 0 });
    expect(error.message).toBe('"report" did not finish before its deadline and was ended.');
    expect(seen.of("deadline.exceeded")).toMatchObject([{ lateMs: 0, severity: "warning" }]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "timedOut", elapsedMs: 2_000 }]);
  });

  const wholes = [
    { what: "an attempt", build: () => pipe(script<string>("never"), deadline("1s")) },
    {
      what: "a back-off",
      // it leaves time for the wait, and then the attempt takes what is left
      build: () => pipe(script<string>({ error: down }, "never"), retry({ base: 900, jitter: "none" }), deadline("1s")),
    },
    { what: "a queue", build: () => pipe(script<string>({ value: "ok" }), queue().wrapper, deadline("1s")) },
    {
      what: "an async check of the input",
      build: () =>
        protect("x", script<string>({ value: "ok" }), {
          input: z.string().refine(() => new Promise<boolean>(() => {})),
          deadline: "1s",
        }),
    },
    {
      what: "an async check of the output",
      build: () =>
        protect("x", async (_: string): Promise<string> => "ok", {
          gate: { checks: [() => new Promise<never>(() => {})] },
          deadline: "1s",
        }),
    },
    {
      what: "a tier",
      build: () => pipe(script<string>({ error: down }), fallback([script<string>("never")]), deadline("1s")),
    },
    {
      what: "a call made inside",
      build: () => protect("x", (id: string, c) => protect("y", script<string>("never"))(id, c), { deadline: "1s" }),
    },
    {
      what: "several attempts together, each within its own time-out",
      build: () =>
        pipe(script<string>("never", "never", "never"), timeout(400), retry({ attempts: 9, base: 0 }), deadline("1s")),
    },
    {
      what: "a `when` that does not answer",
      build: () =>
        pipe(script<string>({ error: down }), retry({ when: () => new Promise<never>(() => {}) }), deadline("1s")),
    },
  ];

  it.each(wholes)("covers $what", async ({ build }) => {
    const { clock } = setup();
    const answered = watch(build()("x"));
    await clock.advance(999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    expect(answered.at).toEqual(overdue);
  });

  it("when it fires, nothing inside starts an attempt, a tier or a wait", async () => {
    const { clock, seen } = setup();
    const operation = script<string>("never");
    const tier = script<string>({ value: "other" });
    const call = protect("x", operation, { timeout: "1s", deadline: "1s", retry: { base: 1 }, fallback: [tier] });
    const answered = watch(call("x"));
    await clock.advance("1h");
    expect(answered.at).toMatchObject({ error: {} });
    expect([operation.calls.length, tier.calls.length, clock.sleepers]).toEqual([1, 0, 0]);
    expect(seen.of("retry.scheduled")).toEqual([]);
    expect(seen.of("fallback.used")).toEqual([]);
  });

  it("likewise a time-out round a retry: neither an attempt nor a wait follows", async () => {
    const { clock, seen } = setup();
    const operation = script<string>({ error: down, after: 900 }, "never");
    const answered = watch(pipe(operation, retry({ base: 10, jitter: "none", attempts: 9 }), timeout("1s"))("x"));
    await clock.advance("1h");
    expect(answered.at).toMatchObject({ error: { code: "TIMEOUT" } });
    expect(operation.calls).toHaveLength(2);
    expect(seen.of("retry.scheduled")).toHaveLength(1);
  });

  it("a provider that accepts and never answers costs at most `deadline`, not timeout × attempts", async () => {
    const { clock } = setup();
    const operation = script<string>(...Array.from({ length: 10 }, () => "never" as const));
    const answered = watch(
      protect("model", operation, { timeout: "20s", deadline: "30s", retry: { attempts: 10, base: 0 } })("x"),
    );
    await clock.advance("30s");
    expect(answered.at).toEqual(overdue);
    expect(operation.calls).toHaveLength(2);
  });

  it("is told to every attempt: the end in `deadlineAt`, what is left in `remainingMs()`", async () => {
    const { clock } = setup();
    const seen: [number | undefined, number][] = [];
    const operation = async (_: string, { deadlineAt, remainingMs }: CallContext) => {
      seen.push([deadlineAt, remainingMs()]);
      throw down;
    };
    const ended = settled(pipe(operation, retry({ base: 300, jitter: "none" }), deadline("1s")))("x");
    await clock.advance("1m");
    expect((await ended).ok).toBe(false);
    expect(seen).toEqual([
      [1_000, 1_000],
      [1_000, 700],
      [1_000, 100],
    ]);
  });

  it("waiting in a queue spends the deadline, not the attempt's time-out", async () => {
    const { clock } = setup();
    const { waiting, wrapper } = queue();
    const call = pipe(script<string>({ value: "ok", after: 400 }), timeout(500), wrapper, deadline("1s"));
    const [served, starved] = [watch(call("x")), watch(pipe(script<string>("never"), wrapper, deadline("1s"))("x"))];
    await clock.advance(590);
    waiting[0]?.grant();
    await clock.advance(410);
    expect([served.at, starved.at]).toEqual([{ value: "ok" }, overdue]);
  });

  it("the shorter of the declared one and the caller's holds", async () => {
    const { clock } = setup();
    const call = protect("x", async (_: string, { deadlineAt }) => deadlineAt, { deadline: "10s" });
    await clock.advance(500);
    expect(await call("x", { deadline: "4s" })).toBe(4_500);
    expect(await call("x", { deadlineAt: 3_000 })).toBe(3_000);
    expect(await call("x", { deadline: "1m" })).toBe(10_500);
  });

  it("a caller's own that is no time rejects, and calls nothing", async () => {
    setup();
    const operation = script<string>({ value: "ok" });
    const answered = watch(protect("x", operation)("x", { deadline: "soon" as never }));
    await turn();
    expect(answered.at).toMatchObject({ error: { code: "OPTIONS_INVALID", issues: [{ path: "deadline" }] } });
    expect(operation.calls).toEqual([]);
  });

  it("a back-off that would outlast it is not begun: the call ends now with what went wrong, not later with the time", async () => {
    const { clock } = setup();
    const answered = watch(
      pipe(script<string>({ error: down }), retry({ base: "5s", jitter: "none" }), deadline("4s"))("x"),
    );
    await turn();
    expect([answered.at, clock.monotonic(), clock.sleepers]).toEqual([{ error: down }, 0, 0]);
  });

  it("`Infinity` is no limit, and one over 24.8 days does not fire at once", async () => {
    const { clock } = setup();
    for (const within of [Number.POSITIVE_INFINITY, "600h"] as const) {
      const answered = watch(pipe(script<string>({ value: "ok", after: "500h" }), deadline(within))("x"));
      await clock.advance("500h");
      expect(answered.at).toEqual({ value: "ok" });
    }
  });

  it("leaves no timer behind when the call settles or is aborted", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const call = pipe(script<string>({ value: "ok" }, "never"), deadline("1h"));
    await call("x");
    const aborted = watch(call("x", { signal: controller.signal }));
    expect(clock.sleepers).toBe(1);
    controller.abort("gone");
    await turn();
    expect([aborted.at, clock.sleepers]).toEqual([{ error: "gone" }, 0]);
  });

  it("says how late it was heard, where the process was busy", async () => {
    const { clock, seen } = setup();
    const busy = { ...clock, monotonic: () => clock.monotonic() + (clock.monotonic() >= 1_000 ? 250 : 0) };
    const call = protect("x", script<string>("never"), { deadline: "1s", seams: { clock: busy } });
    const answered = watch(call("x"));
    await clock.advance("1s");
    expect(answered.at).toMatchObject({ error: { lateMs: 250 } });
    expect(seen.of("deadline.exceeded")).toMatchObject([{ lateMs: 250 }]);
  });

  it.each([0, -1, Number.NaN, "soon", null, {}])("throws when made with what is no time: %s", (within) => {
    expect(() => deadline(within as never)).toThrow(OptionsInvalidError);
    expect(() => protect("x", async () => 1, { deadline: within as never })).toThrow(/deadline: wanted milliseconds/);
  });
});

describe("caller's abort, time-out and deadline", () => {
  it("are three different rejections; the caller's reason arrives by identity through all wrappers", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const reason = { why: "navigated away" };
    const own = around((run) => (input, context) => run(input, context));
    const layers = [timeout("2s"), own, retry({ base: 0 }), fallback([async (_: string) => "other"])] as const;
    const never = () => script<string>("never", "never", "never");
    const call = pipe(never(), ...layers, deadline("10s"));
    const outer = protect("outer", (id: string, context) => call(id, context), { retry: {}, timeout: "1m" });
    const aborted = watch(outer("x", { signal: controller.signal }));
    const timed = watch(pipe(never(), timeout("2s"))("x"));
    const late = watch(pipe(never(), timeout("20s"), deadline("10s"))("x"));
    await clock.advance("1s");
    controller.abort(reason);
    await clock.advance("1m");
    expect((aborted.at as { error: unknown }).error).toBe(reason);
    expect([timed.at, late.at]).toEqual([{ error: expect.objectContaining({ code: "TIMEOUT" }) }, overdue]);
  });
});
