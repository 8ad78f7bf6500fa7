// Load shedding by criticality: field/call.md › load shedding.
import fc from "fast-check";
import {
  adaptiveLimit,
  bulkhead,
  type Criticality,
  configure,
  explain,
  healthHandler,
  pipe,
  protect,
  settled,
} from "holdfast";
import { reset, testClock } from "holdfast/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ShedOptions, shed } from "../../src/call/shed.ts";
import { crowd, said } from "./adaptive-setup.ts";
import { declared, ends, of, type Tenant, world } from "./shed-setup.ts";

const ranks: readonly Criticality[] = ["critical", "normal", "sheddable", "background"];
const bounded = { adaptiveLimit: { reserve: { critical: 0.1 } }, shed: {} };

afterEach(() => reset());

describe("under an overload of ten times the capacity", { timeout: 60_000 }, () => {
  it("what can be served is served, and critical calls take no longer than twice as long as without load", async () => {
    const it = declared(bounded);
    const critical = crowd(it, it.call, 100, said("critical"), of("a"));
    const rest = (["normal", "sheddable", "background"] as const).map((one) =>
      crowd(it, it.call, 633, said(one), of("a")),
    );
    await it.clock.advance("3s");
    const before = it.other.served;
    await it.clock.advance("7s");
    expect((it.other.served - before) / 1_400).toBeGreaterThan(0.95);
    expect(critical.within(0.99, 3_000)).toBeLessThanOrEqual(100);
    // they are half of what can be served, and come by chance: more than there are places at one moment, now and then
    expect(critical.share(3_000)).toBeLessThan(0.08);
    // normal calls alone are more than can be served: nothing below them is
    expect(rest.map((one) => one.share(3_000) < 0.98)).toEqual([true, false, false]);
  });

  it.each([
    ["an adaptive limit at 1.2 times", { adaptiveLimit: {} }, 240, [0.9, 0.9]],
    ["an adaptive limit at ten times", { adaptiveLimit: {} }, 2_000, [0.97, 0.7]],
    [
      "an adaptive limit with a reserve at 1.2 times",
      { adaptiveLimit: { reserve: { critical: 0.1 } } },
      240,
      [0.9, 0.98],
    ],
    [
      "an adaptive limit with a reserve at ten times",
      { adaptiveLimit: { reserve: { critical: 0.1 } } },
      2_000,
      [0.97, 0.92],
    ],
    ["a bulkhead at ten times", { bulkhead: 10 }, 2_000, [0.88, 0.5]],
  ] as [string, object, number, number[]][])(
    "little stays idle, and more is served of each class than of those below it: %s",
    async (_, limit, rate, least) => {
      const critical = least[1] as number;
      for (const seed of [1, 2, 3]) {
        const it = declared({ ...limit, shed: {} }, seed);
        const parts = [0.05, 0.25, 0.3, 0.4];
        const crowds = ranks.map((one, i) => crowd(it, it.call, rate * (parts[i] as number), said(one), of("a")));
        await it.clock.advance("3s");
        const before = it.other.served;
        await it.clock.advance("8s");
        const shares = crowds.map((one) => 1 - one.share(3_000));
        expect((it.other.served - before) / 1_600).toBeGreaterThan(least[0] as number);
        expect(shares[0]).toBeGreaterThan(critical);
        if (rate < 1_000) expect(shares[1]).toBeGreaterThan(0.88);
        // by chance a class of which few come may have a little less
        for (let i = 1; i < shares.length; i++) expect(shares[i - 1]).toBeGreaterThan((shares[i] as number) - 0.04);
      }
    },
  );

  it("holds again after the service was twice as slow for a while", async () => {
    const it = declared(bounded);
    const critical = crowd(it, it.call, 20, said("critical"), of("a"));
    crowd(it, it.call, 500, said("normal"), of("a"));
    await it.clock.advance("4s");
    it.other.ms = 100;
    await it.clock.advance("10s");
    expect(critical.within(0.99, 10_000)).toBeLessThanOrEqual(200);
    it.other.ms = 50;
    await it.clock.advance("6s");
    const before = it.other.served;
    await it.clock.advance("4s");
    expect((it.other.served - before) / 800).toBeGreaterThan(0.95);
    expect(critical.within(0.99, 20_000)).toBeLessThanOrEqual(100);
  });
});

describe("by criticality", { timeout: 60_000 }, () => {
  it("few normal calls are refused while sheddable ones that come ten times as often are", async () => {
    const it = declared(bounded);
    const normal = crowd(it, it.call, 100, said("normal"), of("a"));
    const sheddable = crowd(it, it.call, 600, said("sheddable"), of("a"));
    const background = crowd(it, it.call, 600, said("background"), of("a"));
    await it.clock.advance("10s");
    expect(normal.share(3_000)).toBeLessThan(0.12);
    expect(sheddable.share(3_000)).toBeGreaterThan(0.8);
    expect(background.share(3_000)).toBeGreaterThanOrEqual(sheddable.share(3_000));
  });

  it("of two that come at one moment the more critical is never the one that is refused (property)", async () => {
    const plan = fc.record({
      size: fc.integer({ min: 1, max: 60 }),
      taken: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 80 }),
      measure: fc.double({ min: 0, max: 2.2, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ size, taken, measure }) => {
        const { clock, events, random } = world();
        const make = () => {
          const seams = { clock, events, random };
          const limit = bulkhead(size, seams);
          return pipe(() => new Promise<never>(() => {}), limit, shed({ measure: () => measure }, seams));
        };
        // the same calls have come to each, and then one of each rank
        const passed = await Promise.all(
          ranks.map(async (last) => {
            const call = make();
            for (const rank of taken) call(undefined, said(ranks[rank] as Criticality)).catch(() => {});
            let isRefused = false;
            call(undefined, said(last)).catch(() => {
              isRefused = true;
            });
            await Promise.resolve().then(() => {});
            await new Promise((resolve) => setImmediate(resolve));
            return !isRefused;
          }),
        );
        expect(passed).toEqual(passed.toSorted((a, b) => Number(b) - Number(a)));
      }),
      { numRuns: 60 },
    );
  });

  it("a call that says nothing is normal, what is declared holds, and what the caller says goes before it", async () => {
    const measured = (criticality?: Criticality) =>
      protect("x", async () => 1, { shed: { measure: () => 0.95 }, ...(criticality && { criticality }) });
    expect(await ends(measured()())).toBe("served");
    expect(await ends(measured("sheddable")())).toBe("measure");
    expect(await ends(measured("sheddable")(undefined, said("normal")))).toBe("served");
    expect(await ends(measured("normal")(undefined, said("background")))).toBe("measure");
  });

  it("a share that is guaranteed to a class stays its own under any overload", async () => {
    const it = declared({ adaptiveLimit: { reserve: { background: 0.2 } } });
    crowd(it, it.call, 800, said("normal"), of("a"));
    const background = crowd(it, it.call, 200, said("background"), of("a"));
    await it.clock.advance("10s");
    expect(background.served(3_000) / (0.2 * 200 * 7)).toBeGreaterThan(0.6);
  });
});

describe("a refusal", { timeout: 60_000 }, () => {
  it("has its own code, says why, and when to come again: not the same for all, and beyond the patience of a retry", async () => {
    const it = declared({ shed: { measure: () => 1.5 }, retry: { attempts: 5 } });
    const errors: { retryAfterMs: number }[] = [];
    for (let i = 0; i < 5; i++) await it.call(of("a")).catch((error) => errors.push(error));
    for (const error of errors)
      expect(error).toMatchObject({ code: "LOAD_SHED", why: "measure", criticality: "normal", retryable: true });
    expect(Math.min(...errors.map(({ retryAfterMs }) => retryAfterMs))).toBeGreaterThan(1_000);
    expect(new Set(errors.map(({ retryAfterMs }) => retryAfterMs)).size).toBe(5);
    expect(it.seen.of("call.shed")[0]).toMatchObject({ criticality: "normal", why: "measure" });
    expect(it.other.served).toBe(0);
  });

  it("asks no tier, counts in no breaker, and what is cached is still given", async () => {
    let pressure = 0;
    const tiers: unknown[] = [];
    const call = protect("x", async (n: number) => n, {
      cache: { ttl: "1m" },
      shed: { measure: () => pressure },
      fallback: [async (n) => tiers.push(n)],
    });
    expect(await call(1)).toBe(1);
    pressure = 1;
    for (let i = 0; i < 40; i++) await call(100 + i).catch(() => {});
    expect([await call(1), await ends(call(2)), tiers]).toEqual([1, "measure", []]);
    expect((await settled(call)(2)).story.state).toBe("notAdmitted");
  });
});

describe("a burst between two looks", { timeout: 60_000 }, () => {
  it("meets the bound of the limit itself", async () => {
    const it = declared(bounded);
    for (let i = 0; i < 10_000; i++) it.call(of("a"), said(ranks[i % 4] as Criticality)).catch(() => {});
    await it.clock.advance(1);
    expect(it.other.most).toBeLessThanOrEqual(10);
  });

  it("has the measure asked again after a few dozen calls, at the same moment too", async () => {
    let begun = 0;
    const { clock, events, random } = world();
    const call = pipe(async () => void begun++, shed({ measure: () => begun / 100 }, { clock, events, random }));
    await Promise.allSettled(Array.from({ length: 10_000 }, () => call()));
    expect(begun).toBeLessThanOrEqual(132);
  });

  it("that holds up the event loop is cut off when the delay is more than is borne, before any timer could tell", async () => {
    const { clock, late, advance } = lateClock();
    let begun = 0;
    const call = pipe(async () => void begun++, shed({ eventLoopDelay: "50ms" }, { clock }));
    await call();
    for (let i = 0; i < 1_000; i++) {
      call().catch(() => {});
      late(1); // each holds up the loop for a millisecond
    }
    expect(begun).toBeLessThanOrEqual(75);
    await advance(200);
    expect(await ends(call())).toBe("served");
  });
});

/** A clock whose time can pass without its timers being run, as while something holds up the event loop. */
function lateClock() {
  const inner = testClock();
  let ahead = 0;
  const clock = { ...inner, monotonic: () => inner.monotonic() + ahead, timer: inner.timer };
  return {
    clock,
    sleepers: () => inner.sleepers,
    late(ms: number) {
      ahead += ms;
    },
    advance: (ms: number) => inner.advance(ms),
  };
}

describe("the event loop's delay", { timeout: 60_000 }, () => {
  it("lets background work go first, then sheddable, then normal; critical calls only when it is twice what is borne", async () => {
    const passed: Record<number, string[]> = {};
    for (const delay of [70, 85, 95, 120, 250]) {
      const { clock, late } = lateClock();
      const call = pipe(async () => 1, shed({ eventLoopDelay: 100 }, { clock }));
      await call();
      late(20 + delay);
      passed[delay] = [];
      for (const rank of ranks) if ((await ends(call(undefined, said(rank)))) === "served") passed[delay]?.push(rank);
    }
    expect(passed).toEqual({
      70: ["critical", "normal", "sheddable", "background"],
      85: ["critical", "normal", "sheddable"],
      95: ["critical", "normal"],
      120: ["critical"],
      250: [],
    });
  });

  it.each([
    ["before any timer has run", 0],
    ["after the timers have run", 20],
  ])("is seen by the first call of a backlog, after a pause and a stall: %s", async (_, runMs) => {
    const { clock, late, advance } = lateClock();
    const call = pipe(async () => 1, shed({ eventLoopDelay: 100 }, { clock }));
    await call();
    await advance(5_000);
    late(1_000);
    await advance(runMs);
    const backlog = await Promise.all(Array.from({ length: 500 }, () => ends(call(undefined, said("background")))));
    expect(backlog.filter((end) => end === "served")).toEqual([]);
    await advance(500);
    expect(await ends(call(undefined, said("background")))).toBe("served");
  });

  it("is measured while calls come and ten seconds after, by one timer for all; none is left then, and none was before the first", async () => {
    const { clock, sleepers, advance } = lateClock();
    const calls = [1, 2, 3].map((one) => pipe(async () => one, shed({ eventLoopDelay: 100 }, { clock })));
    expect(sleepers()).toBe(0);
    for (const call of calls) await call();
    expect(sleepers()).toBe(1);
    await advance(9_000);
    expect([sleepers(), await calls[0]?.()]).toEqual([1, 1]);
    await advance(9_000);
    expect(sleepers()).toBe(1);
    await advance(1_100);
    expect(sleepers()).toBe(0);
  });

  it("is forgotten by a reset, with the timer", async () => {
    const { clock, late, sleepers } = lateClock();
    const call = pipe(async () => 1, shed({ eventLoopDelay: 100 }, { clock }));
    await call();
    late(1_000);
    expect(await ends(call())).toBe("eventLoop");
    reset();
    expect([await ends(call()), sleepers()]).toEqual(["served", 1]);
  });

  it("is not told by a timer of fake timers that are gone", async () => {
    const call = pipe(async () => 1, shed({ eventLoopDelay: 100 }));
    vi.useFakeTimers();
    try {
      await call(); // the fake time begins at 0, and the real one is further
    } finally {
      vi.useRealTimers();
    }
    expect(await ends(call())).toBe("served");
  });
});

describe("fair shares", { timeout: 60_000 }, () => {
  it("a tenant that floods goes first: the others are served as if it were not there", async () => {
    const it = declared({ adaptiveLimit: {}, shed: { fairBy: ({ tenant }: Tenant) => tenant } });
    const flood = crowd(it, it.call, 1_000, undefined, of("flood"));
    const others = ["b", "c", "d"].map((name) => crowd(it, it.call, 25, undefined, of(name)));
    await it.clock.advance("10s");
    for (const other of others) expect(other.share(3_000)).toBeLessThan(0.1);
    expect(flood.served(3_000)).toBeGreaterThan(500);
    expect(it.seen.of("call.shed").some(({ why }) => why === "fairness")).toBe(true);
  });

  it("remembers a bounded number of tenants, however many come", async () => {
    const it = declared({ shed: { fairBy: ({ tenant }: Tenant) => tenant } });
    for (let i = 0; i < 5_000; i++) {
      it.call(of(`${i}`)).catch(() => {});
      if (i % 100 === 0) await it.clock.advance(1_000);
    }
    await it.clock.advance("1m");
    const state = explain(it.call).find(({ kind }) => kind === "shed")?.state as { tenants: number };
    expect(state.tenants).toBeLessThanOrEqual(1_000);
  });

  it("with one tenant alone it has everything", async () => {
    const it = declared({ adaptiveLimit: {}, shed: { fairBy: ({ tenant }: Tenant) => tenant } });
    crowd(it, it.call, 600, undefined, of("only"));
    await it.clock.advance("3s");
    const before = it.other.served;
    await it.clock.advance("5s");
    expect((it.other.served - before) / 1_000).toBeGreaterThan(0.95);
  });

  it("a `fairBy` that throws is told, and its call is nobody's: it is let in", async () => {
    const fairBy = () => {
      throw new RangeError("who?");
    };
    const it = declared({ adaptiveLimit: {}, shed: { fairBy } });
    const ended = ends(it.call(of("a")));
    await it.clock.advance(50);
    expect(await ended).toBe("served");
    expect(it.seen.of("listener.failed")).toMatchObject([{ heard: "shed.fairBy", error: { message: "who?" } }]);
  });
});

describe("a measure that cannot be read", () => {
  it.each([
    ["throws", () => JSON.parse("{")],
    ["gives a promise", async () => 9],
    ["gives a promise that rejects", () => Promise.reject(new Error("m"))],
    ["gives NaN", () => Number.NaN],
    ["gives a negative", () => -1],
  ])("is told and refuses nobody: it %s", async (_, measure) => {
    const it = declared({ shed: { measure: measure as () => number } });
    const ended = ends(it.call(of("a"), said("background")));
    await it.clock.advance(50);
    expect(await ended).toBe("served");
    expect(it.seen.of("listener.failed")).toMatchObject([{ heard: "shed.measure" }]);
  });
});

describe("health and status calls", { timeout: 60_000 }, () => {
  it("are answered under pressure: they do not pass through it", async () => {
    const it = declared({ shed: { measure: () => 9 } });
    expect(await ends(it.call(of("a"), said("critical")))).toBe("measure");
    const answer = await healthHandler()(new Request("http://x/livez"));
    expect(answer.status).toBeLessThan(300);
  });
});

describe("options", { timeout: 60_000 }, () => {
  it.each([
    ["eventLoopDelay", 0],
    ["eventLoopDelay", "soon"],
    ["fairBy", "tenant"],
    ["measure", 1],
    ["mesure", () => 1],
  ])("that are bad throw when it is made, with their path: %s %j", (path, given) => {
    const bad = expect.objectContaining({ code: "OPTIONS_INVALID", issues: [expect.objectContaining({ path })] });
    expect(() => shed({ [path]: given } as ShedOptions)).toThrow(bad);
    expect(() => protect("x", async () => 1, { shed: { [path]: given } as never })).toThrow(/shed/);
  });

  it("can be changed while it runs, and back", async () => {
    const it = declared({ shed: {} });
    const undo = configure(it.call, { shed: { measure: () => 1 } });
    expect(await ends(it.call(of("a")))).toBe("measure");
    undo();
    const served = ends(it.call(of("a")));
    await it.clock.advance(50);
    expect(await served).toBe("served");
  });

  it("stand as a wrapper of their own, too: in a `pipe` with the limit inside", async () => {
    const { clock, events, random } = world();
    const seams = { clock, events, random };
    const limit = adaptiveLimit({ max: 20 }, seams);
    const call = pipe(() => new Promise<never>(() => {}), limit, shed({}, seams));
    for (let i = 0; i < 30; i++) call(undefined, said("background")).catch(() => {});
    expect(limit.running).toBe(10);
    for (let i = 0; i < 30; i++) call(undefined, said("critical")).catch(() => {});
    expect(limit.running).toBe(10);
  });
});
