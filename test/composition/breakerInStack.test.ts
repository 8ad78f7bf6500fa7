// Design rule 9, and §2 on its place: a breaker among other layers, with attempts that overlap its changes.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  adaptiveLimit,
  BreakerOpenError,
  type BreakerOptions,
  breaker,
  defineWrapper,
  HoldfastError,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { queue, setup, turn } from "./setup.ts";

const down = new Error("down");
const missing = Object.assign(new Error("missing"), { status: 404 });

const turningAway = defineWrapper("away", z.undefined(), undefined, (_, { refuse }) => ({
  bracket: { before: () => refuse(new HoldfastError("not now")) },
}));

/** A circuit, and an operation whose every call settles when the test says so. */
function overlapping(options: BreakerOptions) {
  const { clock, seen, caller } = setup();
  const circuit = breaker({ breakTime: "5s", ...options } as BreakerOptions & { key?: undefined });
  const running: PromiseWithResolvers<number>[] = [];
  const call = protect(
    "user",
    () => {
      const one = Promise.withResolvers<number>();
      running.push(one);
      return one.promise;
    },
    { breaker: circuit },
  );
  const ends: Promise<unknown>[] = [];
  return {
    clock,
    seen,
    circuit,
    caller,
    running,
    /** Begins a call; gives how to settle it. */
    start(signal?: AbortSignal) {
      const at = running.length;
      const ended = settled(call)(undefined, { signal });
      ends.push(ended);
      return {
        ended,
        refused: running.length === at,
        succeed() {
          running[at]?.resolve(1);
          return turn();
        },
        fail(error: unknown = down) {
          running[at]?.reject(error);
          return turn();
        },
      };
    },
    state: () => circuit.state.state,
  };
}

describe("a stale outcome, of an attempt begun before the breaker's last change", () => {
  it("neither closes nor prolongs an open breaker, nor tells of it again, success and failure alike", async () => {
    const { start, state, circuit, clock, seen } = overlapping({ consecutiveFailures: 1 });
    const [late, alsoLate, first] = [start(), start(), start()];
    await first.fail();
    expect(state()).toBe("open");
    await clock.advance("2s");
    await late.succeed();
    await alsoLate.fail();
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 3_000 });
    expect(seen.of("breaker.opened")).toHaveLength(1);
    expect(seen.of("breaker.ignored")).toMatchObject([{ kind: "unknown" }]);
  });

  it("neither closes nor reopens a half-open one", async () => {
    const { start, state, clock } = overlapping({ consecutiveFailures: 1 });
    const [late, alsoLate, first] = [start(), start(), start()];
    await first.fail();
    await clock.advance("5s");
    const probe = start();
    expect(probe.refused).toBe(false);
    await late.succeed();
    expect(state()).toBe("halfOpen");
    await alsoLate.fail();
    expect(state()).toBe("halfOpen");
    await probe.succeed();
    expect(state()).toBe("closed");
  });

  it("is not counted when it has closed again", async () => {
    const { start, clock, circuit } = overlapping({ consecutiveFailures: 1 });
    const [late, alsoLate, first] = [start(), start(), start()];
    await first.fail();
    await clock.advance("5s");
    await start().succeed();
    await late.fail();
    await alsoLate.succeed();
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
  });

  it("is recognised by the attempt, not by the call: a retry that began after the change counts", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    const operation = script({ error: down, after: "4s" }, { error: down });
    const call = protect("user", operation, { breaker: circuit, retry: { attempts: 2, base: "6s", jitter: "none" } });
    const ended = settled(call)(undefined);
    await clock.advance("1s");
    circuit.isolate()();
    await clock.advance("8s");
    expect(circuit.state.state).toBe("closed");
    await clock.advance("2s");
    await ended;
    expect(circuit.state.state).toBe("open");
  });

  it("of a success or a failure that began before it was closed by hand counts for nothing", async () => {
    const { start, circuit } = overlapping({ consecutiveFailures: 1 });
    const late = start();
    circuit.isolate();
    circuit.close();
    await late.fail();
    expect(circuit.state).toMatchObject({ state: "closed", failures: 0 });
  });
});

describe("a cancelled probe", () => {
  it("gives its place back and counts nothing: the next call probes", async () => {
    const { start, state, clock, caller } = overlapping({ consecutiveFailures: 1 });
    await start().fail();
    await clock.advance("5s");
    const controller = caller();
    const probe = start(controller.signal);
    expect(start().refused).toBe(true);
    controller.abort("stop");
    expect(await probe.ended).toMatchObject({ ok: false, error: "stop" });
    expect(state()).toBe("halfOpen");
    const next = start();
    expect(next.refused).toBe(false);
    await next.succeed();
    expect(state()).toBe("closed");
  });

  it.each<[how: string, inner: Operation<undefined, unknown>]>([
    ["turned away further in", turningAway(async (_: undefined) => 1)],
    ["whose failure counts for nothing (404)", script({ error: missing })],
  ])("likewise one that says nothing: %s", async (_, inner) => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    await settled(pipe(script({ error: down }), circuit))(undefined);
    await clock.advance("5s");
    await settled(pipe(inner, circuit))(undefined);
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
  });
});

describe("the rate", () => {
  it("is failures over settled, counted outcomes: what still runs is not in it", async () => {
    const { start, state, circuit } = overlapping({ failureRate: 0.5, minimumCalls: 4 });
    for (let i = 0; i < 20; i++) start();
    for (let i = 0; i < 2; i++) await start().succeed();
    await start().fail();
    expect([state(), circuit.state.calls]).toEqual(["closed", 3]);
    await start().fail();
    expect([state(), circuit.state.calls, circuit.state.failures]).toEqual(["open", 4, 2]);
  });

  it("does not know what the verdict does not count: 404, 429, the caller's abort", async () => {
    const { start, circuit, caller } = overlapping({ failureRate: 0.5, minimumCalls: 4 });
    for (let i = 0; i < 9; i++) await start().fail(missing);
    for (let i = 0; i < 9; i++) await start().fail(Object.assign(new Error("limited"), { status: 429 }));
    const controller = caller();
    const aborted = [start(controller.signal), start(controller.signal)];
    controller.abort();
    await Promise.all(aborted.map(({ ended }) => ended));
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
  });

  it("is reached exactly: at the rate it opens, just below it does not", async () => {
    const { start, state } = overlapping({ failureRate: 0.5, minimumCalls: 10 });
    for (let i = 0; i < 6; i++) await start().succeed();
    for (let i = 0; i < 5; i++) await start().fail();
    expect(state()).toBe("closed");
    await start().fail();
    expect(state()).toBe("open");
  });
});

describe("all `halfOpenCalls`", () => {
  it("must succeed to close it: one less does not", async () => {
    const { start, state, clock } = overlapping({ consecutiveFailures: 1, halfOpenCalls: 3 });
    await start().fail();
    await clock.advance("5s");
    const probes = [start(), start(), start()];
    expect(start().refused).toBe(true);
    await probes[0]?.succeed();
    await probes[1]?.succeed();
    expect(state()).toBe("halfOpen");
    await probes[2]?.succeed();
    expect(state()).toBe("closed");
  });

  it("are spoiled by one that fails", async () => {
    const { start, state, clock, seen } = overlapping({ consecutiveFailures: 1, halfOpenCalls: 3 });
    await start().fail();
    await clock.advance("5s");
    const probes = [start(), start(), start()];
    await probes[0]?.succeed();
    await probes[1]?.fail();
    await probes[2]?.succeed();
    expect(state()).toBe("open");
    expect(seen.of("breaker.opened").map(({ why, breakMs }) => [why, breakMs])).toEqual([
      ["consecutiveFailures", 5_000],
      ["probeFailed", 10_000],
    ]);
  });
});

describe("a hint", () => {
  const overloaded = Object.assign(new Error("overloaded"), { status: 503, headers: { "retry-after": "20" } });
  const limited = Object.assign(new Error("limited"), { status: 429, headers: { "retry-after": "20" } });

  it("lengthens a break opened otherwise", async () => {
    const { start, circuit } = overlapping({ consecutiveFailures: 2 });
    await start().fail(limited);
    expect(circuit.state.state).toBe("closed");
    await start().fail();
    await start().fail();
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 20_000 });
  });

  it("opens nothing by itself", async () => {
    const { start, circuit } = overlapping({ consecutiveFailures: 3 });
    for (let i = 0; i < 9; i++) await start().fail(limited);
    await start().fail(overloaded);
    expect(circuit.state).toMatchObject({ state: "closed", failures: 1 });
  });

  it("never shortens a break, and never makes it longer than `maxBreakTime`", async () => {
    const short = Object.assign(new Error("overloaded"), { status: 503, headers: { "retry-after": "1" } });
    const first = overlapping({ consecutiveFailures: 1 });
    await first.start().fail(short);
    expect(first.circuit.state.nextProbeMs).toBe(5_000);
    const second = overlapping({ consecutiveFailures: 1, maxBreakTime: "8s" });
    await second.start().fail(overloaded);
    expect(second.circuit.state.nextProbeMs).toBe(8_000);
  });
});

describe("`consecutiveFailures`", () => {
  it("replaces the rate", async () => {
    const { start, state } = overlapping({ consecutiveFailures: 3 });
    for (let i = 0; i < 20; i++) {
      await start().fail();
      await start().fail();
      await start().succeed();
    }
    expect(state()).toBe("closed");
    for (let i = 0; i < 3; i++) await start().fail();
    expect(state()).toBe("open");
  });

  it("stands beside the rate where both are written", async () => {
    const both = { consecutiveFailures: 3, failureRate: 0.5, minimumCalls: 10 };
    const byRate = overlapping(both);
    for (let i = 0; i < 5; i++) {
      await byRate.start().succeed();
      await byRate.start().fail();
    }
    expect(byRate.state()).toBe("open");
    const inARow = overlapping(both);
    for (let i = 0; i < 3; i++) await inARow.start().fail();
    expect(inARow.state()).toBe("open");
  });
});

describe("a breaker in its place", () => {
  it("refuses before anyone queues", async () => {
    setup();
    const waiting = queue();
    const circuit = breaker();
    circuit.isolate();
    const end = await settled(pipe(async () => 1, waiting.wrapper, circuit))();
    expect(end).toMatchObject({ error: expect.any(BreakerOpenError), story: { state: "notAdmitted" } });
    expect(waiting.waiting).toEqual([]);
  });

  it("takes a half-open place only after admission: who waits in a queue holds none", async () => {
    const { clock, caller } = setup();
    const waiting = queue();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    await settled(pipe(script({ error: down }), circuit))(undefined);
    await clock.advance("5s");
    const queued = pipe(script({ value: 1 }), waiting.wrapper, circuit);
    const controller = caller();
    const ended = settled(queued)(undefined, { signal: controller.signal });
    await turn();
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(await settled(pipe(script({ value: 2 }), circuit))(undefined)).toMatchObject({ ok: true, value: 2 });
    expect(circuit.state.state).toBe("closed");
    controller.abort();
    await ended;
  });

  it("turns away who was queued while it opened", async () => {
    setup();
    const waiting = queue();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    const operation = script({ value: 1 });
    const ended = settled(pipe(operation, waiting.wrapper, circuit))(undefined);
    await settled(pipe(script({ error: down }), circuit))(undefined);
    waiting.waiting[0]?.grant();
    expect(await ended).toMatchObject({ error: expect.any(BreakerOpenError), story: { state: "notAdmitted" } });
    expect(operation.calls).toEqual([]);
  });

  it("measures from the operation's start: our own queue is never mistaken for a slow service", async () => {
    const { clock } = setup();
    const waiting = queue();
    const circuit = breaker({ slowCallRate: 0.1, slowCallDuration: "1s", minimumCalls: 1 });
    const ended = settled(pipe(script({ value: 1 }), waiting.wrapper, circuit))(undefined);
    await clock.advance("30s");
    waiting.waiting[0]?.grant();
    expect(await ended).toMatchObject({ ok: true });
    expect(circuit.state.state).toBe("closed");
    const slow = settled(pipe(script({ value: 1, after: "2s" }), circuit))(undefined);
    await clock.advance("2s");
    await slow;
    expect(circuit.state.state).toBe("open");
  });

  it("sees a timeout at once, and the retry outside it costs no attempt on an open breaker", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    const operation = script<number>("never");
    const ended = settled(pipe(operation, timeout("1s"), circuit, retry({ attempts: 5 })))(undefined);
    await clock.advance("1s");
    expect(circuit.state.state).toBe("open");
    await clock.advance("5s");
    expect(await ended).toMatchObject({
      ok: false,
      error: { code: "TIMEOUT" },
      story: { state: "timedOut", attempts: 1 },
    });
  });

  it("does not count an output that was refused outside it: bad quality is no outage", async () => {
    const { clock } = setup();
    const circuit = breaker();
    const call = protect("ai", script({ value: 1 }, { value: 2 }), {
      breaker: circuit,
      output: z.string(),
      retry: { attempts: 2 },
    });
    const ended = settled(call)(undefined);
    await clock.advance("5s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "OUTPUT_REJECTED" } });
    expect(circuit.state).toMatchObject({ calls: 2, failures: 0 });
  });

  it("hears each tier's failure exactly once, at any place in the chain", async () => {
    setup();
    const circuits = [breaker(), breaker(), breaker()];
    const tiers = circuits.map((circuit, i) =>
      protect(`tier ${i}`, async () => Promise.reject(down), { breaker: circuit }),
    );
    const [first, ...others] = tiers as [() => Promise<never>];
    await settled(protect("chain", first, { fallback: others }))();
    expect(circuits.map(({ state }) => [state.calls, state.failures])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});

describe("the breaker and an adaptive limit", () => {
  it("counts none that was refused for want of a place", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const limit = adaptiveLimit({ max: 1 });
    const call = protect("x", async () => 1, { adaptiveLimit: limit, breaker: circuit });
    const permit = limit.acquire();
    expect(await settled(call)()).toMatchObject({ ok: false, error: { code: "LOAD_SHED" } });
    expect([circuit.state.state, circuit.state.calls]).toEqual(["closed", 0]);
    permit?.done({ ok: true, value: 1 });
    expect(await call()).toBe(1);
  });
});
