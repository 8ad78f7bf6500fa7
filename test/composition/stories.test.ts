// Design rule 15 and the words of §2: the story of a call, from its error alone, by its id, as text, or beside its end.
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  BreakerOpenError,
  breaker,
  eventBus,
  fallback,
  pipe,
  protect,
  report,
  retry,
  settled,
  stories,
  storyOf,
} from "../../src/index.ts";
import { record, reset, script, seams, testClock } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

function withStories(keep: { failures?: number; successes?: number } = {}) {
  reset();
  stories.keep({ failures: 100, successes: 0, ...keep });
  onTestFinished(() => stories.keep({ failures: 100, successes: 0 }));
  return setup();
}

async function errorOf(call: () => Promise<unknown>): Promise<unknown> {
  return call().then(
    () => "no error",
    (error) => error,
  );
}

describe("`settled`", () => {
  it("never rejects: `ok` says whether it resolved", async () => {
    withStories();
    const down = new Error("down");
    const call = settled(protect("user", script<number>({ value: 1 }, { error: down }, { error: undefined })));
    expect(await call(undefined)).toMatchObject({ ok: true, value: 1, story: { state: "succeeded" } });
    expect(await call(undefined)).toMatchObject({ ok: false, error: down, story: { state: "failed" } });
    expect(await call(undefined)).toMatchObject({ ok: false, error: undefined, story: { state: "failed" } });
  });

  it("gives each of overlapping calls its own story", async () => {
    const { clock } = withStories();
    const call = settled(protect("user", script({ value: 1, after: 30 }, { value: 2, after: 10 })));
    const both = Promise.all([call(undefined), call(undefined)]);
    await clock.advance(30);
    const [first, second] = await both;
    expect([first.story.elapsedMs, second.story.elapsedMs]).toEqual([30, 10]);
    expect(first.story.id).not.toBe(second.story.id);
  });

  it("takes a bare function too, and what a caller may say of one call", async () => {
    withStories();
    const bare = async (id: string) => id;
    expect(await settled(bare)("ada", { labels: { request: "r1" } })).toMatchObject({
      ...{ ok: true, value: "ada", story: { name: "bare", labels: { request: "r1" } } },
    });
    expect(await settled(bare)("ada", { signal: AbortSignal.abort("no") })).toMatchObject({ ok: false, error: "no" });
  });

  it("tells what the call was, in plain facts", async () => {
    const { clock } = withStories();
    await clock.advance("1h");
    const call = protect.with("db", { retry: { jitter: "none" } })(
      "user",
      script({ error: new Error("down"), after: 30 }, { value: 1, after: 20 }),
    );
    const ended = settled(call)(undefined, { labels: { tenant: "t" } });
    await clock.advance("1s");
    const { story } = await ended;
    expect(story).toEqual({
      ...{ id: expect.any(String), name: "user", component: "db", state: "succeeded", labels: { tenant: "t" } },
      ...{
        startedAt: 3_600_000,
        elapsedMs: 150,
        attempts: 2,
        failures: [expect.anything()],
        tier: 0,
        tierName: "user",
      },
      ...{ corrections: [], cost: {}, children: [] },
    });
  });
});

describe("the calls inside", () => {
  it("are told when they have ended; one that still runs has no state yet", async () => {
    const { clock } = withStories({ successes: 9 });
    const inner = protect("inner", script({ value: 1, after: "2s" }, { value: 2 }));
    const outer = protect("outer", async (_: void, context) => {
      inner(undefined, context);
      return inner(undefined, context);
    });
    const { story } = await settled(outer)();
    expect(story.children.map(({ state }) => state)).toEqual(["succeeded"]);
    await clock.advance("2s");
    expect(stories.get(story.id)?.children.map(({ elapsedMs }) => elapsedMs)).toEqual([2_000, 0]);
  });
});

describe("`storyOf(error)`", () => {
  it("is the story of the failed call, from an error of ours or from a foreign one", async () => {
    withStories();
    const foreign = new Error("down");
    const circuit = breaker();
    circuit.isolate();
    const ours = await errorOf(protect("b", async () => 1, { breaker: circuit }));
    await errorOf(protect("a", async () => Promise.reject(foreign)));
    expect(storyOf(foreign)).toMatchObject({ name: "a", state: "failed" });
    expect(storyOf(ours)).toMatchObject({ name: "b", state: "notAdmitted" });
  });

  it("is not for primitives, nor for what no call ended with", async () => {
    withStories();
    await errorOf(protect("a", async () => Promise.reject("text")));
    await errorOf(protect("a", async () => Promise.reject(42)));
    expect([storyOf("text"), storyOf(42), storyOf(undefined), storyOf(null), storyOf(new Error("x"))]).toEqual(
      Array(5).fill(undefined),
    );
  });

  it("is that of the outermost settled call", async () => {
    withStories();
    const error = new Error("down");
    const inner = protect("inner", async () => Promise.reject(error));
    await errorOf(protect("outer", (_: void, context) => inner(undefined, context)));
    expect(storyOf(error)).toMatchObject({ name: "outer", children: [{ name: "inner" }] });
  });

  it("holds for an error that is frozen, or an object that is no error", async () => {
    withStories();
    for (const error of [Object.freeze(new Error("frozen")), { code: 1 }, () => {}]) {
      await errorOf(protect("a", async () => Promise.reject(error)));
      expect(storyOf(error)).toMatchObject({ name: "a" });
    }
  });

  it("adds nothing to the error that can be seen, printed or logged", async () => {
    withStories();
    const foreign = Object.assign(new Error("down"), { code: "E" });
    await errorOf(protect("a", async () => Promise.reject(foreign)));
    const ours = await errorOf(() => protect("b", async () => 1)(undefined, { deadline: 0 }));
    expect(storyOf(ours)).toBeDefined();
    expect(Object.keys(foreign)).toEqual(["code"]);
    expect(JSON.stringify(foreign)).toBe('{"code":"E"}');
    for (const error of [foreign, ours])
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/elapsedMs|tierName/);
    expect(JSON.stringify(ours)).not.toMatch(/tierName/);
  });

  it("is still there when newer ones have pushed it out of the recent ones", async () => {
    withStories({ failures: 1 });
    const error = new Error("first");
    await errorOf(protect("a", async () => Promise.reject(error)));
    await errorOf(protect("b", async () => Promise.reject(new Error("second"))));
    expect(stories.recent().map(({ name }) => name)).toEqual(["b"]);
    expect(storyOf(error)?.name).toBe("a");
  });
});

describe("`stories`", () => {
  it("are failures in a bounded ring by default, found by their id", async () => {
    withStories({ failures: 3 });
    const { story } = await settled(protect("ok", async () => 1))();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await settled(protect(`no ${i}`, script({ error: i })))(undefined)).story.id);
    expect(stories.recent().map(({ name }) => name)).toEqual(["no 2", "no 3", "no 4"]);
    expect([stories.get(story.id), stories.get(ids[0] ?? ""), stories.get(ids[4] ?? "")?.name]).toEqual([
      ...[undefined, undefined, "no 4"],
    ]);
  });

  it("are successes too when asked (`keep`)", async () => {
    withStories({ successes: 2 });
    for (const name of ["a", "b", "c"]) await protect(name, async () => 1)();
    expect(stories.recent().map(({ name, state }) => [name, state])).toEqual([
      ["b", "succeeded"],
      ["c", "succeeded"],
    ]);
  });

  it("of a value that told of a failure are failures", async () => {
    withStories();
    await protect("get", async () => new Response(null, { status: 500 }))();
    expect(stories.recent()).toMatchObject([{ name: "get", state: "failed" }]);
  });

  it("of a response that told of a failure keep what it said, and not the body that somebody is yet to read", async () => {
    withStories();
    const headers = { "x-request-id": "7" };
    const response = new Response("down", { status: 500, statusText: "Broken", headers });
    expect(await protect("get", async () => response)()).toBe(response);
    const told = stories.recent()[0]?.failures[0]?.error as Response;
    expect(told).toMatchObject({ status: 500, statusText: "Broken", body: null });
    expect(told.headers.get("x-request-id")).toBe("7");
    expect(await response.text()).toBe("down");
  });

  it("of a response without a body, or whose body was read, are told by it itself", async () => {
    withStories();
    const read = new Response("down", { status: 500 });
    await read.text();
    for (const response of [new Response(null, { status: 500 }), read]) {
      await protect("get", async () => response)();
      expect(stories.recent().at(-1)?.failures[0]?.error).toBe(response);
    }
  });

  it("of a response of a client's own keep as much, with where it came from, also where the platform makes none like it", async () => {
    withStories();
    const odd = (status: number) => {
      const body = new ReadableStream();
      const facts = {
        status,
        statusText: "Odd",
        headers: new Headers({ a: "1" }),
        url: "https://a.example/b",
        body,
        bodyUsed: false,
      };
      return Object.assign(new (class Response {})(), facts, {
        [Symbol.toStringTag]: "Response",
        text: async () => "",
      });
    };
    const broken = { kind: "transient", retry: false, counts: true, fallBack: false } as const;
    const told = async (status: number) => {
      await protect("get", async () => odd(status), { classify: () => broken })();
      return stories.recent().at(-1)?.failures;
    };
    const facts = { statusText: "Odd", url: "https://a.example/b" };
    expect(await told(503)).toMatchObject([{ kind: "transient", error: { ...facts, status: 503, body: null } }]);
    const [kept] = (await told(999)) ?? [];
    expect(kept).toMatchObject({ kind: "transient", attempt: 1, tier: 0 });
    expect(kept?.error).toEqual({ ...facts, status: 999 });
  });

  it("tell of refused credentials with the status that says so, also where a client's own error is round it", async () => {
    const { seen } = withStories();
    const refused = Object.assign(new Error("no"), { status: 403 });
    const tried = Object.assign(new Error("tried"), { name: "AI_RetryError", lastError: refused, errors: [refused] });
    for (const error of [refused, tried]) await errorOf(protect("a", async () => Promise.reject(error)));
    expect(seen.of("credentials.refused").map(({ status }) => status)).toEqual([403, 403]);
  });

  it("have the id that every event of the call has", async () => {
    const { seen } = withStories();
    await errorOf(protect("a", async () => Promise.reject(new Error("down"))));
    const ids = new Set(seen.events.map(({ call }) => call));
    expect([...ids]).toEqual([stories.recent()[0]?.id]);
  });
});

describe("`report(error)`", () => {
  it("is the story as text for three in the morning: every attempt, the calls inside, and what now", async () => {
    const { clock } = withStories();
    const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });
    const inner = protect("lookup", async () => Promise.reject(refused));
    const call = protect("order", (_: void, context) => inner(undefined, context), {
      retry: { attempts: 2 },
      fallback: [{ name: "copy", operation: async () => Promise.reject(new Error("stale")) }],
    });
    const ended = errorOf(call);
    await clock.advance("1s");
    const text = report(await ended);
    for (const word of ['"order" ended as failed after 3 attempts', "ECONNREFUSED", '"copy"', '"lookup"', "stale"])
      expect(text).toContain(word);
  });

  it("of an open breaker says when the next probe is", async () => {
    withStories();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "29s" });
    const call = protect("draft", script({ error: new Error("down") }), { breaker: circuit });
    await settled(call)(undefined);
    const error = await errorOf(() => call(undefined));
    expect(error).toBeInstanceOf(BreakerOpenError);
    expect((error as Error).message).toBe(
      '"draft" is not being called: it failed too often in a row. Next probe in 29 000 ms.',
    );
    expect(report(error)).toContain("29 000 ms");
  });

  it("of what has no story says what it is, and never throws", () => {
    expect(report(new Error("plain"))).toContain("plain");
    expect(report(undefined)).toContain("undefined");
  });
});

describe("the record of a call lets go of the input when it ends", () => {
  const { collectable, gone } = collecting();

  it.each<[how: string, make: (operation: (input: object) => Promise<unknown>) => (input: object) => Promise<unknown>]>(
    [
      ["plain", (operation) => protect("a", operation)],
      [
        "with retry and fallback",
        (operation) => protect("a", operation, { retry: { attempts: 2, base: 0 }, fallback: [operation] }),
      ],
      [
        "whose guard made another input of it",
        (operation) =>
          protect("a", operation, { guard: { checks: [() => undefined] }, retry: { attempts: 2, base: 0 } }),
      ],
      ["by hand", (operation) => pipe(operation, retry({ attempts: 2, base: 0 }), fallback([operation]))],
    ],
  )("%s: its story, its error and the ring hold it no longer", async (_, make) => {
    stories.keep({ failures: 10 });
    const call = make(async () => Promise.reject(new Error("down")));
    const input = collectable();
    const error = await errorOf(() => call(input.take()));
    expect(await gone(input.ref)).toBe(true);
    expect(storyOf(error)?.state).toBe("failed");
  });
});

function collecting() {
  return {
    /** An object that only whoever takes it holds. */
    collectable() {
      let held: object | undefined = { large: new Array(1_000).fill(1) };
      const ref = new WeakRef(held);
      return {
        ref,
        take() {
          const taken = held as object;
          held = undefined;
          return taken;
        },
      };
    },
    async gone(ref: WeakRef<object>): Promise<boolean> {
      for (let i = 0; i < 50 && ref.deref() !== undefined; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        globalThis.gc?.();
      }
      return ref.deref() === undefined;
    },
  };
}

describe("seams are read at each use", () => {
  it("so `seams()` in a test also acts on calls made before it, and no more afterwards", async () => {
    const operation = script<number>({ error: new Error("down") }, { value: 1 });
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    const call = protect("module top", operation, { breaker: circuit, retry: false });
    const clock = testClock(1_000);
    const bus = eventBus();
    const seen = record(bus);
    {
      using _ = seams({ clock, events: bus });
      await errorOf(() => call(undefined));
      expect(circuit.state).toMatchObject({ state: "open", since: 1_000, nextProbeMs: 5_000 });
      await clock.advance("5s");
      expect(await call(undefined)).toBe(1);
      expect(seen.of("call.settled")).toHaveLength(2);
      expect(seen.of("call.settled")[1]?.at).toBe(6_000);
    }
    await errorOf(() => call(undefined));
    expect(seen.of("call.settled")).toHaveLength(2);
  });

  it("unless a call was given its own", async () => {
    const [own, common] = [eventBus(), eventBus()];
    const [ofOwn, ofCommon] = [record(own), record(common)];
    const call = protect("user", async () => 1, { seams: { events: own } });
    using _ = seams({ events: common });
    await call();
    expect([ofOwn.events.length > 0, ofCommon.events]).toEqual([true, []]);
  });

  it("by a call's own clock its events tell the time, on whatever bus", async () => {
    const clock = testClock(5_000);
    const bus = eventBus();
    const seen = record(bus);
    const circuit = breaker({ consecutiveFailures: 1 }, { events: bus, clock });
    const call = protect("user", script({ error: new Error("down") }, { error: new Error("down") }), {
      ...{ seams: { clock, events: bus }, retry: { attempts: 2, base: 0 }, breaker: circuit, timeout: "1s" },
    });
    const ended = settled(call)(undefined);
    await clock.advance("1s");
    await ended;
    expect(seen.events.map(({ type }) => type)).toContain("breaker.opened");
    expect(new Set(seen.events.map(({ at }) => at))).toEqual(new Set([5_000]));
  });
});
