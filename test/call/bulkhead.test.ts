// A bulkhead: how many at once, who is refused, and how long a place is held.
import {
  type BulkheadFullError,
  breaker,
  configure,
  named,
  pipe,
  protect,
  report,
  retry,
  type Story,
  settled,
  timeout,
} from "holdfast";
import { reset, script, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { bulkhead } from "../../src/call/bulkhead.ts";
import { classifyError } from "../../src/core/classify.ts";
import { readyIn } from "../../src/core/stack.ts";
import { full, setup, turn, workOf } from "./bulkhead-setup.ts";

describe("concurrency", () => {
  it("is how many operations run at a time; a number alone is that", async () => {
    const { begin, places, started } = setup(2);
    const [a, b, c] = [begin("a"), begin("b"), begin("c")];
    await turn();
    expect([started, places.running]).toEqual([["a", "b"], 2]);
    expect(c.ended.at).toEqual(full());
    a.end();
    await turn();
    expect([a.ended.at, places.running]).toEqual([{ value: "a" }, 1]);
    const d = begin("d");
    for (const work of [b, d]) work.end();
    await turn();
    expect([started, places.running]).toEqual([["a", "b", "d"], 0]);
  });

  it("counts what throws, fails or is no promise, and gives its place back", async () => {
    const places = bulkhead(1);
    const acts = [
      () => {
        throw new Error("at once");
      },
      async () => Promise.reject(new Error("later")),
      (() => 1) as never,
      async () => ({ error: { message: "a value that tells of a failure" } }),
    ] satisfies (() => Promise<unknown>)[];
    for (const act of acts) {
      const { story } = await settled(places(act))();
      expect([story.attempts, places.running]).toEqual([1, 0]);
    }
  });

  it("is shared by all that one bulkhead is laid round", async () => {
    const places = bulkhead(1);
    const work = workOf("a");
    void places(work.run as () => Promise<unknown>)();
    expect((await settled(places(async () => 1))()).ok).toBe(false);
    work.end();
    await turn();
    expect(await places(async () => 1)()).toBe(1);
  });

  it("holds for each attempt of a retry outside it: between two rounds no place is held", async () => {
    const { clock, events, places } = setup(1);
    const shaky = script({ error: new Error("once") }, { value: 2 });
    const call = pipe(shaky, places, retry({ base: 1_000, jitter: "none" }, { clock, events }));
    const ended = call(undefined);
    await turn();
    expect(places.running).toBe(0);
    await clock.advance("1s");
    expect(await ended).toBe(2);
  });
});

describe("a call that finds no place", () => {
  it("Queue 0 means none: with one running the second is refused at once", async () => {
    for (const options of [1, { concurrency: 1 }, { concurrency: 1, queue: 0 }]) {
      const { begin, told, places } = setup(options);
      const first = begin("a");
      const second = begin("b");
      await turn();
      expect([first.ended.at, second.ended.at]).toEqual([undefined, full()]);
      expect(told()).toEqual([{ type: "bulkhead.refused", running: 1, queued: 0, limit: 1, reason: "full" }]);
      first.end();
      await turn();
      expect(places.running).toBe(0);
    }
  });

  it("is told limit and queue length, in numbers and in words", async () => {
    const { begin } = setup({ concurrency: 2, queue: 1 });
    for (const name of ["a", "b", "c"]) begin(name);
    const refused = begin("d");
    await turn();
    const { error } = refused.ended.at as { error: BulkheadFullError };
    expect(error).toMatchObject({
      name: "BulkheadFullError",
      operation: "query",
      running: 2,
      queued: 1,
      limit: 2,
      bulkhead: "db",
    });
    expect(error.message).toBe(
      '"query" was not called: the bulkhead "db" is full (2 running, 2 allowed, 1 waiting). Send less at once, or raise its `concurrency` or `queue`.',
    );
  });

  it("is told the truth after the limit was lowered, and by the call's own name where that is the bulkhead's", async () => {
    const work = workOf("a");
    const call = protect("resize", work.run as () => Promise<unknown>, { bulkhead: 3 });
    const running = [call(), call(), call()];
    configure(call, { bulkhead: 1 });
    const error = await call().catch((reason: unknown) => reason as BulkheadFullError);
    expect(error).toMatchObject({ running: 3, queued: 0, limit: 1, bulkhead: "resize" });
    expect((error as Error).message).toContain("its bulkhead is full (3 running, 1 allowed, 0 waiting)");
    work.end();
    await Promise.all(running);
  });

  it("says of itself what a retry of ours makes of it: it is not tried again", async () => {
    const { begin } = setup(1);
    begin("a");
    const { ended } = begin("b");
    await turn();
    const { error } = ended.at as { error: BulkheadFullError };
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ retryable: false, limit: 1, running: 1 });
    expect(error.retryable).toBe(classifyError(error).retry);
  });

  it("ends as `notAdmitted`: nothing was called, and the events are its own", async () => {
    const { call, seen } = setup(1);
    const work = workOf("a");
    void call(work);
    const { story } = await settled(call)(workOf("b"), { labels: { request: "r" } });
    expect(story).toMatchObject({ state: "notAdmitted", attempts: 0 });
    expect(seen.of("bulkhead.refused")).toMatchObject([
      { name: "query", call: story.id, labels: { request: "r" }, severity: "warning" },
    ]);
    work.end();
  });

  it("is no failure to a breaker outside", async () => {
    const { clock, events, places } = setup(1);
    const circuit = breaker({ consecutiveFailures: 1 }, { clock, events });
    const call = pipe((work: { run: () => Promise<unknown> }) => work.run(), places, circuit);
    const work = workOf("a");
    const first = call(work);
    for (let i = 0; i < 20; i++) expect((await settled(call)(work)).ok).toBe(false);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
    work.end();
    await first;
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 0 });
  });

  it("is not retried: the queue is the place to wait in", async () => {
    const { clock, events, places } = setup(1);
    places.acquire();
    const operation = script({ value: 1 });
    const ended = await settled(pipe(operation, places, retry({}, { clock, events })))(undefined);
    expect([ended.ok, operation.calls.length, clock.sleepers]).toEqual([false, 0, 0]);
  });
});

describe("a place", () => {
  it("stays taken until the operation has truly settled, though its caller already got a time-out", async () => {
    const clock = testClock();
    const places = bulkhead(1);
    const seams = { clock };
    const work = workOf("a");
    const call = pipe(named("slow", work.run as () => Promise<unknown>), timeout("1s", seams), places);
    const answered = settled(call)();
    await clock.advance("1s");
    expect((await answered).story.state).toBe("timedOut");
    expect([places.running, (await settled(places(async () => 1))()).ok]).toEqual([1, false]);
    work.end();
    await turn();
    expect([places.running, await places(async () => 1)()]).toEqual([0, 1]);
  });

  it("likewise of a caller that aborted, also where the operation then fails", async () => {
    const { begin, places } = setup(1);
    const controller = new AbortController();
    const { ended, fail } = begin("a", { signal: controller.signal });
    controller.abort("gone");
    await turn();
    expect([ended.at, places.running]).toEqual([{ error: "gone" }, 1]);
    fail(new Error("late"));
    await turn();
    expect(places.running).toBe(0);
  });

  it("likewise of an attempt that a retry follows: the next one needs a place of its own", async () => {
    const { clock, events, places } = setup(2);
    const seams = { clock, events };
    const [first, second] = [workOf("a"), workOf("b")];
    const works = [first, second];
    const call = pipe(
      () => (works.shift() as typeof first).run(),
      timeout("1s", seams),
      places,
      retry({ base: 0 }, seams),
    );
    const ended = call();
    await clock.advance("1s");
    await turn();
    expect(places.running).toBe(2);
    second.end();
    expect(await ended).toBe("b");
    expect(places.running).toBe(1);
    first.fail(new Error("late"));
    await turn();
    expect(places.running).toBe(0);
  });

  it("more than ever run is never let in, though every caller is long gone", async () => {
    const { clock, events, places } = setup(3);
    let [running, most] = [0, 0];
    const stubborn = async () => {
      most = Math.max(most, ++running);
      await clock.sleep(5_000); // whatever its signal says
      running--;
    };
    const call = pipe(stubborn, timeout("100ms", { clock, events }), places);
    for (let i = 0; i < 50; i++) {
      void settled(call)();
      await clock.advance("200ms");
    }
    await clock.advance("5s");
    expect([most, running, places.running]).toEqual([3, 0, 0]);
  });
});

describe("a call that is made in one that has a place", () => {
  function nested(queue: object) {
    const { clock, events, places, told } = setup({ concurrency: 1, ...queue });
    const seams = { clock, events };
    const inner = protect("inner", async () => 1, { bulkhead: places, seams });
    const outer = protect("outer", async (again: number, context): Promise<number> => {
      return again > 0 ? middle(again, context) : inner(undefined, context);
    }, { bulkhead: places, retry: { attempts: 2 }, seams }); // biome-ignore format: it is one line of thought
    const middle = protect("middle", (_: number, context) => inner(undefined, context), {
      cache: { ttl: "1m" },
      seams,
    });
    return { clock, events, inner, outer, places, told };
  }
  const why =
    /"outer", in which it was made, has a place there and may be waiting for it: lay the bulkhead round one of the two\./;

  it.each([
    ["is full", {}, "full"],
    ["gives no place in time", { queue: 5, queueTimeout: "1s" }, "queueTimeout"],
  ])("is told so where the bulkhead %s, however many calls stand between", async (_, queue, reason) => {
    for (const between of [0, 1]) {
      const { clock, outer, told } = nested(queue);
      const ended = settled(outer)(between);
      await clock.advance("2s");
      const { error } = (await ended) as { error?: BulkheadFullError };
      expect(error).toMatchObject({ code: "BULKHEAD_FULL", operation: "inner", reason, heldBy: "outer" });
      expect(error?.message).toMatch(why);
      expect(told().at(-1)).toMatchObject({ type: "bulkhead.refused", heldBy: "outer" });
    }
  });

  it("is told so where the same bulkhead is laid twice round one operation, with or without layers between", async () => {
    const { events, places } = setup({ concurrency: 1 });
    const work = named("work", async () => 1);
    for (const call of [pipe(work, places, places), pipe(work, places, retry({ attempts: 1 }, { events }), places)]) {
      const { error } = (await settled(call)()) as { error?: BulkheadFullError };
      expect(error).toMatchObject({ code: "BULKHEAD_FULL", heldBy: "work" });
    }
  });

  it("is told so in the story and the report where the deadline ends its wait", async () => {
    const { clock, outer } = nested({ queue: 5 });
    const ended = settled(outer)(0, { deadline: "1s" });
    await clock.advance("1s");
    const { error, story } = (await ended) as { error?: unknown; story: Story };
    expect(story.children[0]?.failures).toMatchObject([{ waitedFor: { bulkhead: "db", heldBy: "outer" } }]);
    expect(report(error)).toMatch(why);
  });

  it("not where the places are those of others, or the one around has given its own back", async () => {
    const { clock, inner, outer, events, places } = nested({ queue: 5, queueTimeout: "1s" });
    const seams = { clock, events };
    let permit = places.acquire();
    const plain = protect("plain", (_: number, context) => inner(undefined, context), { seams });
    const later = protect("later", script<number>({ error: Object.assign(new Error("down"), { status: 503 }) }), {
      bulkhead: places,
      fallback: [
        async (_: unknown, context) => {
          permit = places.acquire();
          return inner(undefined, context);
        },
      ],
      seams,
    });
    for (const call of [plain, outer, later] as const) {
      if (call === later) permit?.done({ ok: true, value: undefined });
      const ended = settled(call as typeof plain)(0);
      await clock.advance("1s");
      const { story } = await ended;
      const { error } = story.failures.at(-1) ?? {};
      expect(error).toMatchObject({ code: "BULKHEAD_FULL" });
      expect(error).not.toHaveProperty("heldBy");
    }
  });
});

describe("after a reset", () => {
  it("it is ready at once, before anybody has come", async () => {
    const { call, begin } = setup(1);
    const held = begin("a");
    expect(readyIn(call, held)).toBe(Number.POSITIVE_INFINITY);
    reset();
    expect(readyIn(call, held)).toBe(0);
    held.end();
    await turn();
  });
});
