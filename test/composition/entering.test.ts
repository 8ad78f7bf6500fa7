// Design §1, "Who enters": a stack of layers is put together when wrappers are applied; only its outermost function enters a call, once.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  deadline,
  explain,
  fallback,
  named,
  pipe,
  protect,
  retry,
  settled,
  storyOf,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, moments, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const kinds = (call: unknown) => explain(call).map(({ kind }) => kind);
const passing = around((run) => (input, context) => run(input, context));
const fetchUser = async (id: string) => ({ id });

describe("only the outermost function enters a call, once", () => {
  it.each([
    { stack: "one wrapper", call: retry()(fetchUser) },
    { stack: "wrappers in wrappers", call: retry()(breaker()(timeout("1s")(fetchUser))) },
    { stack: "a pipe", call: pipe(fetchUser, timeout("1s"), breaker(), retry(), deadline("1m")) },
    { stack: "a pipe of pipes", call: pipe(pipe(fetchUser, timeout("1s")), breaker(), passing, retry()) },
    { stack: "a declaration", call: protect("user", fetchUser, { timeout: "1s", retry: {}, breaker: {} }) },
    { stack: "a declaration over a pipe", call: protect("user", pipe(fetchUser, timeout("1s")), { retry: {} }) },
    { stack: "a name and a name", call: named("user", named("other", fetchUser)) },
    {
      stack: "scopes in scopes",
      call: pipe(fetchUser, retry(), timeout("1s"), retry(), timeout("1m"), deadline("2m"), retry()),
    },
  ])("$stack", async ({ call }) => {
    const { seen } = setup();
    expect(await call("ada")).toEqual({ id: "ada" });
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
    expect(new Set(seen.events.map((event) => event.call)).size).toBe(1);
  });

  it("makes the call's record: id, name, component, deadline, story, children", async () => {
    const { clock } = setup();
    await clock.advance(5);
    let context: CallContext | undefined;
    const child = protect("child", async () => 1);
    const policy = protect.with("database", { deadline: "1s" });
    const call = policy("user", async (_: string, given: CallContext) => {
      context = given;
      return child(undefined, given);
    });
    const { story } = await settled(call)("x", { labels: { request: "r1" } });
    expect(context).toMatchObject({ name: "user", component: "database", call: story.id, deadlineAt: 1_005 });
    expect(story).toMatchObject({ name: "user", component: "database", labels: { request: "r1" }, startedAt: 5 });
    expect(story.children).toEqual([expect.objectContaining({ name: "child" })]);
  });

  it("no two calls share an id, of one function neither", async () => {
    setup();
    const call = protect("user", async (_: number, context: CallContext) => context.call);
    const ids = await Promise.all(Array.from({ length: 100 }, (_, i) => call(i)));
    expect(new Set(ids).size).toBe(100);
  });

  it("calls the operation in the same turn as the caller's, and gives it the input as it is", () => {
    setup();
    const input = { nested: {} };
    const got: unknown[] = [];
    const call = pipe(async (given: object) => void got.push(given), timeout("1s"), breaker(), retry());
    call(input);
    expect(got[0]).toBe(input);
  });
});

describe("a stack is put together when wrappers are applied", () => {
  it("and is data: `explain` reads it without a call", () => {
    setup();
    expect(kinds(pipe(fetchUser, timeout("1s"), breaker(), retry()))).toEqual(["retry", "breaker", "timeout"]);
  });

  it("so that one function may stand in several stacks, each as it was when it was wrapped", async () => {
    setup();
    const base = pipe(fetchUser, timeout("1s"));
    const [once, twice] = [retry()(base), breaker()(base)];
    expect([kinds(base), kinds(once), kinds(twice)]).toEqual([
      ["timeout"],
      ["retry", "timeout"],
      ["breaker", "timeout"],
    ]);
  });

  it("and a wrapper in several too, with one state: what it is laid round shares it", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const bad = circuit(async () => Promise.reject(down));
    const good = circuit(fetchUser);
    await settled(bad)();
    expect((await settled(good)("x")).story.state).toBe("notAdmitted");
  });
});

describe("what comes from `pipe`, `named` or a wrapper merges into whoever wraps it", () => {
  it("into one call with all the layers, the outer ones outside", async () => {
    const { seen } = setup();
    const inner = pipe(
      named("inner", script<string>({ error: down }, { value: "done" })),
      timeout("1s"),
      retry({ base: 0 }),
    );
    const outer = protect("outer", inner, { deadline: "1m", breaker: {} });
    expect(kinds(outer)).toEqual(["deadline", "breaker", "retry", "timeout"]);
    const { story } = await settled(outer)("x");
    expect(story).toMatchObject({ name: "outer", attempts: 2, children: [] });
    expect(new Set(seen.events.map(({ name }) => name))).toEqual(new Set(["outer"]));
  });

  it("with the name that was given last, else the function's", () => {
    setup();
    const names = [
      retry()(fetchUser),
      named("a", retry()(fetchUser)),
      timeout("1s")(named("a", fetchUser)),
      named("b", named("a", fetchUser)),
      protect("c", named("a", fetchUser)),
      retry()(async () => 1),
    ].map((call) => call.name);
    expect(names).toEqual(["fetchUser", "a", "a", "b", "c", "anonymous"]);
  });

  it("as a tier too: its layers are those of the tier", async () => {
    setup();
    const { of, bracket } = moments();
    const tier = pipe(
      named("copy", async (_: string): Promise<unknown> => "copy"),
      bracket("own"),
    );
    const call = pipe(async (_: string): Promise<unknown> => Promise.reject(down), fallback([tier]));
    const { story } = await settled(call)("x");
    expect(story).toMatchObject({ tier: 1, tierName: "copy", children: [] });
    expect(of("own")).toEqual(["before", "started", "after ok", "ended"]);
  });
});

describe("what comes from `protect` stays a call of its own and becomes a child", () => {
  const declared = (operation = fetchUser) => protect("inner", operation, { retry: { base: 0 }, timeout: "1s" });
  it.each([
    { wrapped: "by protect", call: protect("outer", declared(), { retry: {} }) },
    { wrapped: "by a wrapper", call: retry()(declared()) },
    { wrapped: "by pipe", call: pipe(declared(), timeout("2s"), retry()) },
    { wrapped: "by named", call: named("outer", declared()) },
  ])("wrapped $wrapped", async ({ call }) => {
    const { seen } = setup();
    const { story } = await settled(call)("x");
    expect(story.children.map(({ name }) => name)).toEqual(["inner"]);
    expect(seen.of("call.started").map(({ name }) => name)).toEqual([story.name, "inner"]);
    expect(seen.of("call.settled").map(({ name }) => name)).toEqual(["inner", story.name]);
  });

  it("as a tier too", async () => {
    setup();
    const call = pipe(async (_: string): Promise<{ id: string }> => Promise.reject(down), fallback([declared()]));
    const { story } = await settled(call)("x");
    expect(story).toMatchObject({ tier: 1, tierName: "inner", children: [{ name: "inner", state: "succeeded" }] });
  });

  it("and its layers stay its own: none of them is among the outer call's", () => {
    setup();
    expect(kinds(protect("outer", declared(), { breaker: {} }))).toEqual(["breaker"]);
  });

  it("and a call on a policy is one as well", async () => {
    setup();
    const policy = protect.with("service", { timeout: "1s" });
    const { story } = await settled(retry()(policy("inner", fetchUser)))("x");
    expect(story.children.map(({ name, component }) => [name, component])).toEqual([["inner", "service"]]);
  });
});

describe("every further attempt and tier gets a context of its own", () => {
  it("so that a late, timed-out attempt never sees another's signal or number", async () => {
    const { clock } = setup();
    const seen: { at: number; attempt: number; tier: number; aborted: boolean }[] = [];
    const late = async (_: unknown, context: CallContext): Promise<string> => {
      await clock.sleep(5_000);
      const { attempt, tier, signal } = context;
      seen.push({ at: clock.now(), attempt, tier, aborted: signal.aborted });
      return "late";
    };
    const tier = async (_: unknown, context: CallContext) => {
      await clock.sleep(900);
      seen.push({ at: clock.now(), attempt: context.attempt, tier: context.tier, aborted: context.signal.aborted });
      return "tier";
    };
    const call = protect("x", late, {
      ...{ timeout: "1s", retry: { attempts: 2, jitter: "none", base: 100 }, fallback: [tier] },
    });
    const ended = watch(call("x"));
    await clock.advance("10s");
    expect(ended.at).toEqual({ value: "tier" });
    expect(seen).toEqual([
      { at: 3_000, attempt: 1, tier: 1, aborted: false },
      { at: 5_000, attempt: 1, tier: 0, aborted: true },
      { at: 6_100, attempt: 2, tier: 0, aborted: true },
    ]);
  });

  it("what one attempt writes on its context, or puts in its place, is not on the next one's", async () => {
    setup();
    const seen: unknown[] = [];
    const call = pipe(
      async (_: unknown, context: CallContext & { mark?: string }) => {
        seen.push(context.mark);
        context.mark = "mine";
        throw down;
      },
      retry({ attempts: 2, base: 0 }),
    );
    await settled(call)("x");
    expect(seen).toEqual([undefined, undefined]);
  });

  it("costs are told to the attempt whose context was used and to the call, late ones too", async () => {
    const { clock } = setup();
    const failure = new Error("no use");
    const call = pipe(
      async (_: unknown, { attempt, cost }: CallContext) => {
        cost({ inputTokens: attempt, money: attempt });
        if (attempt > 1) throw failure;
        await clock.sleep(5_000);
        cost({ inputTokens: 100, money: 100 });
      },
      timeout("1s"),
      retry({ attempts: 2, base: 0 }),
    );
    const ended = settled(call)("x");
    await clock.advance("1s");
    const { story } = await ended;
    expect([story.cost, story.failures.map(({ cost }) => cost)]).toEqual([
      { inputTokens: 3, money: 3, estimated: true },
      [
        { inputTokens: 1, money: 1, estimated: true },
        { inputTokens: 2, money: 2 },
      ],
    ]);
    await clock.advance("5s");
    expect(storyOf(failure)?.cost).toEqual({ inputTokens: 103, money: 103 });
  });
});

describe("a call's options", () => {
  it("end a call whose signal was aborted before it began: nothing is called, on either way", async () => {
    const { caller } = setup();
    const operation = script({ value: 1 });
    const controller = caller();
    controller.abort("gone");
    for (const call of [pipe(operation, timeout("1s")), protect("x", operation, { retry: {} }), retry()(operation)]) {
      const ended = await settled(call)(undefined, { signal: controller.signal });
      expect(ended).toMatchObject({ ok: false, error: "gone", story: { state: "cancelled", attempts: 0 } });
    }
    expect(operation.calls).toEqual([]);
  });

  it("end a call whose deadline has passed before it began: nothing is called", async () => {
    const { clock } = setup();
    await clock.advance("1h");
    const operation = script({ value: 1 });
    const ended = await settled(retry()(operation))(undefined, { deadlineAt: 5 });
    expect(ended).toMatchObject({ ok: false, error: { code: "DEADLINE_EXCEEDED" }, story: { state: "timedOut" } });
    expect(operation.calls).toEqual([]);
  });

  it("may be an index, as `map` passes one: it says nothing", async () => {
    setup();
    const call = protect("double", async (n: number) => n * 2, { retry: {} });
    expect(await Promise.all([1, 2, 3].map(call as (n: number) => Promise<number>))).toEqual([2, 4, 6]);
  });

  it("leave no listener on one long-lived signal, whatever became of the calls", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const call = pipe(
      async (n: number) => {
        if (n % 3 === 0) throw new TypeError("a bug");
        if (n % 3 === 1) await clock.sleep(5);
        return n;
      },
      timeout(10),
      breaker({ failureRate: 1 }),
      retry(),
    );
    const all = Array.from({ length: 3_000 }, (_, i) => settled(call)(i, { signal: controller.signal }));
    await clock.advance(10);
    await Promise.all(all);
    await turn();
    expect(clock.sleepers).toBe(0);
  });
});

describe("an operation", () => {
  it("that throws synchronously behaves like one that rejects", async () => {
    setup();
    const broken = () => {
      throw down;
    };
    for (const call of [pipe(broken, retry({ base: 0 })), protect("x", broken), timeout("1s")(broken)])
      expect(await settled(call)()).toMatchObject({ ok: false, error: down });
  });

  it.each([{ thrown: "a text" }, { thrown: undefined }, { thrown: 0 }, { thrown: null }, { thrown: { odd: true } }])(
    "may throw anything, which arrives unchanged: $thrown",
    async ({ thrown }) => {
      setup();
      const odd = async () => Promise.reject(thrown);
      for (const call of [pipe(odd, retry({ base: 0 })), protect("x", odd), pipe(odd, timeout("1s"), passing)])
        expect(await settled(call)()).toMatchObject({ ok: false, error: thrown });
    },
  );

  it("may give what is no promise, or a thenable of its own, be it a broken one", async () => {
    setup();
    // biome-ignore lint/suspicious/noThenProperty: it is what this is about
    const own = { then: (done: (value: number) => void) => done(7) };
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: likewise
      then() {
        throw down;
      },
    };
    const hostile = {
      // biome-ignore lint/suspicious/noThenProperty: likewise
      get then() {
        throw down;
      },
    };
    const giving = (value: unknown) => retry({ attempts: 1 })((() => value) as () => Promise<unknown>);
    expect([await giving(5)(), await giving(own)()]).toEqual([5, 7]);
    for (const odd of [broken, hostile]) expect(await settled(giving(odd))()).toMatchObject({ ok: false, error: down });
  });
});
