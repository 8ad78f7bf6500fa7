// Design §1 and rule 6: a protected call inside another one, given the context, is its child.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  deadline,
  fallback,
  named,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { moments, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });

/** A call that only notes the context it gets. */
function noting(name = "inner", options: object = {}) {
  const contexts: CallContext[] = [];
  const call = protect(
    name,
    async (_: unknown, context: CallContext) => {
      contexts.push(context);
      return "done";
    },
    options,
  );
  return { contexts, call };
}

/** One that runs until it is ended. */
function endless(name = "inner", options: object = {}) {
  const contexts: CallContext[] = [];
  const call = protect(
    name,
    (_: unknown, context: CallContext) => {
      contexts.push(context);
      return new Promise<never>(() => {});
    },
    options,
  );
  return { contexts, call };
}

describe("a protected call inside another one, given the context, is its child", () => {
  it("its story is inside the outer one's, with children of its own", async () => {
    setup();
    const { call: innermost } = noting("innermost");
    const inner = protect("inner", (x: unknown, context) => innermost(x, context));
    const outer = protect("outer", (x: unknown, context) => inner(x, context));
    const { story } = await settled(outer)("x");
    expect(story).toMatchObject({
      name: "outer",
      children: [{ name: "inner", children: [{ name: "innermost", children: [] }] }],
    });
  });

  it("also with a spread context, or one with more in it", async () => {
    setup();
    const { call } = noting();
    const outer = protect("outer", async (x: unknown, context) => {
      await call(x, { ...context });
      return call(x, { ...context, labels: { more: "yes" } });
    });
    const { story } = await settled(outer)("x");
    expect(story.children.map(({ name }) => name)).toEqual(["inner", "inner"]);
  });

  it("without the context it is none: it has its own story and outlives the other", async () => {
    const { clock } = setup();
    const inner = endless();
    const outer = protect("outer", (x: unknown) => inner.call(x), { timeout: "1s" });
    const ended = settled(outer)("x");
    await clock.advance("1s");
    expect((await ended).story.children).toEqual([]);
    expect(inner.contexts[0]?.signal.aborted).toBe(false);
  });

  it("given only the signal it is none, and is still cancelled with it", async () => {
    const { clock } = setup();
    const inner = endless();
    const outer = protect("outer", (x: unknown, { signal }) => inner.call(x, { signal }), { timeout: "1s" });
    const ended = settled(outer)("x");
    await clock.advance("1s");
    expect((await ended).story.children).toEqual([]);
    expect(inner.contexts[0]?.signal.reason).toMatchObject({ code: "TIMEOUT" });
  });

  it("one for each attempt and tier that makes it", async () => {
    setup();
    const child = protect("child", script<unknown>({ error: down }, { error: down }, { error: down }));
    const outer = protect("outer", (x: unknown, context) => child(x, context), {
      retry: { attempts: 2, base: 0 },
      fallback: [child],
    });
    const { story } = await settled(outer)("x");
    expect(story.children.map(({ name, state }) => [name, state])).toEqual([
      ["child", "failed"],
      ["child", "failed"],
      ["child", "failed"],
    ]);
  });

  it("that was made by hand is one too", async () => {
    setup();
    const inner = pipe(
      named("by hand", async (_: unknown) => 1),
      retry(),
    );
    const { story } = await settled(pipe((x: unknown, context: CallContext) => inner(x, context), timeout("1s")))("x");
    expect(story.children.map(({ name }) => name)).toEqual(["by hand"]);
  });
});

describe("a child has the same deadline", () => {
  it("as the call around: in its context, and by the outer timer alone", async () => {
    const { clock } = setup();
    const inner = endless("inner", { deadline: "1h" });
    const outer = protect("outer", (x: unknown, context) => inner.call(x, context), { deadline: "10s" });
    await clock.advance(500);
    const ended = settled(outer)("x");
    await turn();
    expect([inner.contexts[0]?.deadlineAt, clock.sleepers]).toEqual([10_500, 1]);
    await clock.advance("10s");
    const { story } = await ended;
    expect([story.state, story.children[0]?.state]).toEqual(["timedOut", "timedOut"]);
    expect(inner.contexts[0]?.signal.reason).toMatchObject({ code: "DEADLINE_EXCEEDED", operation: "outer" });
  });

  it("or a shorter one of its own, which ends the child alone", async () => {
    const { clock } = setup();
    const inner = endless("inner", { deadline: "1s" });
    const outer = protect("outer", (x: unknown, context) => inner.call(x, context).catch(() => "instead"), {
      deadline: "10s",
    });
    const ended = watch(outer("x"));
    await turn();
    expect(inner.contexts[0]?.deadlineAt).toBe(1_000);
    await clock.advance("1s");
    expect(ended.at).toEqual({ value: "instead" });
  });

  it("the caller's too, and that of a scope it is made in", async () => {
    const { clock } = setup();
    const inner = endless();
    const operation = (x: unknown, context: CallContext) => inner.call(x, context);
    const byCaller = watch(protect("outer", operation)("x", { deadline: "5s" }));
    const inScope = watch(pipe(operation, retry(), timeout("2s"))("x", { deadline: "5s" }));
    await turn();
    expect(inner.contexts.map(({ deadlineAt }) => deadlineAt)).toEqual([5_000, 2_000]);
    await clock.advance("5s");
    expect([byCaller.at, inScope.at]).toEqual([
      { error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) },
      { error: expect.objectContaining({ code: "TIMEOUT" }) },
    ]);
  });

  it("with what is left of it: a second child has less", async () => {
    const { clock } = setup();
    const lefts: number[] = [];
    const inner = protect("inner", async (_: unknown, { remainingMs }: CallContext) => {
      lefts.push(remainingMs());
      await clock.sleep(300);
    });
    const outer = protect(
      "outer",
      async (x: unknown, context) => {
        await inner(x, context);
        await inner(x, context);
      },
      { deadline: "1s" },
    );
    const ended = watch(outer("x"));
    await clock.advance("1s");
    expect(ended.at).toEqual({ value: undefined });
    expect(lefts).toEqual([1_000, 700]);
  });
});

describe("a child has the same cancellation", () => {
  it("the caller's reason reaches it, and it ends as `cancelled`", async () => {
    const { caller } = setup();
    const inner = endless("inner", { retry: {} });
    const outer = protect("outer", (x: unknown, context) => inner.call(x, context), { retry: {} });
    const controller = caller();
    const ended = settled(outer)("x", { signal: controller.signal });
    const reason = new Error("gone");
    controller.abort(reason);
    const { story, ...rest } = await ended;
    expect(rest).toEqual({ ok: false, error: reason });
    expect([story.state, story.children[0]?.state]).toEqual(["cancelled", "cancelled"]);
    expect(inner.contexts[0]?.signal.reason).toBe(reason);
  });

  it.each([
    { way: "an attempt", layers: "its own timeout" as const },
    { way: "a scope", layers: "a timeout round a retry" as const },
  ])("one of $way that timed out ends as `cancelled`, its reason the outer timeout ($layers)", async ({ layers }) => {
    const { clock, seen } = setup();
    const inner = endless("inner", { breaker: breaker({ consecutiveFailures: 1 }) });
    const operation = (x: unknown, context: CallContext) => inner.call(x, context);
    const outer =
      layers === "its own timeout" ? pipe(operation, timeout("1s")) : pipe(operation, retry(), timeout("1s"));
    const ended = settled(outer)("x");
    await clock.advance("1s");
    const { story, ...rest } = await ended;
    expect(rest).toEqual({ ok: false, error: expect.objectContaining({ code: "TIMEOUT" }) });
    expect([story.state, story.children[0]?.state]).toEqual(["timedOut", "cancelled"]);
    expect(inner.contexts[0]?.signal.reason).toBe((rest as { error: unknown }).error);
    expect(seen.of("breaker.opened")).toEqual([]);
  });

  it("a signal of its own ends the child alone", async () => {
    const { caller } = setup();
    const inner = endless();
    const own = caller();
    const outer = protect("outer", (x: unknown, context) =>
      inner.call(x, { ...context, signal: own.signal }).catch((error: unknown) => ["instead of", error]),
    );
    const ended = watch(outer("x"));
    own.abort("only this");
    await turn();
    expect(ended.at).toEqual({ value: ["instead of", "only this"] });
  });

  it("one begun in an attempt already aborted calls nothing, and leaves its word", async () => {
    const { clock, caller } = setup();
    const { log, bracket } = moments();
    const operation = script({ value: 1 });
    const inner = protect("inner", pipe(operation, bracket("guard")), { retry: {} });
    const late: unknown[] = [];
    const outer = async (x: unknown, context: CallContext) => {
      await clock.sleep(2_000);
      await inner(x, context).catch((error: unknown) => late.push(error));
    };
    const timed = watch(pipe(outer, timeout("1s"))("x"));
    const controller = caller();
    const aborted = watch(pipe(outer, retry())("x", { signal: controller.signal }));
    controller.abort("gone");
    await clock.advance("2s");
    expect([timed.at, aborted.at]).toEqual([
      { error: expect.objectContaining({ code: "TIMEOUT" }) },
      { error: "gone" },
    ]);
    expect(late).toEqual(expect.arrayContaining(["gone", expect.objectContaining({ code: "TIMEOUT" })]));
    expect([operation.calls.length, log]).toEqual([0, []]);
  });

  it("a child nobody waits for goes on when the attempt has answered", async () => {
    const { clock } = setup();
    const inner = script({ value: 1, after: 100 });
    const child = protect("inner", inner);
    const ends: unknown[] = [];
    const outer = protect("outer", async (x: unknown, context) => {
      child(x, context).then((value) => ends.push(value));
      return "done";
    });
    expect(await outer("x")).toBe("done");
    await clock.advance(100);
    expect(ends).toEqual([1]);
  });

  it("leaves nothing behind in the call around but its story, which tells of the first thousand", async () => {
    const { caller } = setup();
    const { call } = noting();
    const controller = caller();
    const outer = protect("outer", async (x: unknown, context) => {
      for (let i = 0; i < 1_200; i++) await call(x, context);
    });
    const { story } = await settled(outer)("x", { signal: controller.signal });
    expect(story.children).toHaveLength(1_000);
  });
});

describe("a child inherits", () => {
  it("criticality, labels, `accept`, `retry` and `fallback`", async () => {
    setup();
    const { call, contexts } = noting();
    const outer = protect("outer", (x: unknown, context) => call(x, context), { criticality: "critical" });
    await outer("x", { labels: { request: "r1" }, accept: "fresh", retry: false, fallback: false });
    expect(contexts[0]).toMatchObject({
      ...{ criticality: "critical", labels: { request: "r1" }, accept: "fresh", retry: false, fallback: false },
    });
  });

  it("the criticality of the call around, before its own", async () => {
    setup();
    const { call, contexts } = noting("inner", { criticality: "background" });
    await protect("outer", (x: unknown, context) => call(x, context))("x");
    await protect("outer", (x: unknown, context) => call(x, context))("x", { criticality: "sheddable" });
    expect(contexts.map(({ criticality }) => criticality)).toEqual(["background", "sheddable"]);
  });

  it("labels, to which its own are added", async () => {
    const { seen } = setup();
    const { call, contexts } = noting();
    const outer = protect("outer", (x: unknown, context) =>
      call(x, { ...context, labels: { step: "2", request: "r1b" } }),
    );
    const { story } = await settled(outer)("x", { labels: { tenant: "t", request: "r1" } });
    const both = { tenant: "t", request: "r1b", step: "2" };
    expect([contexts[0]?.labels, story.children[0]?.labels]).toEqual([both, both]);
    expect(story.labels).toEqual({ tenant: "t", request: "r1" });
    expect(seen.of("call.settled").map(({ labels }) => labels)).toEqual([both, { tenant: "t", request: "r1" }]);
  });

  it("labels, though it is told of none", async () => {
    setup();
    const { call, contexts } = noting();
    const outer = protect("outer", (x: unknown, context) => call(x, { ...context, labels: undefined }));
    const labels = { tenant: "t" };
    const { story } = await settled(outer)("x", { labels });
    expect([contexts[0]?.labels, story.children[0]?.labels]).toEqual([labels, labels]);
  });

  it("`retry: false` and `fallback: false`, so that it is really once", async () => {
    setup();
    const operation = script<unknown>({ error: down }, { value: 1 });
    const tier = script<unknown>({ value: 2 });
    const inner = protect("inner", operation, { retry: { base: 0 }, fallback: [tier] });
    const outer = protect("outer", (x: unknown, context) => inner(x, context), { retry: { base: 0 } });
    const ended = await settled(outer)("x", { retry: false, fallback: false });
    expect(ended).toMatchObject({ ok: false, error: down });
    expect([operation.calls.length, tier.calls.length]).toEqual([1, 0]);
  });
});

describe("a child has the idempotency key only when it is the operation or a tier", () => {
  const keyed = { idempotencyKey: () => "key-1" };

  it("as the operation", async () => {
    setup();
    const { call, contexts } = noting();
    await protect("outer", call, keyed)("x");
    await protect("outer", call, { retry: {}, timeout: "1s" })("x", { idempotencyKey: "the caller's" });
    expect(contexts.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["key-1", "the caller's"]);
  });

  it("as a tier", async () => {
    setup();
    const { call, contexts } = noting();
    const failing = async (_: unknown): Promise<string> => Promise.reject(down);
    await protect("outer", failing, { ...keyed, fallback: [call] })("x");
    await protect("outer", failing, { ...keyed, fallback: [{ name: "tier", operation: call, timeout: "1s" }] })("x");
    expect(contexts.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["key-1", "key-1"]);
  });

  it("as the operation inside a scope, in every attempt", async () => {
    setup();
    const keys: unknown[] = [];
    const child = protect("child", async (_: unknown, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      throw down;
    });
    const call = pipe(child, retry({ attempts: 2, base: 0 }), timeout("1s"), deadline("1m"));
    await settled(call)("x", { idempotencyKey: "k" });
    expect(keys).toEqual(["k", "k"]);
  });

  it("not when the operation merely calls it: two calls made with one key would be one to the other side", async () => {
    setup();
    const { call, contexts } = noting();
    const operation = async (x: unknown, context: CallContext) => {
      await call(x, context);
      return call(x, { ...context });
    };
    await protect("outer", operation, keyed)("x");
    await pipe(operation, fallback([async () => "x"]))("x", { idempotencyKey: "k" });
    expect(contexts.map(({ idempotencyKey }) => idempotencyKey)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("and a key of its own, given to it, is kept", async () => {
    setup();
    const { call, contexts } = noting();
    await protect("outer", (x: unknown, context) => call(x, { ...context, idempotencyKey: "own" }), keyed)("x");
    expect(contexts[0]?.idempotencyKey).toBe("own");
  });
});
