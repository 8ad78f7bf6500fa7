// Design §2: each call ends in one of the named states; story and event say the same.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  BreakerOpenError,
  breaker,
  type CallOptions,
  DeadlineExceededError,
  defineWrapper,
  eventBus,
  FallbackExhaustedError,
  fallback,
  HoldfastError,
  InputRejectedError,
  OutputRejectedError,
  type Protected,
  pipe,
  protect,
  ReviewPendingError,
  retry,
  type Settled,
  settled,
  TimeoutError,
  timeout,
} from "../../src/index.ts";
import { record, script, testClock } from "../../src/testing/index.ts";

const down = new Error("down");

function setup() {
  const clock = testClock();
  const events = eventBus();
  const seams = { clock, events, random: () => 0 };
  const seen = record(events);
  /** How the call ends, with time going by until it does. */
  async function end<I>(call: Protected<I, unknown>, input: I, options?: CallOptions): Promise<Settled<unknown>> {
    const ended = settled(call)(input, options);
    await clock.advance("1m");
    const end = await ended;
    expect(seen.of("call.settled").at(-1)?.state).toBe(end.story.state);
    return end;
  }
  const openCircuit = () => {
    const circuit = breaker({ breakTime: "1m" }, seams);
    circuit.isolate();
    return circuit;
  };
  return { clock, seams, seen, end, openCircuit };
}

describe("`succeeded`", () => {
  it("is a value of the first tier", async () => {
    const { seams, end } = setup();
    const { story, ...given } = await end(protect("user", script({ value: 1 }), { seams }), undefined);
    expect([given, story.state, story.tier, story.degraded]).toEqual([
      { ok: true, value: 1 },
      "succeeded",
      0,
      undefined,
    ]);
  });

  it("is a value of the first tier that took several attempts; the failures are in the story", async () => {
    const { seams, end } = setup();
    const call = protect("user", script({ error: down }, { value: 1 }), {
      seams,
      retry: {},
      fallback: [async () => 2],
    });
    const { story } = await end(call, undefined);
    expect([story.state, story.failures.length]).toEqual(["succeeded", 1]);
  });
});

describe("`degraded`", () => {
  it("is a value of a later tier; the story says which and why", async () => {
    const { seams, end } = setup();
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const fallback = [{ name: "copy", operation: script({ value: 2 }) }];
    const { ok, story } = await end(protect("user", script({ error: refused }), { seams, fallback }), undefined);
    expect([ok, story.state, story.tier, story.tierName]).toEqual([true, "degraded", 1, "copy"]);
    expect(story.degraded).toEqual({ reason: "network" });
    expect(story.failures[0]).toMatchObject({ error: refused, kind: "network", tierName: "user" });
  });

  it("is a value of `otherwise`; the story says which and why", async () => {
    const { seams, end } = setup();
    const call = pipe(
      script<number>({ error: down }),
      fallback([script<number>({ error: down })], { otherwise: () => 3 }, seams),
    );
    const { story, ...given } = await end(call, undefined);
    expect(given).toEqual({ ok: true, value: 3 });
    expect(story).toMatchObject({ state: "degraded", tierName: "otherwise", degraded: { reason: "unknown" } });
  });

  it("is no word for a call that failed in its last tier: nothing was delivered", async () => {
    const { seams, end } = setup();
    const call = protect("user", script({ error: down }), { seams, fallback: [script({ error: down })] });
    const { story } = await end(call, undefined);
    expect([story.state, story.tier, story.degraded]).toEqual(["failed", 1, undefined]);
  });
});

describe("`rejected`", () => {
  it("is an input that was refused: nothing was called", async () => {
    const { seams, end } = setup();
    const operation = script({ value: 1 });
    const { story, ...given } = await end(protect("user", operation, { seams, input: z.string() }), 1 as never);
    expect(given).toMatchObject({ ok: false, error: expect.any(InputRejectedError) });
    expect([story.state, story.attempts, operation.calls.length]).toEqual(["rejected", 0, 0]);
  });
});

describe("`rejected`, seen from outside", () => {
  const inner = protect("inner", async (id: string) => id, { input: z.string().min(2) });

  it("is the state of a call whose operation is the one that refused it: it has the same input", async () => {
    const { seams, end } = setup();
    expect((await end(protect("outer", inner, { seams, retry: {} }), "x")).story.state).toBe("rejected");
    expect((await end(pipe(inner, retry({}, seams)), "x")).story.state).toBe("rejected");
  });

  it("is no word for a call that merely made one with an input that was refused", async () => {
    const { seams, end } = setup();
    const outer = protect("outer", (_: string, context) => inner("x", context), { seams, retry: {} });
    const { story } = await end(outer, "a fine input");
    expect([story.state, story.attempts, story.children[0]?.state]).toEqual(["failed", 1, "rejected"]);
  });
});

describe("`flagged`", () => {
  it("is an output that is kept for a person", async () => {
    const { seams, end } = setup();
    const call = protect("draft", script({ error: new ReviewPendingError("draft", "r-1") }), { seams, retry: {} });
    const { story } = await end(call, undefined);
    expect([story.state, story.attempts]).toEqual(["flagged", 1]);
  });
});

describe("`notAdmitted`", () => {
  it("is an open breaker: the operation was not called", async () => {
    const { seams, end, openCircuit } = setup();
    const operation = script({ value: 1 });
    const { story, ...given } = await end(protect("user", operation, { seams, breaker: openCircuit() }), undefined);
    expect(given).toMatchObject({ ok: false, error: expect.any(BreakerOpenError) });
    expect([story.state, story.attempts, operation.calls.length]).toEqual(["notAdmitted", 0, 0]);
  });

  it("is a refusal of a wrapper of one's own", async () => {
    const { seams, end } = setup();
    const closed = defineWrapper("closed", z.strictObject({}), {}, (_, { refuse }) => ({
      bracket: { before: () => refuse(new HoldfastError("closed on Sundays")) },
    }));
    const { story } = await end(pipe(script({ value: 1 }), closed, retry({}, seams)), undefined);
    expect(story).toMatchObject({ state: "notAdmitted", attempts: 0 });
  });

  it("is a chain of which no tier was called", async () => {
    const { seams, end, openCircuit } = setup();
    const tier = protect("copy", script({ value: 1 }), { seams, breaker: openCircuit() });
    const call = protect("user", script({ value: 1 }), { seams, breaker: openCircuit(), fallback: [tier] });
    const { story } = await end(call, undefined);
    expect(story).toMatchObject({ state: "notAdmitted", attempts: 0 });
  });

  it("is no word for a call whose operation ran, though a later round was refused", async () => {
    const { seams, end } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" }, seams);
    const call = protect("user", script({ error: down }), { seams, breaker: circuit, retry: { attempts: 3 } });
    const { story, ...given } = await end(call, undefined);
    expect(given).toEqual({ ok: false, error: down });
    expect([story.state, story.attempts]).toEqual(["failed", 1]);
  });

  it("is no word for a call that was turned away by one that it made", async () => {
    const { seams, end, openCircuit } = setup();
    const inner = protect("inner", script({ value: 1 }), { seams, breaker: openCircuit() });
    const { story } = await end(
      protect("outer", (_: undefined, context) => inner(undefined, context), { seams }),
      undefined,
    );
    expect([story.state, story.children[0]?.state]).toEqual(["failed", "notAdmitted"]);
  });
});

describe("`timedOut`", () => {
  it("is the deadline", async () => {
    const { seams, end } = setup();
    const { story, ...given } = await end(protect("user", script("never"), { seams, deadline: "2s" }), undefined);
    expect(given).toMatchObject({ ok: false, error: expect.any(DeadlineExceededError) });
    expect([story.state, story.elapsedMs]).toEqual(["timedOut", 2_000]);
  });

  it.each<[which: string, options: CallOptions]>([
    ["in ms from now", { deadline: 2_000 }],
    ["in epoch ms", { deadlineAt: 2_000 }],
  ])("is the caller's own deadline, %s", async (_, options) => {
    const { seams, end } = setup();
    const { story } = await end(protect("user", script("never"), { seams, deadline: "1h" }), undefined, options);
    expect([story.state, story.elapsedMs]).toEqual(["timedOut", 2_000]);
  });

  it("is a deadline that was over before the call: nothing is called", async () => {
    const { seams, end } = setup();
    const operation = script({ value: 1 });
    const { story } = await end(protect("user", operation, { seams }), undefined, { deadline: 0 });
    expect([story.state, operation.calls.length]).toEqual(["timedOut", 0]);
  });

  it("is the last attempt's timeout", async () => {
    const { seams, end } = setup();
    const call = protect("user", script({ error: down }, "never"), { seams, timeout: "1s", retry: { attempts: 2 } });
    const { story, ...given } = await end(call, undefined);
    expect(given).toMatchObject({ ok: false, error: expect.any(TimeoutError) });
    expect(story.state).toBe("timedOut");
  });

  it("is no word for a call whose last attempt failed otherwise", async () => {
    const { seams, end } = setup();
    const call = protect("user", script("never", { error: down }), { seams, timeout: "1s", retry: { attempts: 2 } });
    const { story } = await end(call, undefined);
    expect([story.state, story.failures.map(({ kind }) => kind)]).toEqual(["failed", ["timeout", "unknown"]]);
  });

  it("is the timeout of the last tier, when every tier has failed", async () => {
    const { seams, end } = setup();
    const options = { seams, timeout: "1s", fallback: [script<number>("never")] } as const;
    const { story, ...given } = await end(protect("user", script<number>({ error: down }), options), undefined);
    expect(given).toMatchObject({ ok: false, error: expect.any(FallbackExhaustedError) });
    expect(story.state).toBe("timedOut");
  });

  it("is the timeout round a retry", async () => {
    const { seams, end } = setup();
    const call = pipe(script("never"), retry({}, seams), timeout("2s", seams));
    const { story } = await end(call, undefined);
    expect(story).toMatchObject({ state: "timedOut", elapsedMs: 2_000 });
  });
});

describe("`cancelled`", () => {
  it.each<[what: string, reason: unknown]>([
    ["a text", "stop"],
    ["an error", new Error("the user left")],
    ["undefined", undefined],
    ["a time-out of the caller's own", new DOMException("too late", "TimeoutError")],
    ["a deadline of another call", new DeadlineExceededError("other", 1)],
  ])("is the caller's own abort, by whatever reason: %s", async (_, reason) => {
    const { seams, end } = setup();
    const controller = new AbortController();
    const call = protect("user", script("never"), {
      seams,
      retry: {},
      deadline: "9s",
      fallback: [script({ value: 2 })],
    });
    queueMicrotask(() => controller.abort(reason));
    const { story, ...given } = await end(call, undefined, { signal: controller.signal });
    expect(given).toEqual({ ok: false, error: controller.signal.reason });
    expect(story.state).toBe("cancelled");
  });

  it("is an abort before the start: nothing is called", async () => {
    const { seams, end } = setup();
    const operation = script({ value: 1 });
    const { story } = await end(protect("user", operation, { seams }), undefined, { signal: AbortSignal.abort("no") });
    expect([story.state, story.attempts, operation.calls.length]).toEqual(["cancelled", 0, 0]);
  });

  it("is no word for an operation that aborts itself", async () => {
    const { seams, end } = setup();
    const mine = { error: new DOMException("mine", "AbortError") };
    const call = protect("user", script(mine, mine, mine), { seams, retry: { base: 0 } });
    const { story } = await end(call, undefined);
    expect([story.state, story.failures[0]?.kind, story.attempts]).toEqual(["failed", "unknown", 3]);
  });

  it("is no word for an abort that comes after the end", async () => {
    const { seams, end } = setup();
    const controller = new AbortController();
    const call = protect("user", script({ value: 1 }), { seams });
    const { story } = await end(call, undefined, { signal: controller.signal });
    controller.abort();
    expect(story.state).toBe("succeeded");
  });
});

describe("`failed`", () => {
  it.each<[what: string, error: unknown]>([
    ["an error", down],
    ["an error of a status", Object.assign(new Error("no such user"), { status: 404 })],
    ["a text", "thrown"],
    ["undefined", undefined],
    ["a bug", new TypeError("undefined is not a function")],
    ["a time-out that is none of ours", new DOMException("slow", "TimeoutError")],
  ])("is anything else: %s", async (_, error) => {
    const { seams, end } = setup();
    const { story, ...given } = await end(protect("user", script({ error }), { seams }), undefined);
    expect([given, story.state]).toEqual([{ ok: false, error }, "failed"]);
  });

  it.each<[what: string, options: CallOptions]>([
    ["a deadline that is no duration", { deadline: "soon" as never }],
    ["a negative one", { deadline: -1 }],
    ["a moment that is none", { deadlineAt: Number.NaN }],
  ])("is what the caller said and cannot have meant: %s; nothing is called", async (_, options) => {
    const { seams, end } = setup();
    const operation = script({ value: 1 });
    const { story, ...given } = await end(protect("user", operation, { seams, retry: {} }), undefined, options);
    expect(given).toMatchObject({ ok: false, error: { code: "OPTIONS_INVALID" } });
    expect([story.state, operation.calls]).toEqual(["failed", []]);
  });

  it("is an output that was refused, with nothing left to try", async () => {
    const { seams, end } = setup();
    const call = protect("user", script({ value: 1 }), { seams, output: z.string() });
    const { story, ...given } = await end(call, undefined);
    expect(given).toMatchObject({ ok: false, error: expect.any(OutputRejectedError) });
    expect(story.state).toBe("failed");
  });
});

describe("every call", () => {
  it("ends in exactly one `call.settled`, of its own id, however it ends", async () => {
    const { seams, seen, end, openCircuit } = setup();
    const calls = [
      protect("a", script({ value: 1 }), { seams }),
      protect("b", script({ error: down }, { value: 1 }), { seams, retry: {} }),
      protect("c", script<number>("never"), { seams, timeout: "1s", fallback: [script({ value: 1 })] }),
      protect("d", script("never"), { seams, deadline: "1s" }),
      protect("e", script({ value: 1 }), { seams, breaker: openCircuit() }),
      protect("f", script({ value: 1 }), { seams, input: z.number() }) as Protected<never, unknown>,
      protect("g", script({ error: down }), { seams, fallback: [script({ error: down })] }),
    ];
    const ids: string[] = [];
    for (const call of calls) ids.push((await end(call as Protected<undefined, unknown>, undefined)).story.id);
    expect(seen.of("call.settled").map(({ call }) => call)).toEqual(ids);
    expect(seen.of("call.started").map(({ call }) => call)).toEqual(ids);
    expect(new Set(ids).size).toBe(calls.length);
  });
});
