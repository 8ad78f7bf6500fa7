import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { OptionsInvalidError, protect } from "../../src/index.ts";
import { record, script, seams, testClock } from "../../src/testing/index.ts";

const hour = 3_600_000;

/** A clock, and what has expired on it: when, and what. */
function setup(start?: number) {
  const clock = testClock(start);
  const rung: string[] = [];
  const ring = (name: string) => ({ expire: () => void rung.push(`${name} at ${clock.monotonic()}`) });
  return { clock, rung, set: (ms: number, name: string) => clock.timer(ms, ring(name)) };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a test clock", () => {
  it("stands still until it is moved", async () => {
    const { clock, set, rung } = setup();
    set(1, "a");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([clock.now(), clock.monotonic(), rung]).toEqual([0, 0, []]);
    await clock.advance("1.5s");
    expect([clock.now(), clock.monotonic(), rung]).toEqual([1_500, 1_500, ["a at 1"]]);
  });

  it("starts at 0, or at the epoch ms that it is given; monotonic ms begin at 0", async () => {
    expect(testClock().now()).toBe(0);
    const { clock } = setup(1_700_000_000_000);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic()]).toEqual([1_700_000_000_005, 5]);
  });

  it("runs timers in the order in which they fall due, those of one moment in the order in which they were set", async () => {
    const { clock, set, rung } = setup();
    set(20, "c");
    set(10, "a");
    set(20, "d");
    set(10, "b");
    set(30, "late");
    await clock.advance(29);
    expect(rung).toEqual(["a at 10", "b at 10", "c at 20", "d at 20"]);
    expect(clock.sleepers).toBe(1);
  });

  it("runs those too that are set on the way and fall due on it", async () => {
    const { clock, set, rung } = setup();
    clock.timer(10, {
      expire: () => {
        set(0, "at once");
        set(5, "soon");
        set(90, "at the end");
        set(91, "after it");
      },
    });
    await clock.advance(100);
    expect(rung).toEqual(["at once at 10", "soon at 15", "at the end at 100"]);
    expect(clock.sleepers).toBe(1);
  });

  it("settles every promise step before and after each timer, at that timer's time", async () => {
    const { clock } = setup();
    const seen: string[] = [];
    const step = async (name: string) => {
      await clock.sleep(10);
      for (let i = 0; i < 50; i++) await Promise.resolve();
      await turn();
      seen.push(`${name} at ${clock.now()}`);
      await clock.sleep(10);
      seen.push(`${name} again at ${clock.now()}`);
    };
    // begins only when the steps before it are settled
    Promise.resolve()
      .then(turn)
      .then(() => step("a"));
    await clock.advance(25);
    expect(seen).toEqual(["a at 10", "a again at 20"]);
  });

  it("has settled what follows when advance resolves, without a further wait", async () => {
    const { clock } = setup();
    const seen: number[] = [];
    clock
      .sleep(10)
      .then(turn)
      .then(turn)
      .then(() => void seen.push(clock.now()));
    await clock.advance(10);
    expect(seen).toEqual([10]);
  });

  it("is moved by one advance after another, also when nobody waits in between", async () => {
    const { clock, set, rung } = setup();
    set(10, "a");
    const first = clock.advance(10);
    const second = clock.advance(10);
    set(15, "b");
    await Promise.all([first, second]);
    expect([clock.now(), rung]).toEqual([20, ["a at 10", "b at 15"]]);
  });

  it("can be moved by what runs on it", async () => {
    const { clock } = setup();
    const slow = async () => {
      await clock.sleep(10);
      await clock.advance(10);
      return clock.now();
    };
    const answer = slow();
    await clock.advance(10);
    expect(await answer).toBe(20);
  });

  it("goes on after a timer that threw: advance rejects with it", async () => {
    const { clock, set, rung } = setup();
    const broken = new Error("broken");
    clock.timer(5, {
      expire: () => {
        throw broken;
      },
    });
    set(10, "a");
    await expect(clock.advance(20)).rejects.toBe(broken);
    await clock.advance(20);
    expect(rung).toEqual(["a at 10"]);
  });

  it.each(["soon", -1, Number.NaN, Number.POSITIVE_INFINITY, undefined])("is not moved by %s", async (by) => {
    const { clock } = setup();
    await expect(clock.advance(by as number)).rejects.toBeInstanceOf(OptionsInvalidError);
    expect(clock.now()).toBe(0);
  });

  it("fires nothing twice, nothing early and nothing out of order, however it is moved", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("set" as const), ms: fc.nat({ max: 50 }) }),
      fc.record({ do: fc.constant("undo" as const), which: fc.nat() }),
      fc.record({ do: fc.constant("advance" as const), ms: fc.nat({ max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock } = setup();
        const rung: number[] = [];
        const known: { due: number; no: number; undo: () => void; undone: boolean }[] = [];
        for (const step of steps) {
          if (step.do === "advance") await clock.advance(step.ms);
          else if (step.do === "set") {
            const no = known.length;
            const undo = clock.timer(step.ms, { expire: () => void rung.push(no) });
            known.push({ due: clock.monotonic() + step.ms, no, undo, undone: false });
          } else {
            const one = known[step.which % Math.max(1, known.length)];
            one?.undo();
            if (one !== undefined && !rung.includes(one.no)) one.undone = true;
          }
          const live = known.filter(({ undone }) => !undone).length - rung.length;
          expect(clock.sleepers).toBe(live);
        }
        await clock.advance(50);
        const due = known.filter(({ undone }) => !undone).toSorted((a, b) => a.due - b.due || a.no - b.no);
        expect(rung).toEqual(due.map(({ no }) => no));
      }),
      { numRuns: 40 },
    );
  });
});

describe("who waits on a test clock", () => {
  it("is counted, timers and sleeps alike, until it has woken or gone", async () => {
    const { clock, set } = setup();
    const controller = new AbortController();
    const undo = set(10, "a");
    const short = clock.sleep(10);
    const others = Promise.allSettled([10, Number.POSITIVE_INFINITY].map((ms) => clock.sleep(ms, controller.signal)));
    expect(clock.sleepers).toBe(4);
    undo();
    undo();
    expect(clock.sleepers).toBe(3);
    controller.abort("enough");
    expect(clock.sleepers).toBe(1);
    await clock.advance(10);
    expect(clock.sleepers).toBe(0);
    await short;
    expect(await others).toEqual([0, 1].map(() => ({ status: "rejected", reason: "enough" })));
  });

  it("for no time, or for what is no time, wakes with the next advance", async () => {
    const { clock, set, rung } = setup();
    set(0, "none");
    set(-5, "less");
    set(Number.NaN, "nothing");
    await clock.advance(0);
    expect(rung).toEqual(["none at 0", "less at 0", "nothing at 0"]);
  });
});

describe("one awaited advance", () => {
  it("runs a whole retry ladder, promise steps included", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const seen = record();
    const call = protect("ladder", script<number>(...Array(4).fill({ error: new Error("no") }), { value: 5 }), {
      retry: { attempts: 5, base: "1s", cap: "1h", jitter: "none" },
    });
    const answer = call(undefined);
    await clock.advance("15s");
    seen.stop();
    expect(seen.of("call.settled")).toMatchObject([{ state: "succeeded", attempts: 5, elapsedMs: 15_000 }]);
    expect(seen.of("attempt.started").map(({ at }) => at)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(await answer).toBe(5);
    expect(clock.sleepers).toBe(0);
  });

  it("drives back-off, attempts' timeouts and the deadline alike, from 0 on, and patches no global", async () => {
    const globals = () => [
      setTimeout,
      clearTimeout,
      setInterval,
      setImmediate,
      Date,
      Date.now,
      performance.now,
      queueMicrotask,
    ];
    const before = globals();
    const clock = testClock(0);
    using _ = seams({ clock, random: () => 0.5 });
    const slow = script<number>("never", "never", "never", "never");
    const call = protect("slow", slow, { timeout: "2s", deadline: "4s", retry: { attempts: 9, base: "2s" } });
    const ended = call(undefined).catch((error: { code: string }) => error.code);
    await clock.advance("1h");
    expect(await ended).toBe("DEADLINE_EXCEEDED");
    expect(slow.calls.length).toBe(2);
    expect(clock.now()).toBe(hour);
    expect(clock.sleepers).toBe(0);
    expect(globals()).toEqual(before);
  });

  it("drives a break as well, and everything works with a clock that starts at 0", async () => {
    const clock = testClock(0);
    using _ = seams({ clock, random: () => 0 });
    const seen = record();
    const call = protect("breaks", script<number>({ error: new Error("no") }, { value: 1 }, { value: 2 }), {
      breaker: { consecutiveFailures: 1, breakTime: "5s" },
    });
    await expect(call(undefined)).rejects.toThrow("no");
    await expect(call(undefined)).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: 5_000 });
    await clock.advance("4999ms");
    await expect(call(undefined)).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: 1 });
    await clock.advance("1ms");
    expect(await call(undefined)).toBe(1);
    expect(await call(undefined, { deadline: "1s" })).toBe(2);
    seen.stop();
    expect(seen.of("breaker.opened")).toMatchObject([{ at: 0 }]);
    expect(seen.of("breaker.closed")).toMatchObject([{ at: 5_000, openMs: 5_000 }]);
    expect(clock.sleepers).toBe(0);
  });

  it("also drives calls that were made, and modules that were loaded, before the clock", async () => {
    vi.resetModules();
    const loaded = await import("../../src/index.ts");
    const call = loaded.protect("early", async () => new Promise<never>(() => {}), { timeout: "2s" });
    const clock = testClock();
    using _ = seams({ clock });
    const ended = call().catch((error: { code: string }) => error.code);
    await clock.advance("2s");
    expect(await ended).toBe("TIMEOUT");
  });
});

describe("global fake timers", () => {
  it("that return undefined crash nothing", async () => {
    for (const name of ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate"])
      vi.stubGlobal(name, () => undefined);
    const clock = testClock();
    using _ = seams({ clock });
    const call = protect("fake", script({ error: new Error("no") }, { value: 1 }), {
      ...{ timeout: "1s", deadline: "5s", retry: { base: "1s", jitter: "none" as const } },
    });
    const answer = call(undefined);
    await clock.advance("1s");
    expect(await answer).toBe(1);
    expect(await protect("system", async () => 2, { timeout: "1s", deadline: "5s" })()).toBe(2);
  });

  it("of the test framework do not hold up a test clock, and still drive the system's", async () => {
    vi.useFakeTimers();
    const clock = testClock();
    {
      using _ = seams({ clock });
      const answer = protect("fake", script({ value: 1, after: "1s" }))(undefined);
      await clock.advance("1s");
      expect(await answer).toBe(1);
    }
    const ended = protect("real", () => new Promise<never>(() => {}), { timeout: "2s" })().catch(
      (error: { code: string }) => error.code,
    );
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await ended).toBe("TIMEOUT");
  });
});

describe("jitter", () => {
  it.each<["full" | "decorrelated" | "none", number, readonly number[]]>([
    ["full", 0, [0, 0, 0]],
    ["full", 1, [100, 200, 400]],
    ["decorrelated", 0, [100, 100, 100]],
    ["decorrelated", 1, [300, 900, 2_700]],
    ["none", 0.5, [100, 200, 400]],
  ])("%s with random %d hits its stated bounds", async (jitter, chance, delays) => {
    const clock = testClock();
    using _ = seams({ clock, random: () => chance });
    const seen = record();
    const down = { error: new Error("no") };
    const call = protect("jitter", script(down, down, down, down), { retry: { attempts: 4, base: 100, jitter } });
    const ended = call(undefined).catch(() => "failed");
    await clock.advance("1m");
    seen.stop();
    expect(await ended).toBe("failed");
    expect(seen.of("retry.scheduled").map(({ delayMs }) => delayMs)).toEqual(delays);
  });
});
