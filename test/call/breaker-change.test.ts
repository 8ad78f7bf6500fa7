// A breaker whose options are changed while it runs: its state goes on.
import * as fc from "fast-check";
import { BreakerOpenError, configure, explain } from "holdfast";
import CircuitBreaker from "opossum";
import { describe, expect, it, vi } from "vitest";
import { RollingWindow } from "../../src/call/breaker/window.ts";
import { type BreakerOptions, breaker } from "../../src/call/breaker.ts";
import { down, later, setup as made, settledWith, start, well } from "./breaker-setup.ts";

function setup(options: BreakerOptions & { key?: undefined } = {}, random?: () => number) {
  const all = made(options, random);
  return { ...all, change: (breaker: BreakerOptions) => configure(all.call, { breaker }) };
}

describe("what a closed breaker has counted", () => {
  it("survives every change of a number: a new engine of opossum takes over the window", async () => {
    const { change, circuit, come } = setup({ minimumCalls: 100, failureRate: 0.9 });
    await come(well, 3);
    await come(down, 6);
    for (const one of [{ minimumCalls: 10 }, { failureRate: 0.5 }, { window: "20s" }, { ramp: "1s" }] as const) {
      change(one);
      expect(circuit.state).toMatchObject({ state: "closed", calls: 9, failures: 6 });
    }
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", calls: 10, failures: 7 });
  });

  it("grows old in the new engine as it would have in the old one", async () => {
    const { change, circuit, clock, come } = setup({ window: "10s" });
    await come(down, 4);
    await clock.advance("4s");
    await come(down, 3);
    change({ minimumCalls: 50 });
    await clock.advance("5999ms");
    expect(circuit.state).toMatchObject({ calls: 7, failures: 7 });
    await clock.advance("1ms");
    expect(circuit.state).toMatchObject({ calls: 3, failures: 3 });
    await clock.advance("4s");
    expect(circuit.state).toMatchObject({ calls: 0, failures: 0 });
  });

  it("is, after a shorter window, what is no older than that; after a longer one, all of it and longer", async () => {
    const { change, circuit, clock, come } = setup({ window: "10s" });
    await come(down, 4);
    await clock.advance("6s");
    await come(down, 3);
    change({ window: "5s" });
    expect(circuit.state).toMatchObject({ calls: 3 });
    change({ window: "1m" });
    await clock.advance("50s");
    expect(circuit.state).toMatchObject({ calls: 3 });
    await clock.advance("10s");
    expect(circuit.state).toMatchObject({ calls: 0 });
  });

  it("is also how many failures came in a row", async () => {
    const { change, circuit, come } = setup({ consecutiveFailures: 9 });
    await come(down, 2);
    change({ consecutiveFailures: 3 });
    await come(down);
    expect(circuit.state.state).toBe("open");
  });

  it("is also how many were slow; slowness that was not judged before begins with nothing", async () => {
    const { change, circuit, clock, call } = setup({ minimumCalls: 2, slowCallRate: 1, slowCallDuration: "1s" });
    const slowly = async () => {
      const { act, succeed } = later();
      const running = call(act);
      await clock.advance("2s");
      succeed();
      await running;
    };
    await slowly();
    change({ failureRate: 0.9 });
    await slowly();
    expect(circuit.state.state).toBe("open");

    const other = setup({ minimumCalls: 2 });
    await other.come(well, 5);
    other.change({ slowCallRate: 0.1, slowCallDuration: "1s" });
    const { act, succeed } = later();
    const running = other.call(act);
    await other.clock.advance("2s");
    succeed();
    await running;
    expect(other.circuit.state).toMatchObject({ state: "closed", calls: 6 });
  });

  it("never makes a change open it: the next failure does", async () => {
    const { change, circuit, come, told } = setup({ minimumCalls: 100 });
    await come(down, 20);
    change({ minimumCalls: 10 });
    await come(well);
    expect([circuit.state.state, told()]).toEqual(["closed", []]);
    await come(down);
    expect([circuit.state.state, told()]).toEqual(["open", ["breaker.opened"]]);
  });

  it("is in no window longer than that window is, whatever it was before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 200 }), { maxLength: 30 }), // hundredths of a slot of the window before
        fc.integer({ min: 10, max: 30_000 }),
        fc.integer({ min: 10, max: 30_000 }),
        fc.nat({ max: 110 }), // hundredths of the window after
        (gaps, before, after, wait) => {
          let now = 0;
          const events: number[] = [];
          const rule = { rate: undefined, minimumCalls: 1 };
          const rounding = 1e-6;
          const old = new RollingWindow({ ...rule, window: before }, now);
          for (const gap of gaps) {
            now += (gap * before) / 1_000;
            old.success(now);
            events.push(now);
          }
          const counted = old.counts(now).calls;
          const taken = new RollingWindow({ ...rule, window: after }, now, old);
          const at = now + (wait * after) / 100;
          const { calls } = taken.counts(at);
          expect(calls).toBeLessThanOrEqual(
            Math.min(counted, events.filter((event) => at - event < after + rounding).length),
          );
          const fresh = (event: number) =>
            at - event < after * 0.9 - before / 10 - rounding && now - event < before * 0.9 - rounding;
          expect(calls).toBeGreaterThanOrEqual(events.filter(fresh).length);
        },
      ),
    );
  });

  it("leaves no engine of opossum behind that is not ended", async () => {
    const ended = vi.spyOn(CircuitBreaker.prototype, "shutdown");
    const { change, come } = setup({ slowCallRate: 1, slowCallDuration: "9s" });
    await come(down);
    change({ minimumCalls: 50 });
    expect(ended).toHaveBeenCalledTimes(2);
    ended.mockRestore();
  });
});

describe("an open breaker", () => {
  it("stays open for the rest of its time, through a change and its undo; the next break has the new time", async () => {
    const { change, circuit, clock, come } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    await come(down);
    await clock.advance("2s");
    const undo = change({ breakTime: "30s", consecutiveFailures: 2, window: "1s" });
    expect(circuit.state).toEqual({ state: "open", since: start, nextProbeMs: 3_000, calls: 1, failures: 1 });
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    undo();
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 3_000 });
    change({ breakTime: "30s" });
    await clock.advance("3s");
    await come(down);
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 60_000 }); // doubled, and no longer than a minute
  });

  it("is not heard of by calls that began before it opened, changed or not", async () => {
    const { call, change, circuit, come, clock } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    const stale = later();
    const running = settledWith(call(stale.act));
    await come(down);
    change({ breakTime: "7s", window: "1m" });
    await clock.advance("5s");
    stale.succeed();
    await running;
    expect(circuit.state).toMatchObject({ state: "halfOpen", since: start + 5_000 });
  });
});

describe("a breaker that is being tried", () => {
  const trips = { consecutiveFailures: 1, breakTime: "5s", halfOpenCalls: 3 } as const;
  async function probing() {
    const all = setup(trips);
    await all.come(down);
    await all.clock.advance("5s");
    return all;
  }

  it("loses no probe: one in flight across the change counts", async () => {
    const { call, change, circuit } = await probing();
    const probes = [later(), later(), later()];
    const running = probes.map(({ act }) => call(act));
    change({ minimumCalls: 3, breakTime: "9s" });
    for (const { succeed } of probes) succeed();
    await Promise.all(running);
    expect(circuit.state.state).toBe("closed");
  });

  it("wants as many successes in all as are said now", async () => {
    const { change, circuit, come } = await probing();
    await come(well, 2);
    change({ halfOpenCalls: 4 });
    await come(well);
    expect(circuit.state.state).toBe("halfOpen");
    await come(well);
    expect(circuit.state.state).toBe("closed");
  });

  it("that has more of them already wants one more", async () => {
    const { change, circuit, come, seen } = await probing();
    await come(well, 2);
    change({ halfOpenCalls: 1 });
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    await come(down);
    expect(seen.of("breaker.opened").at(-1)).toMatchObject({ why: "probeFailed", calls: 3, failures: 1 });
  });
});

describe("the mode", () => {
  it("`off` lets all pass and counts nothing; what was open is so again for the rest of its time", async () => {
    const { change, circuit, clock, come, told } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    await come(down);
    const undo = change({ mode: "off" });
    expect(await come(well)).toBe("well");
    await come(down, 20);
    await clock.advance("2s");
    undo();
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 3_000, calls: 1 });
    expect(told()).toEqual(["breaker.opened"]);
  });

  it("`off` while it is being tried gives the places back", async () => {
    const { call, change, circuit, clock, come } = setup({ consecutiveFailures: 1, breakTime: "5s" });
    await come(down);
    await clock.advance("5s");
    const probe = later();
    const running = call(probe.act);
    const undo = change({ mode: "off" });
    probe.succeed();
    await running;
    expect(await come(well)).toBe("well");
    undo();
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
  });

  it("of one that was made off can be made to enforce: it begins closed, with nothing counted", async () => {
    const { change, circuit, come } = setup({ mode: "off", consecutiveFailures: 2 });
    await come(down, 5);
    change({ mode: "enforce" });
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
    await come(down, 2);
    expect(circuit.state.state).toBe("open");
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
  });

  it("from `observe` to `enforce` refuses at once what is open", async () => {
    const { change, come } = setup({ mode: "observe", consecutiveFailures: 1 });
    await come(down);
    expect(await come(well)).toBe("well");
    change({ mode: "enforce" });
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
  });
});

describe("what is judged", () => {
  it("is asked of a `when` that was not there before, also of successes", async () => {
    const { change, circuit, come } = setup({ consecutiveFailures: 1 });
    await come(well);
    const undo = change({ when: (outcome) => outcome.ok });
    undo();
    await come(well);
    expect(circuit.state.state).toBe("closed");
    change({ when: (outcome) => outcome.ok });
    await come(well);
    expect(circuit.state.state).toBe("open");
  });
});

describe("a ramp", () => {
  it("that is under way goes on from its begin with the new length, or ends", async () => {
    const { change, clock, come } = setup({ consecutiveFailures: 1, breakTime: "5s", ramp: "10s" }, () => 0.6);
    await come(down);
    await clock.advance("5s");
    await come(well);
    await clock.advance("5s"); // half of them
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    const undo = change({ ramp: "6s" });
    expect(await come(well)).toBe("well");
    undo();
    expect(await come(well)).toBeInstanceOf(BreakerOpenError);
    change({ ramp: 0 });
    expect(await come(well)).toBe("well");
  });
});

describe("a breaker with a key", () => {
  it("is changed for the keys that have a circuit, and for those to come", async () => {
    const keyed = breaker({ key: (id: string) => id, consecutiveFailures: 9, breakTime: "1m" });
    const call = keyed((_: string) => Promise.reject<unknown>(new Error("down")));
    await settledWith(call("a"));
    configure(call, { breaker: { consecutiveFailures: 2 } });
    await settledWith(call("a"));
    await settledWith(call("b"));
    await settledWith(call("b"));
    expect(explain(call)[0]).toMatchObject({
      options: { consecutiveFailures: 2 },
      state: { keys: 2, notClosed: { a: { state: "open" }, b: { state: "open" } } },
    });
  });
});
