// How long a place of a bulkhead is held: to the true end, to the end of a body, or for as long as is borne with.
import { type CallContext, named, pipe, protect, retry, settled, timeout } from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { bulkhead } from "../../src/call/bulkhead.ts";
import { explain } from "../../src/core/explain.ts";
import { around } from "../composition/setup.ts";
import { collectedUntil, loopback, part } from "../core/loopback.ts";
import { setup, turn, workOf } from "./bulkhead-setup.ts";

describe("`abandonAfter`", () => {
  const options = { concurrency: 1, queue: 1, abandonAfter: "10s" } as const;
  const stateOf = (call: unknown) => explain(call)[0]?.state;

  it("gives the place of an operation whose caller has gone to others, so long after, and tells of it", async () => {
    const { begin, call, clock, seen, told } = setup(options);
    const controller = new AbortController();
    const gone = begin("gone", { signal: controller.signal });
    const waits = begin("waits");
    await clock.advance("1m"); // somebody waits for it: it may take as long as it takes
    controller.abort("gone");
    await clock.advance(9_999);
    expect([stateOf(call), waits.ended.at]).toEqual([{ running: 1, queued: 1, abandoned: 0 }, undefined]);
    await clock.advance(1);
    expect(stateOf(call)).toEqual({ running: 1, queued: 0, abandoned: 1 });
    waits.end();
    await turn();
    expect(waits.ended.at).toEqual({ value: "waits" });
    expect(told().at(-1)).toEqual({ type: "bulkhead.abandoned", afterMs: 10_000, running: 1, abandoned: 1 });
    const [abandoned] = seen.of("attempt.abandoned");
    expect(seen.of("bulkhead.abandoned")).toMatchObject([
      { name: "query", call: abandoned?.call, severity: "warning" },
    ]);
    gone.end();
    await turn();
    expect([stateOf(call), clock.sleepers]).toEqual([{ running: 0, queued: 0, abandoned: 0 }, 0]);
  });

  it("does nothing to one that ends in time, and leaves no timer", async () => {
    const { begin, call, clock, told } = setup(options);
    const gone = begin("gone", { deadline: "1s" });
    await clock.advance("5s");
    gone.fail(new Error("late"));
    await clock.advance("1m");
    expect([stateOf(call), told(), clock.sleepers]).toEqual([{ running: 0, queued: 0, abandoned: 0 }, [], 0]);
  });

  it("counts the ones that never end for as long as they run, and no more than their number", async () => {
    const { begin, call, clock } = setup({ concurrency: 2, abandonAfter: 1 });
    const works = [];
    for (let i = 0; i < 20; i++) {
      works.push(begin(`${i}`, { deadline: 1 }));
      await clock.advance(2);
    }
    expect(stateOf(call)).toEqual({ running: 0, queued: 0, abandoned: 20 });
    for (const work of works.slice(0, 15)) work.end();
    await turn();
    expect(stateOf(call)).toEqual({ running: 0, queued: 0, abandoned: 5 });
  });

  it("is for an attempt that timed out too, while the call goes on with the next", async () => {
    const { clock, events, places } = setup({ ...options, concurrency: 2 });
    const seams = { clock, events };
    const [first, second] = [workOf("first"), workOf("second")];
    const works = [first, second];
    const call = pipe(
      () => (works.shift() as typeof first).run(),
      timeout("20s", seams),
      places,
      retry({ base: 0, attempts: 2 }, seams),
    );
    const ended = call();
    await clock.advance("30s");
    expect(explain(call)[1]?.state).toEqual({ running: 1, queued: 0, abandoned: 1 });
    second.end();
    expect(await ended).toBe("second");
    first.end();
    await turn();
    expect(explain(call)[1]?.state).toEqual({ running: 0, queued: 0, abandoned: 0 });
  });

  it("is for what a layer inside it has left running too", async () => {
    const { clock, events, places } = setup(options);
    const [slow, quick] = [workOf("slow"), workOf("quick")];
    const works = [slow, quick];
    const race = around((inner) => (input, context) => Promise.race([inner(input, context), inner(input, context)]));
    const call = pipe(
      named("race", () => (works.shift() as typeof slow).run()),
      race,
      places,
    );
    const ended = call(undefined);
    quick.end();
    expect(await ended).toBe("quick");
    expect(places.running).toBe(1);
    await clock.advance("10s");
    expect(explain(call)[0]?.state).toEqual({ running: 0, queued: 0, abandoned: 1 });
    slow.end();
    await turn();
    expect(explain(call)[0]?.state).toEqual({ running: 0, queued: 0, abandoned: 0 });
    expect(events.quiet).toBe(false);
  });

  it("does not take its place from a body that is being read", async () => {
    const { clock, places } = setup(options);
    let feed: ReadableStreamDefaultController | undefined;
    const get = places(
      named(
        "get",
        async () =>
          new Response(
            new ReadableStream({
              start(controller) {
                feed = controller;
              },
            }),
          ),
      ),
    );
    const response = await get();
    const text = response.text();
    await clock.advance("1h");
    expect(places.running).toBe(1);
    feed?.close();
    await text;
    await turn();
    expect(places.running).toBe(0);
  });

  it("forgets what it watched with a `reset()`", async () => {
    const { begin, call, clock } = setup(options);
    const gone = begin("gone", { deadline: 1 });
    await clock.advance(2);
    reset();
    expect([stateOf(call), clock.sleepers]).toEqual([{ running: 0, queued: 0, abandoned: 0 }, 0]);
    await clock.advance("1m");
    gone.end();
    await turn();
    expect(stateOf(call)).toEqual({ running: 0, queued: 0, abandoned: 0 });
  });
});

describe("a body on its way", () => {
  it("holds its place to its end: read, cancelled, cut or broken off", async () => {
    const { origin, next } = await loopback();
    const places = bulkhead(1);
    const get = places((path: string, { signal }) => fetch(origin + path, { signal }));
    const ends: [string, (response: Response, finish: () => void, abort: () => void) => unknown][] = [
      ["read", async (response, finish) => [finish(), await response.text()]],
      ["cancelled", (response) => response.body?.cancel()],
      ["cut", async (response, _, abort) => [abort(), await response.text().catch(() => {})]],
    ];
    for (const [how, end] of ends) {
      const controller = new AbortController();
      const [{ served }, response] = await Promise.all([next(), get("/stall", { signal: controller.signal })]);
      expect([how, places.running, (await settled(get)("/none")).ok]).toEqual([how, 1, false]);
      await end(
        response,
        () => served.end(),
        () => controller.abort("cut"),
      );
      await turn();
      expect([how, places.running]).toEqual([how, 0]);
    }
    const [{ served }, response] = await Promise.all([next(), get("/stall")]);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(part);
    served.destroy();
    await expect(reader?.read()).rejects.toThrow();
    await turn();
    expect(places.running).toBe(0);
  });

  it("that nobody reads holds it until it is collected, be it the first attempt's or a later one's", async () => {
    const { origin } = await loopback();
    for (const fails of [0, 1]) {
      const places = bulkhead(1);
      let calls = 0;
      const get = pipe(
        async (_: void, { signal }: CallContext) => {
          if (calls++ < fails) throw new Error("once");
          return fetch(`${origin}/stall`, { signal });
        },
        places,
        retry({ base: 0 }),
      );
      await (async () => expect((await get(undefined, { deadline: "1h" })).status).toBe(200))();
      expect(places.running).toBe(1);
      await collectedUntil(() => places.running === 0);
      expect([fails, places.running]).toEqual([fails, 0]);
    }
  });

  it("of a failing response that may be tried again holds none: a back-off keeps no place, and no retry waits for itself", async () => {
    const { clock, events } = setup(1);
    const seams = { clock, events };
    for (const queue of [0, 1]) {
      const places = bulkhead({ concurrency: 1, queue }, seams);
      const answers = [new Response("busy", { status: 503 }), new Response("well")];
      const call = protect("get", async () => answers.shift() as Response, { bulkhead: places, retry: {}, seams });
      const ended = call();
      await turn();
      expect(places.running).toBe(0);
      await clock.advance("1s");
      const response = await ended;
      expect(places.running).toBe(1);
      expect(await response.text()).toBe("well");
      await turn();
      expect(places.running).toBe(0);
    }
  });

  it("of a failing response gives its place back where a layer of one's own may ask once more", async () => {
    const places = bulkhead({ concurrency: 1, queue: 1 });
    const answers = [new Response("busy", { status: 503 }), new Response("well")];
    const again = around((run) => async (input, context) => {
      const first = (await run(input, context)) as Response;
      return first.ok ? first : run(input, context);
    });
    const response = await pipe(async () => answers.shift() as Response, places, again)();
    expect(await response.text()).toBe("well");
    await turn();
    expect(places.running).toBe(0);
  });

  it("of a failing response that is delivered holds its place", async () => {
    for (const options of [{}, { retry: {} }]) {
      const places = bulkhead(1);
      const call = protect("get", async () => new Response("none", { status: 404 }), { bulkhead: places, ...options });
      const response = await call();
      expect(places.running).toBe(1);
      expect(await response.text()).toBe("none");
      await turn();
      expect(places.running).toBe(0);
    }
  });
});
