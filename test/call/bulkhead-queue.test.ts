// Who waits for a place of a bulkhead: in which order, how long, and who gives way.
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { type Criticality, deadline, named, pipe, protect, retry, settled, timeout } from "holdfast";
import { script } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { full, setup, turn, workOf } from "./bulkhead-setup.ts";

describe("a queue", () => {
  it("lets so many wait, first come first served, and tells of each", async () => {
    const { begin, places, started, told } = setup({ concurrency: 1, queue: 2 });
    const [a, b, c, d] = [begin("a"), begin("b"), begin("c"), begin("d")];
    await turn();
    expect([places.running, places.queued, d.ended.at]).toEqual([1, 2, full({ running: 1, queued: 2 })]);
    for (const work of [a, b, c]) {
      work.end();
      await turn();
    }
    expect([started, b.ended.at, c.ended.at]).toEqual([["a", "b", "c"], { value: "b" }, { value: "c" }]);
    expect([places.running, places.queued]).toEqual([0, 0]);
    expect(told()).toEqual([
      { type: "bulkhead.queued", queued: 1 },
      { type: "bulkhead.queued", queued: 2 },
      { type: "bulkhead.refused", running: 1, queued: 2, limit: 1, reason: "full" },
    ]);
  });

  it("goes by criticality: the more critical first, in order of coming within one", async () => {
    const { begin, started } = setup({ concurrency: 1, queue: 20 });
    const first = begin("running");
    const order = ["background", "normal", "critical", "sheddable", undefined] as const;
    const waiting = [1, 2].flatMap((n) => order.map((criticality) => begin(`${criticality} ${n}`, { criticality })));
    for (const work of [first, ...waiting]) work.end();
    await turn();
    expect(started).toEqual([
      "running",
      ...["critical 1", "critical 2"],
      ...["normal 1", "undefined 1", "normal 2", "undefined 2"],
      ...["sheddable 1", "sheddable 2"],
      ...["background 1", "background 2"],
    ]);
  });

  it("takes the criticality of the declaration, of the caller, and of the call around", async () => {
    const { begin, call, clock, events, places, started } = setup({ concurrency: 1, queue: 20 });
    const seams = { clock, events };
    const first = begin("running");
    const operation = (name: string) => async () => void started.push(name);
    const declared = protect("declared", operation("declared"), { bulkhead: places, criticality: "sheddable", seams });
    const inner = protect("inner", operation("inner"), { bulkhead: places, seams });
    const outer = protect("outer", (_: void, context) => inner(undefined, context), {
      criticality: "background",
      seams,
    });
    void outer();
    void declared();
    void declared(undefined, { criticality: "critical" });
    const unknown = call({ ...workOf("unknown"), run: async () => 1 }, { criticality: "normal" });
    first.end();
    await unknown;
    await turn();
    expect(started).toEqual(["running", "declared", "unknown", "declared", "inner"]);
  });

  it("that is full gives the place of its least critical and youngest to a more critical call, and tells it", async () => {
    const { begin, places, started, told } = setup({ concurrency: 1, queue: 3 });
    const running = begin("running");
    const [old, young] = [begin("old", { criticality: "background" }), begin("young", { criticality: "background" })];
    const normal = begin("normal");
    const same = begin("same", { criticality: "background" });
    const critical = begin("critical", { criticality: "critical" });
    await turn();
    expect(same.ended.at).toEqual(full({ reason: "full", queued: 3 }));
    expect(young.ended.at).toEqual(full({ reason: "displaced", running: 1 }));
    expect((young.ended.at as { error: Error }).error.message).toBe(
      '"query" was not called: a more critical call took its place in the queue of the bulkhead "db" (1 running, 1 allowed, 3 waiting). Send less at once, raise its `concurrency` or `queue`, or say a higher `criticality`.',
    );
    expect([old.ended.at, normal.ended.at, places.queued]).toEqual([undefined, undefined, 3]);
    expect(told().slice(-3)).toEqual([
      { type: "bulkhead.refused", running: 1, queued: 3, limit: 1, reason: "full" },
      { type: "bulkhead.queued", queued: 3 },
      { type: "bulkhead.refused", running: 1, queued: 3, limit: 1, reason: "displaced" },
    ]);
    for (const work of [running, critical, normal, old]) work.end();
    await turn();
    expect(started).toEqual(["running", "critical", "normal", "old"]);
  });

  it("that is full of what is as critical refuses the newcomer, and nobody who waits", async () => {
    const { begin, places } = setup({ concurrency: 1, queue: 1 });
    const waiting = [begin("running"), begin("waits", { criticality: "critical" })];
    const refused = begin("late", { criticality: "critical" });
    await turn();
    expect([refused.ended.at, places.queued]).toEqual([full({ reason: "full" }), 1]);
    for (const work of waiting) work.end();
    await turn();
  });

  it("gives an input that is a thenable on as it is, and does not run it", async () => {
    const { begin, places } = setup({ concurrency: 1, queue: 1 });
    const first = begin("running");
    let ran = 0;
    // biome-ignore lint/suspicious/noThenProperty: a query builder is one
    const query = { then: () => void ran++ };
    const call = places(named("query", async (given: typeof query) => given === query));
    const ended = call(query);
    first.end();
    expect([await ended, ran]).toEqual([true, 0]);
  });
});

describe("a waiter", () => {
  it("that is aborted is rejected within a tick and leaves the queue; the next one runs", async () => {
    const { begin, places, started, told } = setup({ concurrency: 1, queue: 2 });
    const controller = new AbortController();
    const running = begin("running");
    const [gone, next] = [begin("gone", { signal: controller.signal }), begin("next")];
    await turn();
    controller.abort("gone");
    expect(places.queued).toBe(1);
    await Promise.resolve();
    await turn();
    expect(gone.ended.at).toEqual({ error: "gone" });
    running.end();
    await turn();
    expect([started, places.queued]).toEqual([["running", "next"], 0]);
    next.end();
    await turn();
    expect(told().map(({ type }) => type)).toEqual(["bulkhead.queued", "bulkhead.queued"]);
  });

  it("that waits longer than `queueTimeout` is refused, and says so", async () => {
    const { begin, clock, places, told } = setup({ concurrency: 1, queue: 5, queueTimeout: "1s" });
    const running = begin("running");
    await clock.advance("5s"); // running has no such limit
    const late = begin("late");
    await clock.advance(999);
    expect(late.ended.at).toBeUndefined();
    const later = begin("later");
    await clock.advance(1);
    expect(late.ended.at).toEqual(full({ reason: "queueTimeout", running: 1, queued: 1 }));
    expect((late.ended.at as { error: Error }).error.message).toBe(
      '"query" was not called: no place in the bulkhead "db" came free while it waited (1 running, 1 allowed, 1 waiting). Send less at once, or raise its `concurrency` or `queueTimeout`.',
    );
    expect(told().at(-1)).toEqual({
      type: "bulkhead.refused",
      running: 1,
      queued: 1,
      limit: 1,
      reason: "queueTimeout",
    });
    running.end();
    await turn();
    expect([places.queued, later.ended.at, clock.sleepers]).toEqual([0, undefined, 0]);
    await clock.advance("1m"); // the limit is for waiting alone
    later.end();
    await turn();
    expect(later.ended.at).toEqual({ value: "later" });
  });

  it("that got its place in the moment in which its caller left gives it back, and calls nothing", async () => {
    const { begin, places, started } = setup({ concurrency: 1, queue: 2 });
    const controller = new AbortController();
    const running = begin("running");
    const gone = begin("gone", { signal: controller.signal });
    const next = begin("next");
    await turn();
    running.end();
    await Promise.resolve();
    controller.abort("gone");
    await turn();
    expect([gone.ended.at, started, places.running]).toEqual([{ error: "gone" }, ["running", "next"], 1]);
    next.end();
    await turn();
    expect(places.running).toBe(0);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])("is never lost, whichever step of its way the abort comes at: %i", async (steps) => {
    const { begin, places, started } = setup({ concurrency: 1, queue: 2 });
    const controller = new AbortController();
    const running = begin("running");
    const gone = begin("gone", { signal: controller.signal });
    await turn();
    running.end();
    for (let i = 0; i < steps; i++) await Promise.resolve();
    controller.abort("gone");
    gone.end();
    await turn();
    expect([{ error: "gone" }, { value: "gone" }]).toContainEqual(gone.ended.at);
    expect([places.running, places.queued]).toEqual([0, 0]);
    expect(started.length).toBeLessThanOrEqual(2);
  });

  it("that gives way in the moment in which its caller leaves is told of once: as cancelled", async () => {
    const { begin, places, told } = setup({ concurrency: 1, queue: 1 });
    const controller = new AbortController();
    const running = begin("running");
    const gone = begin("gone", { signal: controller.signal });
    await turn();
    const critical = begin("critical", { criticality: "critical" });
    controller.abort("gone");
    await turn();
    expect(gone.ended.at).toEqual({ error: "gone" });
    expect(told().map(({ type }) => type)).toEqual(["bulkhead.queued", "bulkhead.queued"]);
    for (const work of [running, critical]) work.end();
    await turn();
    expect(places.running).toBe(0);
  });

  it("whose caller leaves while the bus is told of it is not forgotten", async () => {
    const { begin, events, places } = setup({ concurrency: 1, queue: 2 });
    const controller = new AbortController();
    const running = begin("running");
    events.on("bulkhead.queued", () => controller.abort("gone"));
    await turn();
    const gone = begin("gone", { signal: controller.signal });
    await turn();
    expect([gone.ended.at, places.queued, places.running]).toEqual([{ error: "gone" }, 0, 1]);
    running.end();
    await turn();
    expect(places.running).toBe(0);
  });

  it("spends the deadline, not the attempt's time-out", async () => {
    const { begin, clock, events, places } = setup({ concurrency: 1, queue: 2 });
    const seams = { clock, events };
    const running = begin("running");
    const slow = script({ value: 1, after: 900 });
    const call = pipe(slow, timeout("1s", seams), places, deadline("10s", seams));
    const [served, starved] = [settled(call)("served"), settled(call)("starved")];
    await clock.advance("8s");
    running.end();
    await clock.advance(900);
    expect(await served).toMatchObject({ ok: true, value: 1 });
    places.acquire();
    await clock.advance("2s");
    expect(await starved).toMatchObject({ ok: false, story: { state: expect.stringMatching("timedOut|failed") } });
  });

  it("that is a later attempt of a retry waits like others, and its abort ends the wait", async () => {
    const { clock, events, places } = setup({ concurrency: 1, queue: 1 });
    const seams = { clock, events };
    const controller = new AbortController();
    const shaky = script({ error: new Error("once") }, { value: 1 });
    const call = pipe(shaky, places, retry({ base: 100, jitter: "none" }, seams));
    const ended = settled(call)(undefined, { signal: controller.signal });
    await turn();
    const held = places.acquire();
    await clock.advance(100);
    expect(places.queued).toBe(1);
    controller.abort("gone");
    expect(await ended).toMatchObject({ ok: false, error: "gone", story: { state: "cancelled" } });
    expect(places.queued).toBe(0);
    held?.done({ ok: true, value: undefined });
    expect(places.running).toBe(0);
  });

  it("goes on in its own caller's async context, whoever ended the wait", async () => {
    const { begin, clock, events, places, call } = setup({ concurrency: 1, queue: 2, queueTimeout: "1s" });
    const caller = new AsyncLocalStorage<string>();
    const running = begin("running");
    const heard: unknown[] = [];
    events.on("bulkhead.refused", () => void heard.push(caller.getStore()));
    const within = (name: string, criticality?: Criticality) =>
      caller.run(
        name,
        () => void call({ name, run: async () => heard.push(caller.getStore()) }, { criticality }).catch(() => {}),
      );
    within("b");
    within("c", "background");
    caller.run("a", () => begin("a").end()); // displaces c
    await turn();
    expect(heard).toEqual(["c"]);
    caller.run("somebody else", () => running.end());
    await turn();
    expect(heard).toEqual(["c", "b"]);
    const last = places.acquire();
    within("d");
    await clock.advance("1s");
    expect(heard).toEqual(["c", "b", "d"]);
    last?.done({ ok: true, value: 1 });
  });
});

describe("after 1,000 waiters gave up", () => {
  it.each(["abort", "queueTimeout", "deadline"] as const)(
    "by %s capacity is full again, and nothing is left",
    async (how) => {
      const { begin, clock, places, call } = setup({ concurrency: 3, queue: 1_000, queueTimeout: "1m" });
      const controller = new AbortController();
      const { signal } = controller;
      const running = [begin("a"), begin("b"), begin("c")];
      const gone = Array.from({ length: 1_000 }, () =>
        begin("gone", how === "abort" ? { signal } : how === "deadline" ? { deadline: "1s" } : {}),
      );
      await turn();
      expect([places.queued, getEventListeners(signal, "abort").length]).toEqual([1_000, how === "abort" ? 1 : 0]);
      if (how === "abort") controller.abort("gone");
      else await clock.advance("1m");
      await turn();
      expect(gone.every(({ ended }) => ended.at !== undefined && "error" in ended.at)).toBe(true);
      expect([places.queued, places.running]).toEqual([0, 3]);
      for (const work of running) work.end();
      await turn();
      expect([places.running, clock.sleepers, getEventListeners(signal, "abort").length]).toEqual([0, 0, 0]);
      const again = Array.from({ length: 3 }, () => workOf("again"));
      const answers = again.map((work) => call(work));
      expect(places.running).toBe(3);
      for (const work of again) work.end();
      expect(await Promise.all(answers)).toEqual(["again", "again", "again"]);
    },
  );
});
