// What follows a break: probes, longer breaks, closing, a ramp.
import { BreakerOpenError, defineWrapper, HoldfastError, pipe } from "holdfast";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { BreakerOptions } from "../../src/call/breaker.ts";
import { down, later, never, notFound, settledWith, setup, start, well } from "./breaker-setup.ts";

const trips = { consecutiveFailures: 1, breakTime: "5s" } as const;

/** One that has opened, and whose break is over. */
async function probing(options: BreakerOptions & { key?: undefined } = {}, random?: () => number) {
  const all = setup({ ...trips, ...options }, random);
  await all.come(down);
  await all.clock.advance("5s");
  return all;
}

describe("when the break is over", () => {
  it("the reported state says so before any call arrives", async () => {
    const { circuit, clock, come, told } = setup(trips);
    await come(down);
    await clock.advance(4_999);
    expect(circuit.state).toMatchObject({ state: "open", since: start, nextProbeMs: 1 });
    await clock.advance(1);
    expect(circuit.state).toEqual({ state: "halfOpen", since: start + 5_000, nextProbeMs: 0, calls: 1, failures: 1 });
    expect(told()).toEqual(["breaker.opened"]);
  });

  it("one probe that succeeds closes it, and each step is told", async () => {
    const { circuit, come, seen, told } = await probing();
    expect(await come(well)).toBe("well");
    expect(circuit.state).toEqual({ state: "closed", since: start + 5_000, calls: 0, failures: 0 });
    expect(told()).toEqual(["breaker.opened", "breaker.halfOpened", "breaker.closed"]);
    expect(seen.of("breaker.opened")).toMatchObject([{ failures: 1, calls: 1, breakMs: 5_000, enforced: true }]);
    expect(seen.of("breaker.halfOpened")).toMatchObject([{ calls: 1 }]);
    expect(seen.of("breaker.closed")).toMatchObject([{ openMs: 5_000, name: "pay" }]);
  });

  it("its closing tells for how long it was not closed, whenever it had opened", async () => {
    const { clock, come, seen } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    await clock.advance("90s");
    await come(down);
    await clock.advance("7s");
    await come(well);
    expect(seen.of("breaker.closed")).toMatchObject([{ openMs: 7_000 }]);
  });

  it("only the configured probes run; others are refused at once, not queued behind them", async () => {
    const { call, come, circuit } = await probing({ halfOpenCalls: 2 });
    const probes = [later(), later()];
    const running = probes.map(({ act }) => call(act));
    const refused = await come(well);
    expect(refused).toBeInstanceOf(BreakerOpenError);
    expect((refused as Error).message).toContain("and is being tried by other calls");
    for (const { succeed } of probes) succeed();
    expect(await Promise.all(running)).toEqual(["late", "late"]);
    expect(circuit.state.state).toBe("closed");
  });

  it("with n successes asked for, n-1 do not close it", async () => {
    const { come, circuit } = await probing({ halfOpenCalls: 3 });
    await come(well, 2);
    expect(circuit.state.state).toBe("halfOpen");
    await come(well);
    expect(circuit.state.state).toBe("closed");
  });

  it("one failure among the probes opens it again, though others succeeded", async () => {
    const { come, circuit, seen } = await probing({ halfOpenCalls: 3 });
    await come(well, 2);
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 10_000, calls: 3, failures: 1 });
    expect(seen.of("breaker.opened")[1]).toMatchObject({ why: "probeFailed", failures: 1, calls: 3, breakMs: 10_000 });
    expect(((await come(well)) as Error).message).toContain("it failed again when it was tried");
  });

  it("a probe slower than what is slow has not succeeded", async () => {
    const { clock, call, circuit } = await probing({ slowCallRate: 0.5, slowCallDuration: "1s" });
    const { act, succeed } = later();
    const running = call(act);
    await clock.advance("2s");
    succeed();
    await running;
    expect(circuit.state.state).toBe("open");
  });

  it("after closing the window is empty: it takes the full number of failures again", async () => {
    const { come, clock, circuit } = setup({ minimumCalls: 5, window: "1h" });
    await come(down, 5);
    await clock.advance("5s");
    await come(well);
    await come(down, 4);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 4, failures: 4 });
    await come(down);
    expect(circuit.state.state).toBe("open");
  });
});

describe("a call begun before the break that settles during open or half-open", () => {
  it.each(["succeed", "fail"] as const)(
    "neither closes, reopens, prolongs nor announces again (it comes to: %s)",
    async (end) => {
      const { call, clock, circuit, come, told } = setup(trips);
      const [duringOpen, duringHalfOpen, afterClosing] = [later(), later(), later()];
      const old = [duringOpen, duringHalfOpen, afterClosing].map(({ act }) => settledWith(call(act)));
      await come(down);
      await clock.advance("1s");
      duringOpen[end]();
      await old[0];
      expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 4_000 });
      await clock.advance("4s");
      const probe = later();
      const probed = call(probe.act);
      duringHalfOpen[end]();
      await old[1];
      expect(circuit.state.state).toBe("halfOpen");
      expect(await come(well)).toBeInstanceOf(BreakerOpenError); // the place is still the probe's
      probe.succeed();
      await probed;
      afterClosing[end]();
      await old[2];
      expect(circuit.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
      expect(told().filter((type) => type !== "breaker.ignored" && type !== "breaker.refused")).toEqual([
        "breaker.opened",
        "breaker.halfOpened",
        "breaker.closed",
      ]);
    },
  );
});

describe("half-open never hangs: a probe", () => {
  it("that is ignored by `when` gives its place back", async () => {
    const { come, circuit } = await probing({ when: (o) => !o.ok && (o.error as Error).message === "down" });
    await come(notFound);
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("whose failure does not count gives its place back, and is neither failure nor success", async () => {
    const { come, circuit, seen } = await probing();
    await come(notFound, 3);
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(seen.of("breaker.ignored")).toHaveLength(3);
  });

  it("that is cancelled gives its place back", async () => {
    const { call, come, circuit } = await probing();
    const caller = new AbortController();
    const pending = settledWith(call(never, { signal: caller.signal }));
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    caller.abort();
    await pending;
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(await come(well)).toBe("well");
  });

  it("that is refused further in gives its place back, whether before or when it starts", async () => {
    const { circuit } = await probing();
    for (const moment of ["before", "started"] as const) {
      const full = pipe(well, refusing(moment), circuit);
      await expect(full()).rejects.toMatchObject({ message: "full" });
      expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    }
  });

  it("whose `when` throws gives its place back", async () => {
    let throws = true;
    const { come, circuit } = await probing({
      when: (o) => {
        if (o.ok && throws) throw new Error("a mistake in when");
        return !o.ok;
      },
    });
    expect(await come(well)).toEqual(new Error("a mistake in when"));
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    throws = false;
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("that never settles keeps its place no longer than its lease", async () => {
    const { call, clock, come, circuit } = await probing();
    void call(never);
    const refused = (await come(well)) as BreakerOpenError;
    expect(refused.retryAfterMs).toBe(1_000); // when to look again: its place comes back with the probe's answer
    await clock.advance(9_999);
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 1 });
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    await clock.advance(1);
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("has as long as the break was, where that is longer", async () => {
    const { call, clock, come } = setup({ consecutiveFailures: 1, breakTime: "30s" });
    await come(down);
    await clock.advance("30s");
    void call(never);
    await clock.advance(29_999);
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    await clock.advance(1);
    expect(await come(well)).toBe("well");
  });

  it("that settles after its lease counts all the same: slow probes can close it", async () => {
    const { call, clock, circuit } = await probing();
    const first = later();
    const running = call(first.act);
    await clock.advance("10s");
    const second = later();
    const alsoRunning = call(second.act);
    first.succeed();
    await running;
    expect(circuit.state.state).toBe("closed");
    second.fail(); // begun before it was closed
    await settledWith(alsoRunning);
    expect(circuit.state).toMatchObject({ state: "closed", failures: 0 });
  });
});

describe("admission", () => {
  it("takes a place only when all layers further in have admitted: who queues there holds none", async () => {
    const { circuit, come, clock } = await probing();
    const queued = pipe(
      well,
      waiting(() => clock.sleep(60_000)),
      circuit,
    );
    const pending = queued();
    expect(await come(well)).toBe("well"); // the place was free
    expect(circuit.state.state).toBe("closed");
    await clock.advance("60s");
    expect(await pending).toBe("well");
  });

  it("makes a probe of who has queued further in since before the break", async () => {
    const { circuit, come, clock } = setup(trips);
    const queued = pipe(
      well,
      waiting(() => clock.sleep(60_000)),
      circuit,
    );
    const pending = queued();
    await come(down);
    await clock.advance("60s");
    expect(await pending).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("is looked at again when a queue further in is over: what opened meanwhile is not called", async () => {
    const { circuit, clock, come } = setup({ consecutiveFailures: 1, breakTime: "10m", maxBreakTime: "10m" });
    let calls = 0;
    const queued = pipe(
      async () => ++calls,
      waiting(() => clock.sleep(60_000)),
      circuit,
    );
    const pending = queued().catch((error: unknown) => error);
    await come(down);
    await clock.advance("60s");
    expect(await pending).toBeInstanceOf(BreakerOpenError);
    expect(calls).toBe(0);
  });
});

describe("break time", () => {
  it("grows with each failed probe up to a cap, starts over after closing, and needs no state of the user's", async () => {
    const { come, clock, seen } = setup({ ...trips, maxBreakTime: "30s" });
    await come(down);
    for (const ms of [5_000, 10_000, 20_000, 30_000]) {
      await clock.advance(ms);
      await come(down);
    }
    await clock.advance(30_000);
    await come(well);
    await come(down);
    expect(seen.of("breaker.opened").map(({ breakMs }) => breakMs)).toEqual([
      5_000, 10_000, 20_000, 30_000, 30_000, 5_000,
    ]);
  });

  it("has its cap also after a thousand failed probes", async () => {
    const { come, clock, circuit } = setup({ ...trips, breakTime: 1, maxBreakTime: "10s" });
    await come(down);
    for (let i = 0; i < 1_100; i++) {
      await clock.advance("10s");
      await come(down);
    }
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 10_000 });
  });

  it("is lengthened by a hint of the failure that opened it", async () => {
    const { come, circuit } = setup(trips);
    await come(() => Promise.reject(busy("20")));
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 20_000 });
  });

  it("is lengthened by a hint that came with a failure that does not count, which opens nothing itself", async () => {
    const { come, clock, circuit } = setup(trips);
    await come(() => Promise.reject(limited("20")));
    expect(circuit.state.state).toBe("closed");
    await clock.advance("5s");
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 15_000 });
  });

  it("is as long as the longest hint of several, of those since it was closed", async () => {
    const { come, circuit } = setup(trips);
    await come(() => Promise.reject(limited("50")));
    await come(() => Promise.reject(busy("10")));
    expect(circuit.state.nextProbeMs).toBe(50_000);
    circuit.close();
    await come(down);
    expect(circuit.state.nextProbeMs).toBe(5_000);
  });

  it("is never shortened by a hint, nor made longer than its cap", async () => {
    const short = setup(trips);
    await short.come(() => Promise.reject(busy("1")));
    expect(short.circuit.state).toMatchObject({ nextProbeMs: 5_000 });
    const long = setup({ ...trips, maxBreakTime: "30s" });
    await long.come(() => Promise.reject(busy("3600")));
    expect(long.circuit.state).toMatchObject({ nextProbeMs: 30_000 });
  });

  it("is not lengthened by the refusals of a breaker further in", async () => {
    const { come, circuit } = setup(trips);
    await come(() => Promise.reject(new HoldfastError("no", { code: "BREAKER_OPEN", retryAfterMs: 50_000 })));
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 5_000 });
  });
});

describe("the ramp", () => {
  it("lets a share of calls through that grows with time from a tenth to all", async () => {
    let drawn = 0;
    const { come, clock } = await probing({ ramp: "10s" }, () => drawn);
    await come(well);
    const admitted = async (random: number) => {
      drawn = random;
      return (await come(well)) === "well";
    };
    expect([await admitted(0.099), await admitted(0.1)]).toEqual([true, false]);
    await clock.advance("5s");
    expect([await admitted(0.499), await admitted(0.5)]).toEqual([true, false]);
    await clock.advance("4s");
    expect([await admitted(0.899), await admitted(0.9)]).toEqual([true, false]);
    await clock.advance("1s");
    expect(await admitted(0.999)).toBe(true);
  });

  it("says of those it turns away that it is ramping up, and when it will be over", async () => {
    const { come, clock, circuit } = await probing({ ramp: "10s" }, () => 0.95);
    await come(well);
    await clock.advance("4s");
    const refused = (await come(well)) as BreakerOpenError;
    expect(refused).toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: 6_000 });
    expect(refused.message).toContain("it is ramping up after a break");
    expect(circuit.state.state).toBe("closed");
  });

  it("holds for permits too, and not for one that was never open", async () => {
    const { come, clock, circuit } = await probing({ ramp: "10s" }, () => 0.95);
    await come(well);
    expect(circuit.acquire()).toBeUndefined();
    await clock.advance("10s");
    expect(circuit.acquire()).toBeDefined();
    circuit.close();
    expect(circuit.acquire()).toBeDefined();
  });

  it("is off by default, and draws no chance where there is none", async () => {
    let draws = 0;
    const { come } = await probing({}, () => ++draws);
    await come(well, 10);
    expect(draws).toBe(0);
  });
});

function busy(seconds: string): Error {
  return Object.assign(new Error("busy"), { status: 503, headers: { "retry-after": seconds } });
}

function limited(seconds: string): Error {
  return Object.assign(new Error("too many"), { status: 429, headers: { "retry-after": seconds } });
}

/** A layer that is full. */
function refusing(moment: "before" | "started") {
  return defineWrapper("full", z.undefined(), undefined, (_, { refuse }) => ({
    bracket: { [moment]: () => refuse(new HoldfastError("full")) },
  }));
}

/** A layer that lets nobody in before a wait is over. */
function waiting(wait: () => Promise<void>) {
  return defineWrapper("queue", z.undefined(), undefined, () => ({
    bracket: { before: ({ input }) => wait().then(() => input) },
  }));
}
