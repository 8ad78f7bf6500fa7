// What a closed breaker counts: in opossum's window, on our clock.
import * as fc from "fast-check";
import CircuitBreaker from "opossum";
import { describe, expect, it, vi } from "vitest";
import { RollingWindow } from "../../src/call/breaker/window.ts";
import { down, setup, well } from "./breaker-setup.ts";

/** opossum's own numbers. */
function engineOf(window: RollingWindow): CircuitBreaker {
  return (window as unknown as { readonly engine: CircuitBreaker }).engine;
}

describe("the window", () => {
  it("is opossum's: its stats are the counts, its decision opens", () => {
    const window = new RollingWindow({ rate: 0.5, minimumCalls: 4, window: 10_000 }, 0);
    const engine = engineOf(window);
    expect(engine).toBeInstanceOf(CircuitBreaker);
    for (let i = 0; i < 3; i++) window.success(100);
    expect([window.failure(200, "e"), window.failure(200, "e")]).toEqual([false, false]);
    expect(engine.stats).toMatchObject({ fires: 5, successes: 3, failures: 2, rejects: 0, latencyTimes: [] });
    expect(window.counts(200)).toEqual({ calls: 5, failures: 2 });
    expect(window.failure(200, "e")).toBe(true);
    expect(engine.opened).toBe(true);
    window.end();
    expect(engine.isShutdown).toBe(true);
  });

  it("fires opossum for every failure of a breaker, and only for those", async () => {
    const fire = vi.spyOn(CircuitBreaker.prototype, "fire");
    const { circuit, come } = setup();
    await come(well, 12);
    await come(down, 12);
    await come(well, 12); // open: opossum is left alone
    expect(circuit.state).toMatchObject({ state: "open", calls: 24, failures: 12 });
    expect(fire).toHaveBeenCalledTimes(12);
    fire.mockRestore();
  });

  it("sets no timer", () => {
    const timers = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "setInterval")];
    const window = new RollingWindow({ rate: 0.5, minimumCalls: 2, window: 10_000 }, 0);
    window.success(0);
    window.failure(20_000, "e");
    for (const timer of timers) {
      expect(timer).not.toHaveBeenCalled();
      timer.mockRestore();
    }
  });

  it("keeps no list that grows with the failures", () => {
    const window = new RollingWindow({ rate: undefined, minimumCalls: 1, window: 10_000 }, 0);
    for (let i = 0; i < 100; i++) window.failure(i * 50, "e");
    const { window: slots } = engineOf(window).status;
    expect(slots.map(({ latencyTimes }) => latencyTimes.length)).toEqual(slots.map(() => 0));
  });

  it("of another rule goes on with every number of the one before, and ends it", () => {
    const before = new RollingWindow({ rate: 0.5, minimumCalls: 100, window: 10_000 }, 0);
    for (let i = 0; i < 3; i++) before.success(0);
    before.failure(0, "e");
    const after = new RollingWindow({ rate: 0.2, minimumCalls: 100, window: 20_000 }, 0, before);
    expect(engineOf(after).stats).toMatchObject({ fires: 4, successes: 3, failures: 1 });
    expect(engineOf(before).isShutdown).toBe(true);
  });

  it("ends with the circuit's counts, and so does that of the slow calls", () => {
    const shutdown = vi.spyOn(CircuitBreaker.prototype, "shutdown");
    const { circuit, come } = setup({ slowCallRate: 0.5, slowCallDuration: "1s" });
    return come(down).then(() => {
      circuit.close();
      expect(shutdown).toHaveBeenCalledTimes(2);
      shutdown.mockRestore();
    });
  });

  it("only counts without a rate", () => {
    const window = new RollingWindow({ rate: undefined, minimumCalls: 1, window: 10_000 }, 0);
    for (let i = 0; i < 50; i++) expect(window.failure(0, "e")).toBe(false);
    expect(window.counts(0)).toEqual({ calls: 50, failures: 50 });
  });

  it("goes on after a pause of any length", () => {
    const window = new RollingWindow({ rate: 0.5, minimumCalls: 100, window: 10_000 }, 5);
    window.success(5);
    expect(window.counts(10_004)).toEqual({ calls: 1, failures: 0 });
    expect(window.counts(10_005)).toEqual({ calls: 0, failures: 0 });
    window.failure(1e9, "e");
    expect(window.counts(1e9)).toEqual({ calls: 1, failures: 1 });
  });
});

describe("property: a closed breaker", () => {
  const rule = fc.record({
    rate: fc.integer({ min: 1, max: 20 }).map((n) => n / 20),
    minimumCalls: fc.integer({ min: 1, max: 6 }),
    window: fc.integer({ min: 1, max: 40 }).map((n) => n * 10),
  });
  const step = fc.oneof(
    fc.constant("success" as const),
    fc.constant("failure" as const),
    fc.nat({ max: 120 }),
    fc.nat({ max: 3_000 }),
  );

  it("opens exactly when a failure makes the rate full in a window of ten slots", () => {
    fc.assert(
      fc.property(rule, fc.array(step, { maxLength: 120 }), ({ rate, minimumCalls, window: ms }, steps) => {
        const window = new RollingWindow({ rate, minimumCalls, window: ms }, 0);
        let now = 0;
        let seen: { readonly slot: number; readonly failed: boolean }[] = [];
        for (const one of steps) {
          if (typeof one === "number") now += one;
          const slot = Math.floor(now / (ms / 10));
          seen = seen.filter((outcome) => outcome.slot > slot - 10);
          if (one === "success" || one === "failure") seen.push({ slot, failed: one === "failure" });
          const failures = seen.filter(({ failed }) => failed).length;
          const full = seen.length >= minimumCalls && failures / seen.length >= rate;
          if (one === "success") window.success(now);
          if (one === "failure" && window.failure(now, "e") !== full) return false;
          const { calls, failures: counted } = window.counts(now);
          if (calls !== seen.length || counted !== failures) return false;
          if (one === "failure" && full) break;
        }
        window.end();
        return true;
      }),
      { numRuns: 300 },
    );
  });
});

describe("property: a breaker's life", () => {
  const step = fc.oneof(fc.constant("well" as const), fc.constant("down" as const), fc.integer({ min: 1, max: 4_000 }));

  /** As simple as it can be said: failures in a row open it, a break doubles up to its cap, n probes close it. */
  function model(needed: number, breakTime: number, cap: number, probes: number) {
    let state: "closed" | "open" | "halfOpen" = "closed";
    let [inARow, until, breaks, good] = [0, 0, 0, 0];
    const at = (now: number) => {
      if (state === "open" && now >= until) [state, good] = ["halfOpen", 0];
      return state;
    };
    const open = (now: number) => {
      state = "open";
      until = now + Math.min(cap, breakTime * 2 ** breaks++);
    };
    return {
      at,
      call(now: number, failed: boolean): boolean {
        if (at(now) === "open") return false;
        if (state === "halfOpen") {
          if (failed) open(now);
          else if (++good === probes) [state, inARow, breaks] = ["closed", 0, 0];
        } else {
          inARow = failed ? inARow + 1 : 0;
          if (inARow === needed) open(now);
        }
        return true;
      },
    };
  }

  it("goes as the model does, through breaks, probes and closing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 60 }),
        async (consecutiveFailures, halfOpenCalls, steps) => {
          const { circuit, clock, come } = setup({
            consecutiveFailures,
            halfOpenCalls,
            breakTime: 1_000,
            maxBreakTime: 5_000,
          });
          const expected = model(consecutiveFailures, 1_000, 5_000, halfOpenCalls);
          for (const one of steps) {
            if (typeof one === "number") await clock.advance(one);
            else {
              let called = false;
              await come(() => {
                called = true;
                return one === "down" ? down() : well();
              });
              expect(called).toBe(expected.call(clock.monotonic(), one === "down"));
            }
            expect(circuit.state.state).toBe(expected.at(clock.monotonic()));
          }
        },
      ),
    );
  });
});
