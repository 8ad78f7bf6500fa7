// A bulkhead whose options are changed through the calls that share it.
import { describe, expect, it } from "vitest";
import { bulkhead, configure, eventBus, explain, OptionsInvalidError, pipe, protect, settled } from "../src/index.ts";
import { record, seededRandom, testClock } from "../src/testing/index.ts";
import { full, setup, turn } from "./call/bulkhead-setup.ts";

function optionsOf(call: unknown): unknown {
  return explain(call).find(({ kind }) => kind === "bulkhead")?.options;
}

const defaults = { queue: 0, queueTimeout: Number.POSITIVE_INFINITY, abandonAfter: Number.POSITIVE_INFINITY };

describe("a bulkhead that is changed", () => {
  it("reads back changed in every option, and as it was after the undo", () => {
    const call = protect("x", async () => 1, { bulkhead: { concurrency: 5, queue: 10 } });
    const undos = [
      configure(call, { bulkhead: { concurrency: 6 } }),
      configure(call, { bulkhead: { concurrency: 6, queue: 3 } }),
      configure(call, { bulkhead: { concurrency: 6, queueTimeout: "1s", abandonAfter: "1m" } }),
    ];
    expect(optionsOf(call)).toEqual({ concurrency: 6, queue: 3, queueTimeout: 1_000, abandonAfter: 60_000 });
    for (const undo of undos) undo();
    expect(optionsOf(call)).toEqual({ ...defaults, concurrency: 5, queue: 10 });
  });

  it("takes a number for its concurrency, and keeps the rest; and options over a number", () => {
    const call = protect("x", async () => 1, { bulkhead: { concurrency: 5, queue: 10 } });
    configure(call, { bulkhead: 7 });
    expect(optionsOf(call)).toEqual({ ...defaults, concurrency: 7, queue: 10 });
    const short = pipe(async () => 1, bulkhead(3));
    configure(short, { bulkhead: { queue: 4 } as never });
    expect(optionsOf(short)).toEqual({ ...defaults, concurrency: 3, queue: 4 });
  });

  it("lets waiters in at once when the limit is raised, with no new call", async () => {
    const { begin, call, places, started } = setup({ concurrency: 1, queue: 5 });
    const works = ["a", "b", "c", "d"].map((name) => begin(name));
    await turn();
    const undo = configure(call, { bulkhead: 3 });
    await turn();
    expect([started, places.running, places.queued]).toEqual([["a", "b", "c"], 3, 1]);
    undo(); // lowered again: who runs keeps its place
    works[0]?.end();
    await turn();
    expect([started.length, places.running, places.queued]).toEqual([3, 2, 1]);
    for (const work of works) work.end();
    await turn();
    expect(works.map(({ ended }) => ended.at)).toEqual(["a", "b", "c", "d"].map((value) => ({ value })));
  });

  it("lets no more in than a lowered limit says, at once, and fails nobody who runs or waits", async () => {
    const { begin, call, places } = setup({ concurrency: 3, queue: 2 });
    const works = ["a", "b", "c", "d"].map((name) => begin(name));
    await turn();
    configure(call, { bulkhead: { concurrency: 1, queue: 0 } });
    const refused = begin("refused");
    await turn();
    expect([refused.ended.at, places.running, places.queued]).toEqual([full({ running: 3, queued: 1 }), 3, 1]);
    for (const work of works) work.end();
    await turn();
    expect(works.every(({ ended }) => ended.at !== undefined && "value" in ended.at)).toBe(true);
    expect([places.running, places.queued]).toEqual([0, 0]);
  });

  it("is checked with what stays as it was: a limit of waiting wants a queue", () => {
    const call = protect("x", async () => 1, { bulkhead: 5 });
    const told = "bulkhead.queueTimeout: wanted a `queue`";
    expect(() => configure(call, { bulkhead: { queueTimeout: "1s" } })).toThrow(told);
    const undo = configure(call, { bulkhead: { queue: 3 } });
    configure(call, { bulkhead: { queueTimeout: "1s" } });
    expect(() => configure(call, { bulkhead: { queue: 0 } })).toThrow(told);
    expect(undo).toThrow(told);
    expect(optionsOf(call)).toEqual({ ...defaults, concurrency: 5, queue: 3, queueTimeout: 1_000 });
    configure(call, { bulkhead: { queue: 0, queueTimeout: Number.POSITIVE_INFINITY } });
    expect(optionsOf(call)).toEqual({ ...defaults, concurrency: 5 });
  });

  it("is refused what it cannot be, and stays as it was", () => {
    const call = protect("x", async () => 1, { bulkhead: 5, timeout: "1s" });
    const change = { timeout: "2s", bulkhead: { concurrency: 0, queue: 1.5 } } as const;
    expect(() => configure(call, change)).toThrow(/bulkhead\.concurrency.*bulkhead\.queue/s);
    expect(() => configure(call, { bulkhead: Number.NaN })).toThrow("bulkhead");
    expect(explain(call).map(({ options }) => options)).toEqual([{ ...defaults, concurrency: 5 }, { after: 1_000 }]);
  });

  it("of a policy is changed there, for all its calls, and on none of them", async () => {
    const db = protect.with("db", { bulkhead: 2 });
    const [read, write] = [db("read", async () => 1), db("write", async () => 1)];
    expect(() => configure(read, { bulkhead: 5 })).toThrow(OptionsInvalidError);
    expect(() => configure(read, { bulkhead: 5 })).toThrow('the policy "db"');
    const undo = configure(db, { bulkhead: 5 });
    const all = () => [read, write, db, db("later", async () => 1)].map((one) => optionsOf(one));
    expect(all()).toEqual(Array(4).fill({ ...defaults, concurrency: 5 }));
    undo();
    expect(all()).toEqual(Array(4).fill({ ...defaults, concurrency: 2 }));
  });
});

describe("a thousand calls in flight", { timeout: 60_000 }, () => {
  it("are none of them lost while retry, breaker, timeout and bulkhead change; places are given back, counts are kept, a bad change changes nothing", async () => {
    const [clock, events, random] = [testClock(), eventBus(), seededRandom(11)];
    const seen = record(events);
    let [running, most] = [0, 0];
    const operation = async () => {
      most = Math.max(most, ++running);
      try {
        await clock.sleep(1 + random() * 400);
        if (random() < 0.3) throw Object.assign(new Error("down"), { status: 500 });
        return "ok";
      } finally {
        running--;
      }
    };
    const call = protect("x", operation, {
      retry: { attempts: 3, base: "10ms" },
      breaker: { minimumCalls: 10_000, window: "30m" },
      timeout: "1s",
      bulkhead: { concurrency: 20, queue: 1_000 },
      seams: { clock, events },
    });
    const calls = Array.from({ length: 1_000 }, () => settled(call)());
    const stateOf = (kind: string) => explain(call).find((layer) => layer.kind === kind)?.state;
    await clock.advance("2s");
    const { calls: counted } = stateOf("breaker") as { calls: number };
    expect([counted > 50, most, stateOf("bulkhead")]).toEqual([true, 20, expect.objectContaining({ running: 20 })]);

    const undo = configure(call, {
      ...{ retry: { attempts: 8 }, breaker: { failureRate: 0.9, window: "1h" }, timeout: "2s", bulkhead: 60 },
    });
    await clock.advance(1); // with no new call
    expect([running, stateOf("breaker")]).toEqual([60, expect.objectContaining({ calls: counted })]);
    const before = explain(call);
    expect(() => configure(call, { timeout: "1s", bulkhead: 0, retry: { attempts: 1 } })).toThrow("bulkhead");
    expect(explain(call)).toEqual(before);

    most = 0;
    await clock.advance("1s");
    undo();
    configure(call, { retry: { attempts: 8 }, bulkhead: 10 });
    expect(most).toBe(60);
    await clock.advance("1s"); // those that were in have left
    most = 0;
    await clock.advance("10m");
    const ends = await Promise.all(calls);
    expect([most, running, stateOf("bulkhead")]).toEqual([10, 0, expect.objectContaining({ running: 0, queued: 0 })]);
    expect(ends.filter(({ ok }) => ok).length).toBeGreaterThan(990);
    expect(seen.of("call.settled")).toHaveLength(1_000);
    expect(stateOf("breaker")).toMatchObject({ state: "closed", calls: seen.of("attempt.started").length });
  });
});
