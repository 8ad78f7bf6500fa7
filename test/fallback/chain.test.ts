// Chains of models: which tiers are asked, and what is told of them.
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  type CallOptions,
  FallbackExhaustedError,
  fallback,
  HoldfastError,
  named,
  type Operation,
  type Protected,
  pipe,
  protect,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup, watch } from "../composition/setup.ts";

function http(status: number, message = `HTTP ${status}`, more: object = {}): Error {
  return Object.assign(new Error(message), { status, ...more });
}

const down = http(500, "down");

describe("a tier is entered at most once per call", () => {
  it("also when chains name each other in a circle", async () => {
    const { seen } = setup();
    const counted = { a: 0, b: 0 };
    const failing = (name: keyof typeof counted) => async (_: string) => {
      counted[name]++;
      throw http(500, name);
    };
    const first: Operation<string, never> = protect("a", failing("a"), {
      fallback: [{ name: "to b", operation: (input, context) => second(input, context) }],
    });
    const second: Operation<string, never> = protect("b", failing("b"), { fallback: [first] });
    await settled(protect("start", first))("x");
    expect(counted).toEqual({ a: 1, b: 1 });
    expect(seen.of("fallback.skipped")).toMatchObject([{ name: "b", tier: "a", reason: "condition" }]);
  });

  it("where each knows the other only by a function that calls it: neither is asked by a tier that is being asked", async () => {
    const { seen } = setup();
    const operations = { a: 0, b: 0 };
    const failing = (name: keyof typeof operations) => async (_: string) => {
      operations[name]++;
      throw http(500, name);
    };
    const to =
      (call: () => Operation<string, never>): Operation<string, never> =>
      (input, context) =>
        call()(input, context);
    const a: Operation<string, never> = protect("a", failing("a"), { fallback: [to(() => b)] });
    const b: Operation<string, never> = protect("b", failing("b"), { fallback: [to(() => a)] });
    await settled(protect("start", a))("x");
    expect(operations).toEqual({ a: 2, b: 1 }); // the second time as the tier of b
    expect(seen.of("fallback.used")).toHaveLength(2);
    expect(seen.of("fallback.skipped")).toHaveLength(1);
  });

  it("a circle that comes back to a cached call is told with the calls of it, in place of waiting for itself", async () => {
    setup();
    const failing = async (_: string): Promise<string> => Promise.reject(down);
    const cache = { ttl: "1m" } as const;
    const b: Operation<string, string> = protect("b", failing, {
      ...{ cache, fallback: [{ name: "to a", operation: (input, context) => a(input, context) }] },
    });
    const a: Operation<string, string> = protect("a", failing, { cache, fallback: [b] });
    const alone: Protected<string, string> = protect("alone", failing, {
      ...{ cache, fallback: [(input, context) => alone(input, context)] },
    });
    const { story } = await settled(protect("start", a))("x");
    const told = story.children[0]?.children[0]?.failures.map(({ error }) => error);
    expect(told?.find((error) => HoldfastError.is(error, "OPTIONS_INVALID"))).toMatchObject({
      ...{ operation: "a", issues: [{ path: "fallback", wanted: expect.stringContaining('("a" → "b" → "a")') }] },
    });
    const own = (await settled(alone)("x")).story.failures.at(-1)?.error;
    expect(own).toMatchObject({
      issues: [{ path: "fallback", wanted: expect.stringContaining('("alone" → "alone")') }],
    });
  });

  it("a circle that names a call before it is made says what that is, and how it is written", () => {
    let later: Operation<string, string> | undefined;
    const make = (tier: unknown) => () =>
      protect("early", async (_: string) => "x", { fallback: [tier as Operation<string, string>] });
    const hint =
      /a call that is not made yet, as in a circle of tiers, is nothing: name it by a function that calls it, \(input, context\) => later\(input, context\)/;
    expect(make(later)).toThrow(hint);
    expect(make({ name: "to later", operation: later })).toThrow(hint);
    expect(make({ name: "no function", operation: 7 })).not.toThrow(hint);
    expect(make(7)).not.toThrow(hint);
    later = protect("later", async (_: string) => "x");
    expect(make((input: string, context: CallContext) => later?.(input, context))).not.toThrow();
  });

  it("but a call that a tier makes twice has its own tiers each time", async () => {
    setup();
    const template = script<string>({ value: "p" }, { value: "q" });
    const part = protect("part", async (_: string): Promise<string> => Promise.reject(down), { fallback: [template] });
    const inParts = async (_: string, context: CallContext) => (await part("1", context)) + (await part("2", context));
    const call = protect("whole", async (_: string): Promise<string> => Promise.reject(down), { fallback: [inParts] });
    expect(await call("x")).toBe("pq");
  });

  it("where each call is the other's tier itself", async () => {
    const { seen } = setup();
    const counted = { a: 0, b: 0, c: 0 };
    const failing =
      (name: keyof typeof counted) =>
      async (_: string): Promise<string> => {
        counted[name]++;
        throw http(500, name);
      };
    const c = protect("c", failing("c"));
    const b = protect("b", failing("b"), { fallback: [c] });
    const a = protect("a", failing("a"), { fallback: [b, c, b] });
    await settled(a)("x");
    expect(counted).toEqual({ a: 1, b: 1, c: 1 });
    expect(seen.of("fallback.skipped")).toMatchObject([
      { name: "a", tier: "c", reason: "condition" },
      { name: "a", tier: "b", reason: "condition" },
    ]);
  });

  it("and again in the next call", async () => {
    setup();
    const tier = script<string>({ value: "1" }, { value: "2" });
    const call = pipe(script<string>({ error: down }, { error: down }), fallback([tier]));
    expect([await call("x"), await call("x")]).toEqual(["1", "2"]);
  });
});

describe("the final error", () => {
  it("holds every tier's own failure in order; a later 400 never hides the first cause", async () => {
    const { seen } = setup();
    const errors = [http(503, "first down"), http(429, "second limited"), http(400, "third cannot read it")] as const;
    const call = protect("draft", script<string>({ error: errors[0] }), {
      fallback: [
        { name: "gpt", operation: script<string>({ error: errors[1] }) },
        { name: "llama", operation: script<string>({ error: errors[2] }) },
      ],
    });
    const error = (await call("x").catch((error: unknown) => error)) as FallbackExhaustedError;
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect(error.failures.map(({ error, tier, tierName, kind }) => [error, tier, tierName, kind])).toEqual([
      [errors[0], 0, "draft", "overloaded"],
      [errors[1], 1, "gpt", "rateLimited"],
      [errors[2], 2, "llama", "invalid"],
    ]);
    expect(error.cause).toBe(errors[0]);
    expect(seen.of("fallback.exhausted")).toMatchObject([{ name: "draft", tiers: 3, severity: "critical" }]);
    expect(error.message).toBe(
      '"draft" has no tier left: draft (overloaded: first down); gpt (rateLimited: second limited); llama (invalid: third cannot read it).',
    );
  });

  it("is the operation's own where no tier was asked", async () => {
    setup();
    const never = { name: "other", operation: script<string>({ value: "x" }), when: () => false };
    await expect(pipe(script<string>({ error: down }), fallback([never]))("x")).rejects.toBe(down);
  });
});

describe("`settled` and the events", () => {
  it("name the tier that answered", async () => {
    const { seen } = setup();
    const call = protect("draft", script<string>({ error: down }), {
      fallback: [
        { name: "gpt", operation: script<string>({ error: down }) },
        { name: "template", operation: script<string>({ value: "dear all" }) },
      ],
    });
    expect(await settled(call)("x")).toMatchObject({
      ok: true,
      story: { state: "degraded", tier: 2, tierName: "template", degraded: { reason: "transient" }, attempts: 3 },
    });
    expect(seen.of("call.settled")).toMatchObject([{ state: "degraded", tier: 2, attempts: 3 }]);
    expect(seen.of("fallback.used").map(({ from, to }) => [from, to])).toEqual([
      ["draft", "gpt"],
      ["gpt", "template"],
    ]);
  });
});

describe("each tier's failure", () => {
  it("reaches its own breaker exactly once, at any place in the chain", async () => {
    setup();
    const tiers = ["first", "second", "third"].map((name) => {
      const circuit = breaker({ failureRate: 0.5, minimumCalls: 100 });
      return {
        name,
        circuit,
        operation: pipe(
          named(name, async (_: string): Promise<string> => Promise.reject(down)),
          circuit,
        ),
      };
    });
    const [first, second, third] = tiers as [(typeof tiers)[0], (typeof tiers)[0], (typeof tiers)[0]];
    const asCalls = (order: typeof tiers) =>
      order.map(({ name, operation }) => protect<string, string>(name, operation));
    const chains = [
      protect("by pipe", first.operation, { fallback: [second.operation, third.operation] }),
      protect("as calls", asCalls([first])[0] as Protected<string, string>, { fallback: asCalls([second, third]) }),
      protect("the other way", third.operation, { fallback: asCalls([second, first]) }),
      pipe(second.operation, fallback<string, string>([third.operation, first.operation])),
    ];
    for (const [i, chain] of chains.entries()) {
      await settled(chain)("x");
      expect(tiers.map(({ circuit }) => circuit.state.failures)).toEqual([i + 1, i + 1, i + 1]);
    }
  });
});

describe("without `when`", () => {
  const goesOn = [
    { seen: "500", error: down, on: true },
    { seen: "429", error: http(429), on: true },
    { seen: "401", error: http(401), on: true },
    { seen: "403", error: http(403), on: true },
    { seen: "a spent quota", error: http(429, "quota", { code: "insufficient_quota" }), on: true },
    { seen: "a request that is too large", error: http(413), on: true },
    { seen: "a bug", error: new TypeError("x is not a function"), on: true },
    { seen: "a Response of 503", value: new Response(null, { status: 503 }), on: true },
    { seen: "an error inside a 200", value: { error: { message: "overloaded", type: "overloaded_error" } }, on: true },
    { seen: "400", error: http(400), on: false },
    { seen: "404", error: http(404), on: false },
    { seen: "422", error: http(422), on: false },
    { seen: "a Response of 404", value: new Response(null, { status: 404 }), on: false },
  ];

  it.each(goesOn)(
    "every failure goes on that the verdict lets go on, thrown or as a value: $seen, $on",
    async (one) => {
      setup();
      const tier = script<unknown>({ value: "other" });
      const operation = script<unknown>("error" in one ? { error: one.error } : { value: one.value });
      const ended = await settled(pipe(operation, fallback([tier])))("x");
      expect(tier.calls).toHaveLength(one.on ? 1 : 0);
      if (one.on) expect(ended).toMatchObject({ ok: true, value: "other" });
      else expect(ended.ok ? ended.value : ended.error).toBe("error" in one ? one.error : one.value);
    },
  );
});

describe("a caller's own mistake (404 on his id, his short time-out)", () => {
  it.each<{ mistake: string; said: () => CallOptions; error?: Error }>([
    { mistake: "an id that is not there", said: () => ({}), error: http(404) },
    { mistake: "a deadline far shorter than the declared one", said: () => ({ deadline: 5 }) },
    { mistake: "likewise by the moment", said: () => ({ deadlineAt: 5 }) },
    { mistake: "a signal that was aborted already", said: () => ({ signal: AbortSignal.abort("at once") }) },
  ])("closes no tier: $mistake", async ({ said, error }) => {
    const { clock } = setup();
    const circuits = [breaker({ consecutiveFailures: 1 }), breaker({ consecutiveFailures: 1 })] as const;
    const answer = error ? ({ error } as const) : "never";
    const tier = pipe(script<string>({ error: down }, { value: "other" }), circuits[1]);
    const operation = script<string>(answer, answer, { value: "ok" });
    const call = protect("user", operation, { breaker: circuits[0], deadline: "10s", fallback: [tier] });
    for (let i = 0; i < 2; i++) {
      const ended = watch(call("x", said()));
      await clock.advance(10);
      expect(ended.at).toHaveProperty("error");
    }
    expect(circuits.map(({ state }) => state.state)).toEqual(["closed", "closed"]);
  });

  it("his impatience by a signal of his own neither", async () => {
    const { clock, caller } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = protect("user", script<string>("never"), { breaker: circuit, deadline: "10s" });
    const controller = caller();
    const ended = watch(call("x", { signal: controller.signal }));
    await clock.advance("9s");
    controller.abort(new DOMException("too slow for me", "TimeoutError"));
    await clock.advance(1);
    expect(ended.at).toMatchObject({ error: { name: "TimeoutError" } });
    expect(circuit.state.state).toBe("closed");
  });

  it("but a deadline of which the operation had at least half of what is declared opens it", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = protect("user", script<string>("never"), { breaker: circuit, deadline: "10s" });
    const ended = watch(call("x", { deadline: "5s" }));
    await clock.advance("5s");
    expect(ended.at).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    expect(circuit.state.state).toBe("open");
  });
});

describe("fallback switched off for a call", () => {
  it("asks no tier, and gives the operation's own failure", async () => {
    const { seen } = setup();
    const tier = script<string>({ value: "other" });
    const call = protect("user", script<string>({ error: down }), { fallback: [tier] });
    await expect(call("x", { fallback: false })).rejects.toBe(down);
    expect(tier.calls).toEqual([]);
    expect(seen.of("fallback.exhausted")).toEqual([]);
  });

  it("is off in the calls inside it too", async () => {
    setup();
    const tier = script<string>({ value: "other" });
    const inner = protect("inner", script<string>({ error: down }), { fallback: [tier] });
    await expect(protect("outer", (i: string, c) => inner(i, c))("x", { fallback: false })).rejects.toBe(down);
    expect(tier.calls).toEqual([]);
  });
});

describe("10,000 calls on one signal", () => {
  it("leave no listener and no MaxListeners warning", async () => {
    const { caller } = setup();
    const { signal } = caller();
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.name);
    process.on("warning", note);
    const call = protect("user", async (i: number): Promise<number> => (i % 2 ? i : Promise.reject(down)), {
      timeout: "1s",
      retry: { base: 0 },
      fallback: [async (i) => -i],
    });
    const all = await Promise.all(Array.from({ length: 10_000 }, (_, i) => call(i, { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(all.slice(0, 4)).toEqual([-0, 1, -2, 3]);
    expect([getEventListeners(signal, "abort").length, warnings]).toEqual([0, []]);
  });
});
