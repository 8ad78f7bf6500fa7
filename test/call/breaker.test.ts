// When it opens, and what a refusal says.
import {
  BreakerOpenError,
  defineWrapper,
  HoldfastError,
  named,
  type PromiseStyle,
  pipe,
  protect,
  retry,
  timeout,
} from "holdfast";
import { seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { breaker } from "../../src/call/breaker.ts";
import { down, later, never, notFound, settledWith, setup, start, well } from "./breaker-setup.ts";

describe("a closed breaker", () => {
  it("is never opened by the first failure, with defaults", async () => {
    const { circuit, come } = setup();
    for (let failures = 1; failures < 10; failures++) {
      await come(down);
      expect(circuit.state).toEqual({ state: "closed", since: start, calls: failures, failures });
    }
    await come(down);
    expect(circuit.state).toEqual({ state: "open", since: start, nextProbeMs: 5_000, calls: 10, failures: 10 });
  });

  it.each([
    { failureRate: 0.5, good: 10, opensAt: 10 },
    { failureRate: 0.3, good: 7, opensAt: 3 },
    { failureRate: 0.07, good: 93, opensAt: 7 },
    { failureRate: 1, good: 0, opensAt: 10 },
    { failureRate: 0.29, good: 71, opensAt: 29 },
  ])("opens at exactly the rate of $failureRate, not only above it", async ({ failureRate, good, opensAt }) => {
    const { circuit, come } = setup({ failureRate });
    await come(well, good);
    await come(down, opensAt - 1);
    expect(circuit.state.state).toBe("closed");
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", calls: good + opensAt, failures: opensAt });
  });

  it("stays closed just below the rate", async () => {
    const { circuit, come } = setup({ failureRate: 0.5, minimumCalls: 3 });
    await come(well, 101);
    await come(down, 100);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 201, failures: 100 });
  });

  it("is opened by a failure, never by a success", async () => {
    const { circuit, come } = setup({ minimumCalls: 4 });
    await come(down, 3);
    await come(well);
    expect(circuit.state.state).toBe("closed");
    await come(down);
    expect(circuit.state.state).toBe("open");
  });

  it("does not count failures older than the window, even if no call came in between", async () => {
    const { circuit, clock, come } = setup({ window: "10s" });
    await come(down, 9);
    await clock.advance("10s");
    expect(circuit.state).toMatchObject({ calls: 0, failures: 0 });
    await come(down, 9);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 9, failures: 9 });
  });

  it("counts an outcome when it comes, not when its call began", async () => {
    const { circuit, clock, call, come } = setup({ window: "10s", minimumCalls: 10 });
    const slow = Array.from({ length: 20 }, later);
    const pending = slow.map(({ act }) => settledWith(call(act)));
    await clock.advance("60s"); // six windows in which nothing came
    for (const { succeed } of slow) succeed();
    await Promise.all(pending);
    await come(down, 10);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 30, failures: 10 });
  });

  it("counts a success at most a tenth of the window early, where a short time-out spares it the look at the clock", async () => {
    const { circuit, clock } = setup({ window: "10s" });
    const brief = pipe((act: () => Promise<unknown>) => act(), timeout("1s", { clock }), circuit);
    const { act, succeed } = later();
    const pending = brief(act);
    await clock.advance(999);
    succeed();
    await pending;
    await clock.advance(8_000);
    expect(circuit.state.calls).toBe(1);
    await clock.advance(2_000);
    expect(circuit.state.calls).toBe(0);
  });

  it("counts a success when it comes, where a time-out does not say when that is", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const takes = (ms: number) => () => clock.sleep(ms);
    const delayed: PromiseStyle = (operation) => async (input, context) => {
      await clock.sleep(1_900);
      return operation(input, context);
    };
    const late = defineWrapper("late", z.undefined(), undefined, () => ({ around: delayed }));
    const [long, held] = [breaker({ window: "10s" }), breaker({ window: "10s" })];
    const pending = [pipe(takes(1_900), timeout("2s"), long)(), pipe(takes(50), timeout("1s"), late, held)()];
    await clock.advance("2s");
    await Promise.all(pending);
    await clock.advance(8_990);
    expect([long.state.calls, held.state.calls]).toEqual([1, 1]);
  });

  it("opens once, and for one break, when six failures settle in one tick", async () => {
    const { circuit, clock, call, come, told } = setup({ minimumCalls: 3, breakTime: "5s" });
    const calls = Array.from({ length: 6 }, later);
    const pending = calls.map(({ act }) => settledWith(call(act)));
    for (const { fail } of calls) fail();
    await Promise.all(pending);
    expect(told().filter((type) => type === "breaker.opened")).toHaveLength(1);
    await clock.advance(4_999);
    expect(circuit.state.state).toBe("open");
    await clock.advance(1);
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("counts what the verdict counts: time-outs, 5xx and bugs, but neither 404 nor 429", async () => {
    const { circuit, come, seen } = setup({ minimumCalls: 100 });
    await come(() => Promise.reject(new HoldfastError("slow", { code: "TIMEOUT" })));
    await come(() => Promise.reject(Object.assign(new Error(), { status: 502 })));
    await come(() => Promise.reject(new TypeError("x is not a function")));
    await come(notFound);
    await come(() => Promise.reject(Object.assign(new Error(), { status: 429 })));
    expect(circuit.state).toMatchObject({ calls: 3, failures: 3 });
    expect(seen.of("breaker.ignored").map(({ kind }) => kind)).toEqual(["invalid", "rateLimited"]);
  });

  it("counts a value that tells of a failure as the failure it tells of", async () => {
    const { circuit, come } = setup({ minimumCalls: 100 });
    await come(async () => new Response(null, { status: 503 }));
    await come(async () => new Response(null, { status: 404 }));
    await come(async () => new Response(null, { status: 200 }));
    expect(circuit.state).toMatchObject({ calls: 2, failures: 1 });
  });

  it("counts the caller's own cancellations neither as failure nor as success", async () => {
    const { circuit, call, seen } = setup();
    const caller = new AbortController();
    const pending = settledWith(call(never, { signal: caller.signal }));
    caller.abort(new Error("changed my mind"));
    await pending;
    expect(circuit.state).toMatchObject({ calls: 0, failures: 0 });
    expect(seen.of("breaker.ignored").map(({ kind }) => kind)).toEqual(["cancelled"]);
  });

  it("counts refusals neither as failure nor as success: its own, and those of a breaker further in", async () => {
    const { circuit, come } = setup({ minimumCalls: 2 });
    const inner = breaker();
    inner.isolate();
    const refused = inner(well);
    await come(refused, 3);
    expect(circuit.state).toMatchObject({ calls: 0, failures: 0 });
    await come(down, 2);
    await come(well, 5);
    expect(circuit.state).toMatchObject({ state: "open", calls: 2, failures: 2 });
  });

  it("counts nothing for an attempt that a layer further in turned away before its operation", async () => {
    const outer = breaker({ consecutiveFailures: 1 });
    const inner = breaker();
    inner.isolate();
    await settledWith(pipe(well, inner, outer)());
    const impatient = defineWrapper("impatient", z.undefined(), undefined, (_, { refuse }) => ({
      bracket: { before: () => refuse(new HoldfastError("too long a queue", { code: "TIMEOUT" })) },
    }));
    await settledWith(pipe(well, impatient, outer)());
    expect(outer.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
  });

  it("hears of a time-out at once, inside it or around a whole retry", async () => {
    const { circuit, clock } = setup({ minimumCalls: 100 });
    const one = pipe(never, timeout("1s", { clock }), circuit);
    const all = pipe(never, retry({ attempts: 2 }, { clock }), timeout("1s", { clock }), circuit);
    const pending = [settledWith(one()), settledWith(all())];
    await clock.advance("1s");
    await Promise.all(pending);
    expect(circuit.state).toMatchObject({ calls: 2, failures: 2 });
  });

  it("counts an operation that throws synchronously like one that rejects", async () => {
    const { circuit, come } = setup({ minimumCalls: 100 });
    const bang = () => {
      throw new Error("bang");
    };
    expect(await come(bang)).toEqual(new Error("bang"));
    expect(circuit.state).toMatchObject({ calls: 1, failures: 1 });
  });
});

describe("failures in a row", () => {
  it("open it in place of the rate, however few the calls", async () => {
    const { circuit, come, seen } = setup({ consecutiveFailures: 3 });
    await come(down, 2);
    await come(well);
    await come(down, 2);
    expect(circuit.state.state).toBe("closed");
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", calls: 6, failures: 5 });
    expect(seen.of("breaker.opened")).toMatchObject([{ why: "consecutiveFailures", failures: 5, calls: 6 }]);
  });

  it("are the only rule, unless a rate is written too", async () => {
    const alone = setup({ consecutiveFailures: 1_000, minimumCalls: 2 });
    await alone.come(down, 50);
    expect(alone.circuit.state.state).toBe("closed");
    const both = setup({ consecutiveFailures: 1_000, failureRate: 0.5, minimumCalls: 2 });
    await both.come(down, 2);
    expect(both.circuit.state.state).toBe("open");
  });

  it("are not ended by what counts neither way", async () => {
    const { circuit, come } = setup({ consecutiveFailures: 2 });
    await come(down);
    await come(notFound);
    await come(down);
    expect(circuit.state.state).toBe("open");
  });
});

describe("slow calls", () => {
  const options = { slowCallRate: 0.5, slowCallDuration: "2s", minimumCalls: 4 } as const;

  it("open it at their rate, though they succeed", async () => {
    const { circuit, clock, call, come, seen } = setup(options);
    await come(well, 2);
    for (let i = 0; i < 2; i++) {
      const { act, succeed } = later();
      const pending = call(act);
      await clock.advance(2_001);
      succeed();
      await pending;
    }
    expect(circuit.state).toMatchObject({ state: "open", calls: 4, failures: 0 });
    expect(seen.of("breaker.opened")).toMatchObject([{ why: "slowCallRate" }]);
  });

  it("are slow only if they take longer than said", async () => {
    const { circuit, clock, call } = setup({ ...options, minimumCalls: 1 });
    const { act, succeed } = later();
    const pending = call(act);
    await clock.advance(2_000);
    succeed();
    await pending;
    expect(circuit.state.state).toBe("closed");
  });

  it("may be failures too, and then count as both", async () => {
    const { circuit, clock, call, seen } = setup({ ...options, failureRate: 1, minimumCalls: 1, slowCallRate: 1 });
    const { act, fail } = later();
    const pending = settledWith(call(act));
    await clock.advance("3s");
    fail();
    await pending;
    expect(circuit.state).toMatchObject({ state: "open", failures: 1 });
    expect(seen.of("breaker.opened")).toMatchObject([{ why: "failureRate" }]);
  });

  it("are a share of all that counts, quick failures included", async () => {
    const { circuit, clock, call, come } = setup({ ...options, failureRate: 1, minimumCalls: 1, slowCallRate: 0.5 });
    await come(well);
    await come(down, 2);
    const { act, succeed } = later();
    const pending = call(act);
    await clock.advance("3s");
    succeed();
    await pending;
    expect(circuit.state).toMatchObject({ state: "closed", calls: 4 });
  });

  it("are measured from the operation's start: waiting in a queue of our own is not slowness", async () => {
    const { circuit, clock } = setup({ ...options, minimumCalls: 1, slowCallRate: 1 });
    const queued = pipe(
      named("queued", well),
      queue(() => clock.sleep(10_000)),
      circuit,
    );
    const pending = queued();
    await clock.advance("10s");
    expect(await pending).toBe("well");
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1 });
  });
});

describe("`when`", () => {
  it("decides in place of the verdict, for errors and values alike", async () => {
    const { circuit, come } = setup({
      minimumCalls: 100,
      when: (outcome, verdict) => (outcome.ok ? outcome.value === "wrong" : verdict?.kind === "invalid"),
    });
    await come(async () => "wrong");
    await come(notFound);
    await come(down);
    await come(well);
    expect(circuit.state).toMatchObject({ calls: 3, failures: 2 });
  });

  it("is not asked about a cancellation, a deadline, rejected input, or a refusal of ours", async () => {
    const asked: unknown[] = [];
    const inner = breaker();
    inner.isolate();
    const { circuit, clock, call, come } = setup({ when: (outcome) => asked.push(outcome) > 0 });
    const caller = new AbortController();
    const pending = [
      settledWith(call(never, { signal: caller.signal })),
      settledWith(call(never, { deadline: "1s" })),
      settledWith(call(never, { deadline: "3s" })),
    ];
    caller.abort();
    await clock.advance("3s");
    await Promise.all(pending);
    await come(inner(well));
    await come(() => Promise.reject(new HoldfastError("", { code: "INPUT_REJECTED" })));
    await come(() => Promise.reject(new HoldfastError("", { code: "DEADLINE_EXCEEDED" })));
    expect(asked).toEqual([]);
    expect(circuit.state).toMatchObject({ calls: 2, failures: 2 }); // the deadlines count by their verdict
  });

  it("is not asked about a limit of time further out, nor about a mistake in a function of the user's", async () => {
    const asked: unknown[] = [];
    const { circuit, clock } = setup({ when: (outcome) => asked.push(outcome) > 0 });
    const limited = pipe(never, circuit, retry({ attempts: 2 }, { clock }), timeout("1s", { clock }));
    const pending = settledWith(limited());
    await clock.advance("1s");
    await pending;
    const mistaken = defineWrapper("mistaken", z.undefined(), undefined, () => ({
      bracket: {
        after: () => {
          throw new Error("a mistake");
        },
      },
    }));
    await expect(pipe(well, mistaken, circuit)()).rejects.toThrow("a mistake");
    expect(asked).toEqual([]);
    expect(circuit.state).toMatchObject({ calls: 1, failures: 1 }); // the time it had was the whole of it
  });

  it("that throws ends the call with its error, and counts nothing", async () => {
    const { circuit, come } = setup({
      when: () => {
        throw new Error("a mistake in when");
      },
    });
    expect(await come(well)).toEqual(new Error("a mistake in when"));
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
  });

  it("that answers with a promise is told so, instead of taking every call for a failure", async () => {
    const { circuit, come } = setup({ when: (async () => false) as never });
    expect(await come(well)).toMatchObject({ message: expect.stringContaining("has to answer at once") });
    expect(circuit.state).toMatchObject({ calls: 0 });
  });
});

describe("a refusal", () => {
  it("names the call, the breaker, the cause and the ms to the next probe", async () => {
    const { clock, come } = setup({ consecutiveFailures: 1, breakTime: "30s" });
    await come(down);
    await clock.advance(600);
    const error = (await come(well)) as BreakerOpenError;
    expect(error).toBeInstanceOf(BreakerOpenError);
    expect(error).toMatchObject({
      code: "BREAKER_OPEN",
      operation: "pay",
      breaker: "ledger",
      retryable: true,
      retryAfterMs: 29_400,
      message: '"pay" is not being called: it failed too often in a row (breaker "ledger"). Next probe in 29 400 ms.',
    });
  });

  it("comes at once and calls nothing", async () => {
    const { come, seen } = setup({ consecutiveFailures: 1 });
    await come(down);
    let calls = 0;
    await come(async () => calls++, 3);
    expect(calls).toBe(0);
    expect(seen.of("breaker.refused")).toMatchObject([1, 2, 3].map(() => ({ nextProbeMs: 5_000, enforced: true })));
    expect(
      seen
        .of("call.settled")
        .slice(1)
        .map(({ state }) => state),
    ).toEqual([1, 2, 3].map(() => "notAdmitted"));
  });

  it("tells which calls, when several share one circuit", async () => {
    const { circuit, come, seen } = setup({ consecutiveFailures: 1 });
    const other = circuit(named("refund", well));
    await come(down);
    await expect(other()).rejects.toMatchObject({ operation: "refund", breaker: "ledger" });
    const ids = seen.events.map(({ call }) => call);
    const [refused] = seen.of("breaker.refused");
    expect(refused).toMatchObject({ name: "refund", component: "refund" });
    expect(ids.indexOf(refused?.call)).toBeGreaterThan(ids.indexOf(seen.of("breaker.opened")[0]?.call));
  });

  it("has no stack, for it comes in volume", async () => {
    const { come } = setup({ consecutiveFailures: 1 });
    await come(down);
    expect(((await come(well)) as Error).stack).not.toMatch(/\n\s+at /);
  });

  it("reads its own name and message there, also where several say the same", async () => {
    const { circuit, clock, come } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    const other = circuit(named("refund", well));
    await come(down);
    const limit = Error.stackTraceLimit;
    const all: unknown[] = [];
    for (let i = 0; i < 4; i++) all.push(await come(well));
    all.push(await other().catch((error: unknown) => error), await come(well));
    await clock.advance(1_500);
    for (let i = 0; i < 3; i++) all.push(await come(well));
    circuit.isolate();
    for (let i = 0; i < 3; i++) all.push(await come(well));
    for (const error of all as Error[]) expect(error.stack).toBe(`BreakerOpenError: ${error.message}`);
    expect(new Set((all as Error[]).map(({ message }) => message)).size).toBe(4);
    expect(new Set(all).size).toBe(all.length);
    expect(Object.keys(all[3] as Error)).toEqual(Object.keys(all[0] as Error));
    expect(Error.stackTraceLimit).toBe(limit);
  });
});

describe("in a declaration", () => {
  it("is the component's name that is told, and one circuit for all calls of a policy", async () => {
    const bank = protect.with("bank", { breaker: { consecutiveFailures: 1 } });
    const pay = bank("pay", down);
    const ask = bank("ask", well);
    await pay().catch(() => {});
    await expect(ask()).rejects.toMatchObject({ operation: "ask", breaker: "bank" });
  });

  it("costs an open breaker no attempt of retry", async () => {
    const { circuit, clock, come } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    await come(down);
    let calls = 0;
    const again = pipe(
      named("again", async () => ++calls),
      circuit,
      retry({ attempts: 3 }, { clock }),
    );
    await expect(again()).rejects.toBeInstanceOf(BreakerOpenError);
    expect(calls).toBe(0);
    expect(clock.sleepers).toBe(0);
  });
});

/** A layer that lets nobody in before a wait is over. */
function queue(wait: () => Promise<void>) {
  return defineWrapper("queue", z.undefined(), undefined, () => ({
    bracket: { before: ({ input }) => wait().then(() => input) },
  }));
}
