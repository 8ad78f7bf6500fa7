import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  bulkhead,
  cache,
  explain,
  fallback,
  guard,
  HoldfastError,
  named,
  OptionsInvalidError,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { reset, script } from "../../src/testing/index.ts";
import { outcome, setup, turn } from "../composition/setup.ts";
import { answering, down, operation, status } from "./cache-setup.ts";

/** Numbers its answers. */
function counter() {
  let calls = 0;
  return async (_?: unknown): Promise<number> => ++calls;
}

describe("an answer", () => {
  it("is given again for so long, and not a moment longer", async () => {
    const { clock } = setup();
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String } });
    expect(await call("a")).toBe(1);
    await clock.advance(59_999);
    expect(await call("a")).toBe(1);
    await clock.advance(1);
    expect(await call("a")).toBe(2);
  });

  it("is shared, not copied", async () => {
    setup();
    const call = pipe(async (id: string) => ({ id }), cache({ ttl: "1m" }));
    expect(await call("a")).toBe(await call("a"));
  });

  it("may be anything, also `undefined`", async () => {
    setup();
    const nothing = script<unknown>({ value: undefined }, { value: 2 });
    const call = pipe(nothing, cache({ ttl: "1m", key: String }));
    expect([await call("a"), await call("a"), nothing.calls.length]).toEqual([undefined, undefined, 1]);
  });

  it("moving the system clock expires nothing and prolongs nothing", async () => {
    const { clock } = setup();
    let epoch = 0;
    const moved = { ...clock, now: () => epoch, monotonic: () => clock.monotonic() };
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String }, seams: { clock: moved } });
    await call("a");
    epoch = 365 * 24 * 3_600_000;
    expect(await call("a")).toBe(1);
    epoch = -epoch;
    await clock.advance("1m");
    expect(await call("a")).toBe(2);
  });

  it("can set its own lifetime; 0 is not kept, and takes what was kept before with it", async () => {
    const { clock } = setup();
    const answers = answering<{ maxAge: number }>(
      ...[{ value: { maxAge: 10 } }, { value: { maxAge: 0 } }, { value: { maxAge: 100 } }, { value: { maxAge: 1 } }],
    );
    const call = protect("x", answers, {
      cache: { ttl: ({ maxAge }, input) => (input === "a" ? maxAge * 1_000 : 0), staleOnError: "1h" },
    });
    await call("a");
    await clock.advance(9_999);
    await call("a");
    expect(answers.calls).toHaveLength(1);
    await clock.advance(1);
    await call("a");
    expect(explain(call)[0]?.state).toEqual({ entries: 0, loading: 0 });
    await call("a");
    expect(answers.calls).toHaveLength(3);
    await clock.advance(99_999);
    expect(await call("a")).toEqual({ maxAge: 100 });
  });

  it.each([Number.NaN, -1, "soon", undefined])("whose own lifetime is %s is reported, not obeyed", async (given) => {
    setup();
    const call = protect("x", counter(), { cache: { ttl: () => given as never, key: String } });
    const { ok, story, ...ended } = await settled(call)("a");
    expect(ended).toMatchObject({ error: { code: "OPTIONS_INVALID", issues: [{ path: "cache.ttl" }] } });
    expect([ok, story.state, explain(call)[0]?.state]).toEqual([false, "failed", { entries: 0, loading: 0 }]);
  });

  it("that never ends is kept until others need its place", async () => {
    const { clock } = setup();
    const call = protect("x", counter(), { cache: { ttl: Number.POSITIVE_INFINITY, key: String, max: 2 } });
    await call("a");
    await clock.advance(1e12);
    expect([await call("a"), await call("b"), await call("c"), await call("a")]).toEqual([1, 2, 3, 4]);
  });
});

describe("it is bounded", () => {
  it("by default: 1,000 answers, those used last", async () => {
    setup();
    const call = protect("x", async (n: number) => ({ n }), { cache: { ttl: "1h" } });
    const first = await call(0);
    for (let n = 1; n <= 1_000; n++) {
      await call(n);
      if (n < 900) await call(0);
    }
    expect(explain(call)).toMatchObject([{ options: { max: 1_000 }, state: { entries: 1_000 } }]);
    expect(await call(0)).toBe(first);
  });

  it("by `max`", async () => {
    setup();
    const call = protect("x", async (n: number) => n, { cache: { ttl: "1h", max: 10 } });
    for (let n = 0; n < 100; n++) await call(n);
    expect(explain(call)[0]?.state).toEqual({ entries: 10, loading: 0 });
  });
});

describe("the key", () => {
  it('is a text or a number itself, and `1` is not "1"', async () => {
    setup();
    const call = pipe(counter(), cache({ ttl: "1m" }) as never) as (input: unknown) => Promise<number>;
    expect([await call(1), await call("1"), await call(1), await call("1")]).toEqual([1, 2, 1, 2]);
  });

  it("of a call without an input is one", async () => {
    setup();
    const call = pipe(async () => ({}), cache({ ttl: "1m" }));
    expect(await call()).toBe(await call());
  });

  it("is what the schema made of the input, once a call", async () => {
    setup();
    const keys: string[] = [];
    const call = protect("x", async ({ id }) => ({ id }), {
      input: z.object({ id: z.string().transform((id) => id.trim()), at: z.number().default(0) }),
      cache: {
        ttl: "1m",
        key: ({ id }) => {
          keys.push(id);
          return id;
        },
      },
    });
    expect(await call({ id: " a " })).toBe(await call({ id: "a" }));
    expect(keys).toEqual(["a", "a"]);
  });

  it("is needed for other inputs: at construction where the schema tells, else when it is called", async () => {
    setup();
    const made = () =>
      protect("x", async (_: { id: string }) => 1, { input: z.object({ id: z.string() }), cache: { ttl: "1m" } });
    const wanted = "cache.key: wanted `key: (input) => …`, since only a text or a number is a key by itself";
    expect(made).toThrow(wanted);
    const ids = guard(z.object({ id: z.string() }));
    const byHand = () => ids(retry()(cache({ ttl: "1m" })((async () => 1) as never)) as never);
    expect(byHand).toThrow(wanted);
    const call = protect("x", counter(), { cache: { ttl: "1m" } });
    const { error } = (await outcome(call({ id: "hunter2" } as never))) as { error: OptionsInvalidError };
    expect(error).toBeInstanceOf(OptionsInvalidError);
    expect(error.message).toContain(`${wanted}; not an object`);
    expect(JSON.stringify(error) + error.message).not.toContain("hunter2"); // an input may be a secret
    expect((await settled(call)({ id: "a" })).story).toMatchObject({ state: "failed", attempts: 0 });
  });

  it("that is no text, or a function that throws, ends the call as a bug, uncounted and not tried again", async () => {
    setup();
    const asked = counter();
    const mistake = new Error("no id");
    const throws = pipe(
      asked,
      cache<unknown>({
        ttl: "1m",
        key: () => {
          throw mistake;
        },
      }),
      retry({ base: 0 }),
      fallback([async () => 0]),
    );
    expect(await outcome(throws("a"))).toEqual({ error: mistake });
    const none = pipe(asked, cache<unknown>({ ttl: "1m", key: () => 5 as never }), retry({ base: 0 }));
    expect(await outcome(none("a"))).toMatchObject({ error: { code: "OPTIONS_INVALID" } });
    expect(await asked()).toBe(1);
  });

  it("is the whole of what it is given: inputs never match by similarity", async () => {
    setup();
    const call = protect("x", async (turns: string[]) => turns.length, { cache: { ttl: "1m", key: JSON.stringify } });
    const conversation = ["Hello", "Hi", "And now?"];
    expect(await call(conversation)).toBe(3);
    expect(await call(["And now?"])).toBe(1);
    expect(await call(["hello", "Hi", "And now?"])).toBe(3);
    expect(explain(call)[0]?.state).toEqual({ entries: 3, loading: 0 });
  });

  it("holds for one call only: two that share a cache share no answer", async () => {
    setup();
    const answers = cache<string>({ ttl: "1m", key: (text) => text });
    const claude = pipe(async (_: string) => "claude", answers);
    const gpt = protect("gpt", async (_: string) => "gpt", { cache: answers });
    expect([await claude("a"), await gpt("a"), await claude("a")]).toEqual(["claude", "gpt", "claude"]);
    const patient = pipe(claude, retry());
    expect([explain(patient)[1]?.state, explain(claude)[0]?.state]).toEqual([
      { entries: 1, loading: 0 },
      { entries: 1, loading: 0 },
    ]);
  });
});

describe("tenants", () => {
  it("two never share an entry unless declared", async () => {
    setup();
    const apart = protect("x", counter(), { cache: { ttl: "1m", key: String } });
    const of = (tenant: string) => ({ labels: { tenant, request: `${Math.abs(tenant.length)}` } });
    expect([await apart("q", of("a")), await apart("q", of("b")), await apart("q"), await apart("q", of("a"))]).toEqual(
      [1, 2, 3, 1],
    );
    const shared = protect("x", counter(), { cache: { ttl: "1m", key: String, tenants: "shared" } });
    expect([await shared("q", of("a")), await shared("q", of("b"))]).toEqual([1, 1]);
  });

  it("nor by an input that is made to look like another's", async () => {
    setup();
    const call = protect("x", async (input: string | number) => ({ input }), { cache: { ttl: "1m" } });
    const tenant = { labels: { tenant: "a" } };
    const theirs = await call("q", tenant);
    for (const forged of ["\u00001:a$q", "\u0000-\u00001:a$q", "\u0000", "\u0000-"]) {
      expect(await call(forged)).not.toBe(theirs);
      expect(await call(forged)).toEqual({ input: forged });
    }
    expect(await call(5, tenant)).not.toBe(await call("5", tenant));
    expect(await call("q", tenant)).toBe(theirs);
  });
});

describe("a tenant that is no text", () => {
  it.each([{ id: 1 }, ["x"], 7])("is refused at the call: %j could pass for another", async (tenant) => {
    const call = protect("x", async (_: string) => tenant, { cache: { ttl: "1m" } });
    const { error, story } = (await settled(call)("me", { labels: { tenant } as never })) as {
      error?: Error;
      story: { attempts: number };
    };
    expect([error?.message, story.attempts]).toEqual([expect.stringContaining("labels.tenant: wanted a text"), 0]);
  });

  it("is none where it says nothing", async () => {
    const call = protect("x", async (_: string) => 1, { cache: { ttl: "1m" } });
    await call("me", { labels: { tenant: undefined } as never });
    expect((await settled(call)("me", { labels: null } as never)).story.attempts).toBe(0);
  });
});

describe("a hit", () => {
  it("is told as one and touches no breaker, in-flight count or latency", async () => {
    const { clock, seen } = setup();
    const circuit = breaker({ failureRate: 1 });
    const outside = breaker({ failureRate: 1 });
    const priced = named("priced", async (_: string, { cost }: { cost(spent: { money: number }): void }) => {
      cost({ money: 1 });
      return "answer";
    });
    const call = pipe(priced, circuit, cache({ ttl: "1m" }), outside);
    await call("a");
    expect([circuit.state.calls, outside.state.calls]).toEqual([1, 1]);
    await clock.advance(5_000);
    const before = seen.events.length;
    const { story } = await settled(call)("a");
    expect(story).toMatchObject({ state: "succeeded", attempts: 0, elapsedMs: 0, cost: {} });
    expect([circuit.state.calls, outside.state.calls]).toEqual([1, 1]);
    expect(seen.events.slice(before)).toMatchObject([
      { type: "call.started" },
      { type: "cache.hit", ageMs: 5_000, stale: false, call: story.id, severity: "info" },
      { type: "call.settled", attempts: 0, elapsedMs: 0 },
    ]);
  });

  it("a miss is told too, before the operation is called", async () => {
    const { seen } = setup();
    await protect("x", counter(), { cache: { ttl: "1m", key: String } })("a");
    expect(seen.events.map(({ type }) => type)).toEqual([
      "call.started",
      "cache.missed",
      "attempt.started",
      "call.settled",
    ]);
  });

  it("needs nobody to listen", async () => {
    setup({ watched: false });
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String }, retry: {}, timeout: "1s" });
    expect([await call("a"), await call("a")]).toEqual([1, 1]);
  });

  it("replays what a model answered whole: the same items in order, with its end and full usage", async () => {
    setup();
    const answer = { choices: [{ finish_reason: "stop", message: { content: "Hi" } }], usage: { total_tokens: 12 } };
    const call = protect("x", async (_: string) => structuredClone(answer), { cache: { ttl: "1m" } });
    const first = await call("a");
    expect(await call("a")).toBe(first);
    expect(first).toEqual(answer);
  });

  it("is checked anew by what stands outside, and passes a deadline and a caller's abort as other calls do", async () => {
    const { caller } = setup();
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String }, deadline: "1s" });
    await call("a");
    const controller = caller();
    expect(await call("a", { signal: controller.signal })).toBe(1);
    controller.abort("gone");
    expect(await outcome(call("a", { signal: controller.signal }))).toEqual({ error: "gone" });
  });
});

describe("what a caller accepts", () => {
  it("`uncached` neither reads nor writes, and shares no load", async () => {
    const { seen } = setup();
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String } });
    expect(await Promise.all([call("a", { accept: "uncached" }), call("a", { accept: "uncached" })])).toEqual([1, 2]);
    expect(explain(call)[0]?.state).toEqual({ entries: 0, loading: 0 });
    expect(await call("a")).toBe(3);
    expect(await call("a", { accept: "uncached" })).toBe(4);
    expect(await call("a")).toBe(3);
    expect([seen.of("cache.missed").length, seen.of("cache.hit").length]).toEqual([1, 1]);
  });

  it("`fresh` takes what is within its lifetime, and renews what is not", async () => {
    const { clock } = setup();
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String, whileRevalidating: "1h" } });
    expect([await call("a", { accept: "fresh" }), await call("a", { accept: "fresh" })]).toEqual([1, 1]);
    await clock.advance("1m");
    expect([await call("a", { accept: "fresh" }), await call("a")]).toEqual([2, 2]);
  });

  it("holds for the calls made inside too", async () => {
    setup();
    const inner = protect("inner", counter(), { cache: { ttl: "1m", key: String } });
    const outer = protect("outer", async (id: string, context) => inner(id, context));
    expect([await outer("a"), await outer("a"), await outer("a", { accept: "uncached" })]).toEqual([1, 1, 2]);
  });
});

describe("only complete, accepted answers are kept", () => {
  const none = { entries: 0, loading: 0 };
  const kept = async (call: (input: string) => Promise<unknown>) => {
    await settled(call)("a");
    return explain(call).find(({ kind }) => kind === "cache")?.state;
  };

  it.each([
    ["cut off by its length", { choices: [{ finish_reason: "length", message: { content: "Hal" } }] }],
    [
      "cut off by a limit with another name",
      { choices: [{ finish_reason: "model_length", message: { content: "H" } }] },
    ],
    ["cut off, as the AI SDK tells it now", { text: "Hal", finishReason: { unified: "length", raw: "max" } }],
    ["given up for want of resources", { choices: [{ finish_reason: "insufficient_system_resource", message: {} }] }],
    ["ended by an error, of Cohere", { finish_reason: "ERROR", message: { content: [] } }],
    ["ended by an error, of the AI SDK", { text: "Hal", finishReason: "error" }],
    ["paused for a tool", { type: "message", stop_reason: "pause_turn", content: [] }],
    ["still being made", { object: "response", status: "in_progress", output: [] }],
    ["cancelled", { object: "response", status: "cancelled", output: [] }],
    ["still being made, by no word", { choices: [{ finish_reason: null, message: { content: "Hal" } }] }],
    ["still being made, of Ollama", { model: "m", done: false, message: { role: "assistant", content: "Hal" } }],
    ["a call nobody can read, of Gemini", { candidates: [{ content: {}, finishReason: "MALFORMED_FUNCTION_CALL" }] }],
    ["handed on by a client", { data: { choices: [{ finish_reason: "length", message: { content: "Hal" } }] } }],
    ["cut off by its tokens", { type: "message", stop_reason: "max_tokens", content: [] }],
    ["a refusal", { choices: [{ finish_reason: "stop", message: { refusal: "I cannot" } }] }],
    ["an error in a body", { error: { message: "overloaded", type: "overloaded_error" } }],
  ])("not one that is %s", async (_, answer) => {
    setup();
    expect(await kept(protect("x", async (_: string) => answer, { cache: { ttl: "1m" } }))).toEqual(none);
  });

  it("an order that was cancelled is an answer like any other, whatever its property is called", async () => {
    setup();
    const order = { finish_reason: "cancelled", id: 7 };
    expect(await kept(protect("x", async (_: string) => order, { cache: { ttl: "1m" } }))).toEqual({
      ...{ entries: 1, loading: 0 },
    });
  });

  it("not an apology that the gate refused, though another attempt's answer is", async () => {
    setup();
    const answers = answering<string>({ value: "I'm sorry, but" }, { value: "Tides." });
    const call = protect("x", answers, {
      ...{ cache: { ttl: "1m" }, retry: { attempts: 2, base: 0 } },
      gate: { checks: [(text) => (text.startsWith("I'm sorry") ? "an answer" : undefined)] },
    });
    expect([await call("a"), await call("a"), answers.calls.length]).toEqual(["Tides.", "Tides.", 2]);
    const never = protect("x", async (_: string) => "no", { cache: { ttl: "1m" }, gate: { checks: [() => "better"] } });
    expect(await kept(never)).toEqual(none);
  });

  it("not what a lower tier gave", async () => {
    setup();
    const first = answering<string>({ error: down }, { value: "first" });
    const call = protect("x", first, {
      ...{ cache: { ttl: "1m" }, fallback: [async () => "second"] },
    });
    const { story } = await settled(call)("a");
    expect(story).toMatchObject({ state: "degraded", tier: 1, attempts: 2, degraded: { reason: "overloaded" } });
    expect([await call("a"), await call("a")]).toEqual(["first", "first"]);
  });

  it("not what rests on something stale", async () => {
    const { clock } = setup();
    const source = answering<number>({ value: 1 }, { error: down });
    const inner = protect("inner", source, {
      cache: { ttl: "1s", staleOnError: "1h" },
    });
    await inner("a");
    await clock.advance("1s");
    expect(await kept(protect("outer", (id: string, context) => inner(id, context), { cache: { ttl: "1m" } }))).toEqual(
      none,
    );
  });

  it("not what was aborted, not admitted or failed", async () => {
    setup();
    for (const error of [down, status(404), new HoldfastError("full", { code: "BULKHEAD_FULL" })]) {
      const failing = protect("x", async (_: string) => Promise.reject(error), { cache: { ttl: "1m" } });
      expect(await kept(failing)).toEqual(none);
    }
  });
});

describe("a failure", () => {
  it("is not kept, unless `negative` says so", async () => {
    setup();
    const call = protect("x", answering<number>({ error: status(404) }, { value: 1 }), {
      cache: { ttl: "1m" },
    });
    expect(await outcome(call("a"))).toMatchObject({ error: { status: 404 } });
    expect(await call("a")).toBe(1);
  });

  it.each([
    ["404", status(404), true],
    ["400", status(400), true],
    ["413", status(413), true],
    ["a refusal for its content", Object.assign(new Error("content management policy"), { status: 400 }), true],
    ["500", status(500), false],
    ["429", status(429), false],
    ["401", status(401), false],
    ["a bug", new RangeError("oops"), false],
    ["a full bulkhead", new HoldfastError("full", { code: "BULKHEAD_FULL" }), false],
    ["nobody knows what", new Error("?"), false],
  ])("with `negative` is kept for so long, where the input is to blame for it: %s", async (_, error, isKept) => {
    const { clock, seen } = setup();
    const answers = answering<number>({ error }, { error }, { value: 1 });
    const call = protect("x", answers, { cache: { ttl: "1h", negative: "5s" } });
    await outcome(call("a"));
    await clock.advance(4_999);
    const { ok, story, ...ended } = await settled(call)("a");
    expect([ok, ended, answers.calls.length]).toEqual([false, { error }, isKept ? 1 : 2]);
    if (!isKept) return;
    expect(story).toMatchObject({ state: "failed", attempts: 0, failures: [{ error, elapsedMs: 0 }] });
    expect(seen.of("cache.hit")).toMatchObject([{ ageMs: 4_999, stale: false }]);
    await clock.advance(1);
    await outcome(call("a"));
    expect(answers.calls).toHaveLength(2);
  });

  it("that is kept is judged like the first time by what stands outside, and touches no breaker", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1, when: () => true });
    const missing = pipe(script({ error: status(404) }), cache<unknown>({ ttl: "1m", key: String, negative: "1m" }));
    const call = pipe(
      missing,
      fallback<unknown, unknown>([{ name: "copy", operation: async () => 2, when: () => true }]),
    );
    expect([await call("a"), await call("a")]).toEqual([2, 2]);
    const broken = pipe(missing, circuit);
    circuit.close();
    await outcome(broken("a"));
    expect(circuit.state.state).toBe("closed");
  });
});

describe("what can be read once only is refused, with the remedy", () => {
  const cancelled: unknown[] = [];
  const stream = () => new ReadableStream({ cancel: (why) => void cancelled.push(why ?? "cancelled") });
  it.each([
    ["a Response", () => new Response(stream())],
    ["a Response that tells of a failure", () => new Response("", { status: 503 })],
    ["a web stream", () => stream()],
    ["one of Node's streams", () => Readable.from(["a"])],
    ["an async iterator", () => (async function* () {})()],
    ["an iterator", () => [1].values()],
    ["an object that holds a stream", () => ({ textStream: stream(), usage: {} })],
    ["an object that holds an async iterator", () => ({ parts: (async function* () {})() })],
    ["an object that holds an iterator", () => ({ parts: [1].values() })],
    ["an object that holds a Response", () => ({ response: new Response(stream()) })],
    ["a Request with a body", () => new Request("http://localhost/", { method: "POST", body: "{}" })],
    ["an object that holds one", () => ({ request: new Request("http://localhost/", { method: "POST", body: "{}" }) })],
  ])("%s", async (_, make) => {
    const { seen } = setup();
    const answers = async (_: string): Promise<unknown> => make();
    const call = protect("x", answers, { cache: { ttl: "1m" }, fallback: [answers] });
    for (const options of [{}, { accept: "uncached" }] as const) {
      const { error } = (await outcome(call("a", options))) as { error: OptionsInvalidError };
      expect(error).toBeInstanceOf(OptionsInvalidError);
      expect(error.message).toMatch(
        /^The options of "x" cannot be used. cache: no (Response|Request|stream|iterator): it can be read once only, .* read it inside the operation \(`return await response.json\(\)`\)/,
      );
    }
    expect(seen.of("call.settled").map(({ state }) => state)).toEqual(["failed", "failed"]);
  });

  it.each<[string, () => unknown]>([
    ["0", () => [stream()]],
    ["2", () => [1, {}, (async function* () {})()]],
    ["0", () => [[1].values()]],
    ["parts.1", () => ({ parts: ["text", stream()] })],
    ["1.body", () => [{ id: 1 }, { id: 2, body: stream() }]],
    ["reply.response", () => ({ id: 1, reply: { ms: 3, response: new Response(stream()) } })],
    ["result.textStream", () => ({ usage: { tokens: 3 }, result: { textStream: stream() } })],
    ["98", () => [...new Array(98).fill({ id: 1 }), stream()]],
    ["textStream", () => ({ textStream: stream() })],
  ])("in a list or two levels down too, and it says where: %s", async (path, make) => {
    setup();
    const before = cancelled.length;
    const call = protect("x", async (_: string) => make(), { cache: { ttl: "1m" } });
    for (const id of ["a", "b"]) {
      const { error } = (await outcome(call(id))) as { error: OptionsInvalidError };
      expect(error.message).toMatch(/cache: no (Response|stream|iterator): it can be read once only, /);
      expect(error.message).toContain(`; it is the answer's \`${path}\``);
    }
    await turn();
    const isClosed = String(make).includes("stream()");
    expect(cancelled.length).toBe(before + (isClosed ? 2 : 0));
  });

  it("two levels down also where earlier answers had only data there", async () => {
    setup();
    const given: unknown[] = [
      ...[{ parts: [{ body: "text" }] }, { parts: [{ body: "text" }] }, { parts: [{ body: stream() }] }],
      ...[{ reply: { body: "text" } }, { reply: { body: "text" } }, { reply: { body: stream() } }],
    ];
    const call = protect("x", async (_: string) => given.shift(), { cache: { ttl: "1m" } });
    const codes: unknown[] = [];
    for (let id = 0; given.length > 0; id++) codes.push(await outcome(call(`${id}`)));
    const refused = { error: { code: "OPTIONS_INVALID" } };
    expect(codes).toMatchObject([{ value: {} }, { value: {} }, refused, { value: {} }, { value: {} }, refused]);
  });

  it("looks at a hundred properties at most, those near the top first, and never into what is of a class of its own", async () => {
    setup();
    const fields = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, i]));
    const own = Object.assign(new (class Own {})(), { body: stream() });
    let asked = 0;
    const counted = {
      get body() {
        asked++;
        return stream();
      },
    };
    for (const value of [
      ...[{ own }, [own], { deep: { deeper: { body: stream() } } }, { bytes: new Uint8Array(1_000) }],
      ...[{ counted }, [counted], new Array(200).fill(1).with(150, stream()), { many: fields(100), last: [stream()] }],
      { list: { page: { next: () => 2, previous: () => 0 } } },
    ])
      expect(await protect("x", async (_: string) => value, { cache: { ttl: "1m" } })("a")).toBe(value);
    expect(asked).toBe(0);
    const wide = protect("x", async (_: string) => ({ many: fields(200), body: stream() }), { cache: { ttl: "1m" } });
    expect(await outcome(wide("a"))).toMatchObject({ error: { code: "OPTIONS_INVALID" } });
  });

  it("also where earlier answers had only data under the same names", async () => {
    setup();
    const given: unknown[] = [
      { id: 1, body: "text" },
      { id: 2, body: "text" },
      { id: 3, body: stream() },
    ];
    const call = protect("x", async (_: string) => given.shift(), { cache: { ttl: "1m" } });
    expect(await call("a")).toEqual({ id: 1, body: "text" });
    expect(await call("b")).toEqual({ id: 2, body: "text" });
    expect(await outcome(call("c"))).toMatchObject({ error: { code: "OPTIONS_INVALID" } });
  });

  it("a getter of an answer, which may begin to read, is never asked", async () => {
    setup();
    let asked = 0;
    const answers = async (id: string) => ({
      id,
      get body() {
        asked++;
        return stream();
      },
    });
    const call = protect("x", answers, { cache: { ttl: "1m" } });
    for (const id of ["a", "b", "c"]) await call(id);
    expect(asked).toBe(0);
  });

  it("one that throws where earlier answers had data ends no call, and hides no stream behind it", async () => {
    setup();
    let asked = 0;
    const throwing = (more: object) =>
      Object.defineProperty({ body: "", ...more }, "body", {
        get() {
          asked++;
          throw new Error("closed");
        },
      });
    const given: object[] = [
      { body: "text", rest: 1 },
      throwing({ rest: 2 }),
      throwing({ rest: 3 }),
      { body: "text", rest: 4 },
      throwing({ rest: stream() }),
    ];
    const call = protect("x", async (_: string) => given.shift(), { cache: { ttl: "1m" } });
    await call("a");
    await call("b");
    await call("c");
    expect(asked).toBe(1);
    await call("d");
    expect(await outcome(call("e"))).toMatchObject({ error: { code: "OPTIONS_INVALID" } });
    expect(asked).toBe(2);
  });

  it("and let go: no body is left open", async () => {
    setup();
    const before = cancelled.length;
    await outcome(protect("x", async (_: string) => new Response(stream()), { cache: { ttl: "1m" } })("a"));
    await turn();
    expect(cancelled.length).toBe(before + 1);
  });

  it("what can be read again is not: arrays, maps, bytes, emitters, classes of one's own", async () => {
    setup();
    for (const value of [
      [1],
      new Map(),
      new Uint8Array(2),
      new EventEmitter(),
      new Request("http://localhost/"),
      new (class Own {})(),
      new Date(0),
    ])
      expect(await protect("x", async (_: string) => value, { cache: { ttl: "1m" } })("a")).toBe(value);
  });
});

describe("delete and clear", () => {
  it("forget one answer, of every tenant, or all, of every call that the cache is laid round", async () => {
    setup();
    const answers = cache<string>({ ttl: "1m", key: (text) => text });
    const [one, other] = [counter(), counter()].map((operation) =>
      pipe(operation as (text: string) => Promise<number>, answers),
    );
    const ask = async () => [
      await one?.("a"),
      await one?.("a", { labels: { tenant: "t" } }),
      await one?.("b"),
      await other?.("a"),
    ];
    expect(await ask()).toEqual([1, 2, 3, 1]);
    answers.delete("a");
    expect(await ask()).toEqual([4, 5, 3, 2]);
    answers.clear();
    expect(await ask()).toEqual([6, 7, 8, 3]);
  });

  it("what is being loaded serves those who wait for it, and is not kept; who comes later asks anew", async () => {
    setup();
    const { ask, runs } = operation();
    const answers = cache({ ttl: "1m" });
    const call = pipe(ask, answers);
    const early = call("a");
    answers.delete("a");
    const late = call("a");
    await runs[1]?.answer("new");
    await runs[0]?.answer("old");
    expect([await early, await late, await call("a")]).toEqual(["old", "new", "new"]);
  });

  it("`reset()` of the tests forgets all as well", async () => {
    setup();
    const call = protect("x", counter(), { cache: { ttl: "1m", key: String } });
    await call("a");
    reset();
    expect([explain(call)[0]?.state, await call("a")]).toEqual([{ entries: 0, loading: 0 }, 2]);
  });
});

describe("delete among many", () => {
  it("finds the answer of no tenant and those of each without a look at all of them", async () => {
    const answers = cache<string>({ ttl: "1m", key: (input) => input, max: 1_000 });
    const call = answers(async (input: string) => input);
    const tenants = [undefined, "a", "b"];
    for (const tenant of tenants)
      for (const input of ["x", "y"]) await call(input, tenant === undefined ? {} : { labels: { tenant } });
    answers.delete("x");
    const attempts: number[] = [];
    for (const input of ["x", "y"])
      for (const tenant of tenants)
        attempts.push((await settled(call)(input, tenant === undefined ? {} : { labels: { tenant } })).story.attempts);
    expect(attempts).toEqual([1, 1, 1, 0, 0, 0]);
  });
});

describe("bad options", () => {
  it.each([
    [{}, "ttl"],
    [{ ttl: 0 }, "ttl"],
    [{ ttl: "soon" }, "ttl"],
    [{ ttl: Number.NaN }, "ttl"],
    [{ ttl: "1m", max: 0 }, "max"],
    [{ ttl: "1m", max: 1.5 }, "max"],
    [{ ttl: "1m", key: "id" }, "key"],
    [{ ttl: "1m", negative: -1 }, "negative"],
    [{ ttl: "1m", staleOnError: -1 }, "staleOnError"],
    [{ ttl: "1m", whileRevalidating: "x" }, "whileRevalidating"],
    [{ ttl: "1m", patience: "1s" }, "whileRevalidating"],
    [{ ttl: "1m", tenants: "none" }, "tenants"],
    [{ ttl: "1m", maxSize: 5 }, "maxSize"],
  ])("throw when the wrapper is made, with the path: %o", (options, path) => {
    const thrown = (make: () => unknown) => {
      try {
        return make();
      } catch (error) {
        return (error as OptionsInvalidError).issues.map((issue) => issue.path ?? "");
      }
    };
    expect(thrown(() => cache(options as never))).toEqual([path]);
    const declared = thrown(() => protect("x", async (_: string) => 1, { cache: options as never }));
    expect(declared).toEqual([`cache.${path}`]);
  });

  it("neither a timeout nor a bulkhead is a cache", () => {
    for (const other of [timeout("1s"), bulkhead(1)])
      expect(() => protect("x", async () => 1, { cache: other as never })).toThrow("cache: wanted a cache");
  });
});

describe("`ready` of a call with a cache", () => {
  it("is now where it has an answer, though what is inside is not", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    const answers = answering<number>({ value: 1 }, { error: down });
    const copy = pipe(answers, circuit, cache({ ttl: "10s" }));
    await copy("a");
    await outcome(copy("b"));
    const call = protect("x", async (_: string): Promise<number> => Promise.reject(down), { fallback: [copy] });
    expect(await call("a")).toBe(1);
    expect((await settled(call)("b")).ok).toBe(false);
    expect(answers.calls).toHaveLength(2);
    await clock.advance("10s");
    expect((await settled(call)("a")).ok).toBe(false);
    expect(answers.calls).toHaveLength(2);
  });
});
