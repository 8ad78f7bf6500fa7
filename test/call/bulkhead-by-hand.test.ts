// A bulkhead in somebody's hands: its options, its permits, what it shows, other settings while it runs, and a reset.
import { configure, explain, type OptionsInvalidError, protect, settled } from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { type BulkheadOptions, bulkhead } from "../../src/call/bulkhead.ts";
import { readyIn } from "../../src/core/stack.ts";
import { full, setup, turn, workOf } from "./bulkhead-setup.ts";

const done = { ok: true, value: undefined } as const;

describe("options", () => {
  it.each([
    ["concurrency", 0],
    ["concurrency", -1],
    ["concurrency", 1.5],
    ["concurrency", Number.NaN],
    ["concurrency", Number.POSITIVE_INFINITY],
    ["concurrency", "5"],
    ["concurrency", undefined],
    ["queue", -1],
    ["queue", Number.NaN],
    ["queue", Number.POSITIVE_INFINITY],
    ["queueTimeout", 0],
    ["queueTimeout", "soon"],
    ["abandonAfter", -1],
    ["abandonAfter", Number.NaN],
    ["concurency", 3],
  ])("that are bad throw when the bulkhead is made, with their path: %s %j", (path, given) => {
    expect(() => bulkhead({ concurrency: 1, [path]: given })).toThrow(
      expect.objectContaining({ code: "OPTIONS_INVALID", issues: [expect.objectContaining({ path })] }),
    );
  });

  it.each([undefined, null, "5", true, () => 1])("have to be a number or options: %s", (given) => {
    expect(() => bulkhead(given as never)).toThrow(/how many at once, or \{ concurrency|an operation goes to what/);
    if (given !== undefined)
      expect(() => protect("x", async () => 1, { bulkhead: given as never })).toThrow(/bulkhead/);
  });

  it.each([0, Number.POSITIVE_INFINITY, Number.NaN, 1.5])("of one number say what came: %s", (given) => {
    const told = `wanted how many at once: a whole number, at least 1, got ${given}`;
    expect(() => bulkhead(given)).toThrow(`The options of "bulkhead" cannot be used. ${told}`);
    expect(() => protect("x", async () => 1, { bulkhead: given })).toThrow(`bulkhead: ${told}`);
  });

  it("are all told at once", () => {
    try {
      bulkhead({ concurrency: 0, queue: -1, queueTimeout: "soon" as never });
      expect.unreachable();
    } catch (error) {
      expect((error as OptionsInvalidError).issues.map(({ path }) => path)).toEqual([
        "concurrency",
        "queue",
        "queueTimeout",
      ]);
    }
  });

  it.each([
    { concurrency: 2, queueTimeout: "1s" },
    { concurrency: 2, queue: 0, queueTimeout: 1_000 },
  ] as const)("say no limit of waiting where nobody may wait: %o", (given) => {
    const told = /queueTimeout: wanted a `queue` of at least 1 beside it.*, got (1s|1000)$/;
    expect(() => bulkhead(given)).toThrow(told);
    expect(() => protect("x", async () => 1, { bulkhead: given })).toThrow(told);
    bulkhead({ concurrency: 2, queueTimeout: Number.POSITIVE_INFINITY });
  });

  it("without a word: no queue, no limit of waiting, nothing is abandoned", () => {
    expect(explain(bulkhead(7)(async () => 1))).toEqual([
      {
        kind: "bulkhead",
        options: { concurrency: 7, queue: 0, queueTimeout: Infinity, abandonAfter: Infinity },
        state: { running: 0, queued: 0, abandoned: 0 },
      },
    ]);
  });
});

describe("a permit", () => {
  it("is a place for what is no promise, given back by `done`, twice harmless", async () => {
    const { begin, places, started } = setup({ concurrency: 2, queue: 1 });
    const { acquire } = places; // can be destructured
    const [first, second] = [acquire(), acquire()];
    expect([places.running, acquire()]).toEqual([2, undefined]);
    const waits = begin("waits");
    await turn();
    expect(started).toEqual([]);
    first?.done(done);
    first?.done({ ok: false, error: new Error("again") });
    first?.done(done);
    await turn();
    expect([started, places.running]).toEqual([["waits"], 2]);
    second?.done(done);
    waits.end();
    await turn();
    expect(places.running).toBe(0);
  });

  it("that is not given is told, as nobody's call", () => {
    const { places, seen } = setup(1);
    places.acquire();
    expect(places.acquire()).toBeUndefined();
    expect(seen.of("bulkhead.refused")).toMatchObject([
      { name: "db", component: "db", call: undefined, running: 1, queued: 0, reason: "full" },
    ]);
    expect(bulkhead(1).acquire()).toBeDefined();
  });
});

describe("`ready`", () => {
  it("is 0 while a place is free, in the queue too, and never when none is: nobody can tell when one comes free", async () => {
    const { begin, call, places } = setup({ concurrency: 1, queue: 1 });
    expect(readyIn(call, "x")).toBe(0);
    const permit = places.acquire();
    expect(readyIn(call, "x")).toBe(0);
    const waits = begin("waits");
    expect(readyIn(call, "x")).toBe(Number.POSITIVE_INFINITY);
    expect([places.running, places.queued]).toEqual([1, 1]);
    permit?.done(done);
    expect(readyIn(call, "x")).toBe(0);
    waits.end();
    await turn();
  });

  it("has a fallback pass over a full tier uncalled, and ask the next", async () => {
    const { clock, events, seen } = setup(1);
    const seams = { clock, events };
    const places = bulkhead(1, seams);
    const permit = places.acquire();
    const second = protect("second", async (_: string) => 2, { bulkhead: places, seams });
    const first = async (_: string): Promise<number> => Promise.reject(new Error("down"));
    const call = protect("first", first, { fallback: [second, async () => 3], seams });
    expect(await call("x")).toBe(3);
    expect(seen.of("fallback.skipped")).toMatchObject([{ tier: "second", reason: "bulkheadFull" }]);
    permit?.done(done);
    expect(await call("x")).toBe(2);
  });

  it("a full first tier gives way to the next at once", async () => {
    const { clock, events } = setup(1);
    const seams = { clock, events };
    const places = bulkhead(1, seams);
    places.acquire();
    const call = protect("first", async (_: string) => 1, {
      bulkhead: places,
      retry: {},
      fallback: [async () => 2],
      seams,
    });
    const { story } = await settled(call)("x");
    expect(story).toMatchObject({ state: "degraded", attempts: 1, elapsedMs: 0, degraded: { reason: "notAdmitted" } });
  });
});

describe("other settings while calls are under way", () => {
  function changing(options: BulkheadOptions) {
    const all = setup(options);
    return {
      ...all,
      change: (bulkhead: number | Partial<BulkheadOptions>) => configure(all.call, { bulkhead }),
    };
  }

  it("a raised limit lets waiters in at once, with no new call", async () => {
    const { begin, change, places, started } = changing({ concurrency: 1, queue: 5 });
    const works = ["a", "b", "c", "d"].map((name) => begin(name));
    await turn();
    change({ concurrency: 3, queue: 5 });
    expect([places.running, places.queued]).toEqual([3, 1]);
    await turn();
    expect(started).toEqual(["a", "b", "c"]);
    for (const work of works) work.end();
    await turn();
    expect(works.every(({ ended }) => ended.at !== undefined && "value" in ended.at)).toBe(true);
    expect(places.running).toBe(0);
  });

  it("a lowered limit holds at once for who comes; who runs or waits keeps its place, and none fails", async () => {
    const { begin, change, clock, places, started } = changing({ concurrency: 3, queue: 2, queueTimeout: "1s" });
    const works = ["a", "b", "c", "d", "e"].map((name) => begin(name));
    await turn();
    change({ concurrency: 1, queue: 0, queueTimeout: Number.POSITIVE_INFINITY });
    const refused = begin("refused");
    await turn();
    expect([refused.ended.at, places.running, places.queued]).toEqual([full({ running: 3, queued: 2 }), 3, 2]);
    works[0]?.end();
    works[1]?.end();
    await turn();
    expect([places.running, started.length]).toEqual([1, 3]); // no place yet for who waits
    works[2]?.end();
    await turn();
    expect([places.running, started]).toEqual([1, ["a", "b", "c", "d"]]);
    works[3]?.end();
    works[4]?.end();
    await turn();
    expect(works.every(({ ended }) => ended.at !== undefined && "value" in ended.at)).toBe(true);
    expect([places.running, places.queued, clock.sleepers]).toEqual([0, 0, 0]);
  });

  it("read back changed, and hold for who comes from now on", async () => {
    const { begin, call, change, clock } = changing({ concurrency: 1, queue: 2, queueTimeout: "1s" });
    const running = begin("running");
    const before = begin("before");
    const undo = change({ queueTimeout: "5s", abandonAfter: "1m" });
    expect(explain(call)[0]?.options).toEqual({ concurrency: 1, queue: 2, queueTimeout: 5_000, abandonAfter: 60_000 });
    const after = begin("after");
    await clock.advance("2s");
    expect([before.ended.at, after.ended.at]).toEqual([full({ reason: "queueTimeout" }), undefined]);
    await clock.advance("3s");
    expect(after.ended.at).toEqual(full({ reason: "queueTimeout" }));
    undo();
    expect(explain(call)[0]?.options).toMatchObject({ queueTimeout: 1_000, abandonAfter: Infinity });
    running.end();
    await turn();
  });

  it("written as a number change how many, and keep the rest; a bad one changes nothing", () => {
    const { call, change, seen } = changing({ concurrency: 3, queue: 7 });
    const undo = change(5);
    expect(explain(call)[0]?.options).toMatchObject({ concurrency: 5, queue: 7 });
    expect(() => change({ concurrency: 0, queue: -1 })).toThrow(/bulkhead.concurrency.*bulkhead.queue/);
    expect(explain(call)[0]?.options).toMatchObject({ concurrency: 5, queue: 7 });
    undo();
    expect(explain(call)[0]?.options).toMatchObject({ concurrency: 3, queue: 7 });
    expect(seen.of("options.changed")).toMatchObject([{ layer: "bulkhead" }, { layer: "bulkhead" }]);
    const short = bulkhead(4)(async () => 1);
    configure(short, { bulkhead: { queue: 2 } });
    expect(explain(short)[0]?.options).toMatchObject({ concurrency: 4, queue: 2 });
  });

  it("of a policy hold for all its calls, and are no call's own to change", async () => {
    const db = protect.with("db", { bulkhead: 1 });
    const work = workOf("a");
    const [first, second] = [db("first", work.run as () => Promise<unknown>), db("second", async () => 2)];
    const running = first();
    expect((await settled(second)()).ok).toBe(false);
    configure(db, { bulkhead: 2 });
    expect(await second()).toBe(2);
    expect(() => configure(second, { bulkhead: 9 })).toThrow(/belongs to the policy "db"/);
    work.end();
    await running;
  });
});

describe("`reset()`", () => {
  it("makes it as new: what ran before gives nothing back, and takes nothing away", async () => {
    const { begin, call, places } = setup(2);
    const before = [begin("a"), begin("b")];
    const permitted = setup(1);
    const permit = permitted.places.acquire();
    reset();
    expect([places.running, permitted.places.running]).toEqual([0, 0]);
    const after = [begin("c"), begin("d")];
    expect(permitted.places.acquire()).toBeDefined();
    permit?.done(done);
    for (const work of before) work.end();
    await turn();
    expect([places.running, permitted.places.running]).toEqual([2, 1]);
    expect((await settled(call)(workOf("e"))).ok).toBe(false);
    for (const work of after) work.end();
    await turn();
    expect(places.running).toBe(0);
  });

  it("lets in who waits: those calls are under way", async () => {
    const { begin, places, started } = setup({ concurrency: 1, queue: 3, abandonAfter: "1s" });
    const [running, waits, next] = [begin("running"), begin("waits"), begin("next")];
    await turn();
    reset();
    running.end();
    await turn();
    expect([started, places.running, places.queued]).toEqual([["running", "waits"], 1, 1]);
    waits.end();
    await turn();
    next.end();
    await turn();
    expect([started, places.running]).toEqual([["running", "waits", "next"], 0]);
  });
});

describe("in a policy", () => {
  it("it belongs to the policy: shared by its calls and by what is run on it, and a call may only switch it off", async () => {
    const { clock, events } = setup(1);
    const seams = { clock, events };
    const db = protect.with("db", { bulkhead: 1, seams });
    const work = workOf("a");
    const first = db("first", work.run as () => Promise<unknown>)();
    const second = await settled(db("second", async () => 1))();
    expect(second).toMatchObject({ ok: false, error: { code: "BULKHEAD_FULL", operation: "second" } });
    expect(await db.run(async () => 1).catch((error) => error.code)).toBe("BULKHEAD_FULL");
    expect(await db("free", async () => 1, { bulkhead: false })()).toBe(1);
    expect(() => db("own", async () => 1, { bulkhead: 5 })).toThrow(/"own".*bulkhead.*belongs to the policy "db"/);
    expect(explain(db)).toMatchObject([{ kind: "bulkhead", state: { running: 1 } }]);
    work.end();
    expect(await first).toBe("a");
  });
});
