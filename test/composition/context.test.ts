// Design: a context is plain data that can be handed on; what it is given to belongs to the same call.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type CallContext,
  type CallOptions,
  eventBus,
  fallback,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { testClock } from "../../src/testing/index.ts";

function setup() {
  const clock = testClock(1_000_000);
  const events = eventBus();
  const seams = { clock, events, random: () => 0 };
  const contexts: CallContext[] = [];
  /** Keeps its contexts, and answers in turn; `undefined`: never. */
  const answering =
    (...answers: ReadonlyArray<(() => unknown) | undefined>) =>
    async (_: unknown, context: CallContext): Promise<unknown> => {
      const answer = answers[contexts.push(context) - 1];
      return answer === undefined ? new Promise(() => {}) : answer();
    };
  return { clock, seams, contexts, answering };
}

function failing(): never {
  throw new Error("down");
}

/** Every property that `fetch` reads from its second argument, but the signal. */
const meantForFetch = [
  ...["body", "cache", "credentials", "dispatcher", "duplex", "headers", "integrity", "keepalive", "method", "mode"],
  ...["priority", "redirect", "referrer", "referrerPolicy", "targetAddressSpace", "window"],
];

describe("the data of a context", () => {
  it("are own properties, so that a spread keeps them all", async () => {
    const { seams, answering, contexts } = setup();
    const said: CallOptions = {
      deadline: "5s",
      labels: { request: "r1" },
      idempotencyKey: "k",
      criticality: "critical",
    };
    await protect(
      "user",
      answering(() => 1),
      { seams },
    )("ada", { ...said, accept: "fresh", fallback: false });
    const [context] = contexts as [CallContext];
    expect({ ...context }).toMatchObject({
      ...{ name: "user", component: "user", attempt: 1, tier: 0, previous: [], deadlineAt: 1_005_000 },
      ...{ labels: { request: "r1" }, idempotencyKey: "k", criticality: "critical", accept: "fresh", fallback: false },
    });
    expect({ ...context }.signal).toBe(context.signal);
    expect({ ...context }.call).toBe(context.call);
  });

  it("say nothing that means something else to fetch", async () => {
    const { seams, answering, contexts } = setup();
    await protect(
      "user",
      answering(() => 1),
      { seams },
    )("ada", { deadline: "5s", criticality: "critical" });
    for (const name of meantForFetch) expect(contexts[0]).not.toHaveProperty(name);
  });

  it("can be passed to fetch as they are, and a protected fetch takes the call's signal", async () => {
    const server = createServer((_, response) => response.end("pong")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const get = protect("get", (url: string, context) => fetch(url, context), { timeout: "5s" });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await get(url, { labels: { request: "r1" }, criticality: "critical" })).text()).toBe("pong");
    expect(await (await protect("bare", fetch)(url)).text()).toBe("pong");
  });
});

describe("a call made with a context inside an operation", () => {
  it.each<[how: string, handOn: (context: CallContext) => CallOptions]>([
    ["as it is", (context) => context],
    ["spread", (context) => ({ ...context })],
    ["spread, with more said", (context) => ({ ...context, labels: { step: "1" } })],
    ["copied by Object.assign", (context) => Object.assign({}, context)],
  ])("is a child of the call: %s", async (_, handOn) => {
    const { seams } = setup();
    const inner = protect("inner", async () => 1, { seams });
    const outer = protect("outer", (_: void, context) => inner(undefined, handOn(context)), { seams });
    const { story } = await settled(outer)();
    expect(story.children.map(({ name }) => name)).toEqual(["inner"]);
  });

  it("is a child no more where only its signal was handed on, and is cancelled all the same", async () => {
    const { seams } = setup();
    const inner = protect("inner", () => new Promise<never>(() => {}), { seams });
    const outer = protect("outer", (_: void, { signal }) => inner(undefined, { signal }), { seams });
    const controller = new AbortController();
    const ended = settled(outer)(undefined, { signal: controller.signal });
    controller.abort("stop");
    const { story, ...end } = await ended;
    expect(end).toEqual({ ok: false, error: "stop" });
    expect(story.children).toEqual([]);
  });
});

describe("`cost` and `remainingMs` of a context", () => {
  it("work when they are taken out of it", async () => {
    const { clock, seams } = setup();
    const call = protect(
      "ai",
      async (_: void, { cost, remainingMs }) => {
        cost({ inputTokens: 3, model: "m" });
        cost({ inputTokens: 4, outputTokens: 1 });
        await clock.sleep(400);
        return remainingMs();
      },
      { seams, deadline: "1s" },
    );
    const ended = settled(call)();
    await clock.advance("400ms");
    const { story, ...end } = await ended;
    expect(end).toEqual({ ok: true, value: 600 });
    expect(story.cost).toEqual({ inputTokens: 7, outputTokens: 1, model: "m", unpriced: ["m"] });
  });

  it("are dropped by a spread", async () => {
    const { seams, answering, contexts } = setup();
    await protect(
      "user",
      answering(() => 1),
      { seams },
    )("ada");
    expect(Object.keys({ ...contexts[0] })).not.toContain("cost");
    expect(Object.keys({ ...contexts[0] })).not.toContain("remainingMs");
  });

  it("tell of no end where there is no deadline", async () => {
    const { seams, answering, contexts } = setup();
    await protect(
      "user",
      answering(() => 1),
      { seams },
    )("ada");
    expect(contexts[0]?.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    expect(contexts[0]?.deadlineAt).toBeUndefined();
  });

  it("never tell of less than nothing", async () => {
    const { clock, seams, answering, contexts } = setup();
    const ended = settled(protect("user", answering(), { seams, deadline: "1s" }))("ada");
    await clock.advance("3s");
    await ended;
    expect(contexts[0]?.remainingMs()).toBe(0);
  });

  it("of every attempt add up in the call's story", async () => {
    const { seams } = setup();
    const dear = async (_: void, { cost, attempt }: CallContext) => {
      cost({ money: 0.1 });
      if (attempt < 3) throw new Error("again");
      return attempt;
    };
    const { story } = await settled(protect("ai", dear, { seams, retry: {} }))();
    expect(story.cost.money).toBeCloseTo(0.3);
    expect(story.failures.map(({ cost }) => cost)).toEqual([{ money: 0.1 }, { money: 0.1 }]);
  });
});

describe("every further attempt and tier", () => {
  it("gets a context of its own: another signal, the next number, what was tried before", async () => {
    const { seams, answering, contexts } = setup();
    const op = answering(failing, failing, () => "answer");
    await protect("user", op, {
      seams,
      retry: { attempts: 2 },
      fallback: [{ name: "copy", operation: op }],
      deadline: "9s",
    })("ada");
    expect(new Set(contexts).size).toBe(3);
    expect(new Set(contexts.map(({ signal }) => signal)).size).toBe(3);
    expect(contexts.map(({ tier, attempt }) => [tier, attempt])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
    ]);
    expect(new Set(contexts.map(({ call }) => call)).size).toBe(1);
  });

  it("is not seen by a late, timed-out attempt: that keeps its own signal and number", async () => {
    const { clock, seams, answering, contexts } = setup();
    const call = protect(
      "user",
      answering(undefined, () => 2),
      { seams, timeout: "1s", retry: {} },
    );
    const answer = call("ada");
    await clock.advance("1s");
    expect(await answer).toBe(2);
    const [first, second] = contexts as [CallContext, CallContext];
    expect([first.attempt, first.signal.aborted, first.signal.reason.code]).toEqual([1, true, "TIMEOUT"]);
    expect([second.attempt, second.signal.aborted]).toEqual([2, false]);
  });

  it("has a signal that is aborted neither early nor after a success", async () => {
    const { clock, seams, answering, contexts } = setup();
    const controller = new AbortController();
    const call = protect(
      "user",
      answering(failing, () => 2),
      { seams, timeout: "1s", deadline: "2s", retry: {} },
    );
    await call("ada", { signal: controller.signal });
    await clock.advance("5s");
    controller.abort();
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  });

  it("repeats what was said of the call", async () => {
    const { seams, answering, contexts } = setup();
    const op = answering(failing, failing, () => "answer");
    const call = pipe(op, retry({ attempts: 2 }, seams), fallback([op], {}, seams));
    await call("ada", { labels: { tenant: "t" }, idempotencyKey: "k", criticality: "sheddable", accept: "uncached" });
    const said = { labels: { tenant: "t" }, idempotencyKey: "k", criticality: "sheddable", accept: "uncached" };
    expect(contexts).toEqual([1, 2, 3].map(() => expect.objectContaining(said)));
  });
});

describe("a context of a scope inside a call", () => {
  it("tells the end of the scope in `deadlineAt` and `remainingMs`", async () => {
    const { seams, answering, contexts } = setup();
    const op = answering(failing, () => 1);
    await pipe(op, retry({}, seams), timeout("2s", seams))("ada", { deadline: "10s" });
    expect(contexts.map(({ deadlineAt }) => deadlineAt)).toEqual([1_002_000, 1_002_000]);
    expect(contexts[0]?.remainingMs()).toBe(2_000);
  });
});
