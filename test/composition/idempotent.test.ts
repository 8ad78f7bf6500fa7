// Design §2: what may have been received is not sent again, where the operation must not run twice.
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { breaker, type CallContext, defineWrapper, HoldfastError, protect, settled } from "../../src/index.ts";
import { type Answer, script } from "../../src/testing/index.ts";
import { setup, turn } from "./setup.ts";

function failed(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code });
}

function status(status: number, headers: Record<string, string> = {}): Error {
  return Object.assign(new Error(`HTTP ${status}`), { status, headers: new Headers(headers) });
}

const surelyNot: ReadonlyArray<[what: string, error: unknown]> = [
  ["a refused connection", failed("ECONNREFUSED")],
  ["DNS", failed("ENOTFOUND")],
  ["DNS that is to be asked again", failed("EAI_AGAIN")],
  ["a connect timeout", failed("UND_ERR_CONNECT_TIMEOUT")],
  ["a failed fetch, by its cause", new TypeError("fetch failed", { cause: failed("ECONNREFUSED") })],
  ["425", status(425)],
  ["429", status(429)],
  ["503 with a hint", status(503, { "retry-after": "1" })],
  ["a Response of 429", new Response(null, { status: 429 })],
];

const maybe: ReadonlyArray<[what: string, error: unknown]> = [
  ["a reset", failed("ECONNRESET")],
  ["a failed fetch whose socket closed", new TypeError("fetch failed", { cause: failed("UND_ERR_SOCKET") })],
  ["a time-out of the client", failed("UND_ERR_HEADERS_TIMEOUT")],
  ["500", status(500)],
  ["502", status(502)],
  ["503 without a hint", status(503)],
  ["504", status(504)],
  ["an unknown error", new Error("?")],
  ["a thrown text", "oops"],
  ["a Response of 500", new Response(null, { status: 500 })],
  ["a bug", new TypeError("x is not a function")],
];

function pay(error: unknown, options: object = {}, said: object = {}) {
  const { clock, seen } = setup();
  const given = error instanceof Response ? { value: error as unknown } : { error };
  const operation = script<unknown>(given, given, given);
  const tier = script<unknown>({ value: "by the other bank" });
  const call = protect("pay", operation, { retry: { attempts: 3 }, fallback: [tier], ...options });
  const ended = settled(call)({ order: "o-1" }, said);
  return {
    seen,
    async end() {
      await clock.advance("30s");
      return { ...(await ended), calls: operation.calls, tierCalls: tier.calls };
    },
  };
}

describe("an operation is idempotent by default", () => {
  it.each(maybe.filter(([what]) => what !== "a bug"))(
    "and what may have been received is tried again, and sent to a tier: %s",
    async (_, error) => {
      const { calls, tierCalls } = await pay(error).end();
      expect([calls.length, tierCalls.length]).toEqual([3, 1]);
    },
  );
});

describe("with `idempotent: false`", () => {
  it.each(maybe)("what may have been received is neither retried nor sent to a tier: %s", async (_, error) => {
    const { calls, tierCalls, ...end } = await pay(error, { idempotent: false }).end();
    expect([calls.length, tierCalls.length]).toEqual([1, 0]);
    expect("value" in end ? end.value : end.error).toBe(error);
    expect(end.story.state).toBe("failed");
  });

  it.each(surelyNot)("what was surely not received is tried again, and sent to a tier: %s", async (_, error) => {
    const { calls, tierCalls } = await pay(error, { idempotent: false }).end();
    expect([calls.length, tierCalls.length]).toEqual([3, 1]);
  });

  it("a time-out of ours may have been received", async () => {
    const { clock } = setup();
    const operation = script<number>("never");
    const tier = script({ value: 2 });
    const call = protect("pay", operation, { idempotent: false, timeout: "1s", retry: {}, fallback: [tier] });
    const ended = settled(call)(undefined);
    await clock.advance("30s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "TIMEOUT" }, story: { attempts: 1 } });
    expect(tier.calls).toEqual([]);
  });

  it("what answered with an output that was refused was received", async () => {
    const { clock } = setup();
    const operation = script({ value: 1 });
    const ended = settled(protect("pay", operation, { idempotent: false, output: z.string(), retry: {} }))(undefined);
    await clock.advance("30s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "OUTPUT_REJECTED" }, story: { attempts: 1 } });
  });

  it("a refusal of our own was not received: it is waited for, and sent to a tier", async () => {
    const { clock } = setup();
    let refusals = 0;
    const turnstile = defineWrapper("turnstile", z.undefined(), undefined, (_, { refuse }) => ({
      bracket: {
        before: ({ input }) => (refusals++ === 0 ? refuse(new HoldfastError("not yet", { retryAfterMs: 100 })) : input),
      },
    }));
    const operation = script({ value: 1 });
    const waiting = protect("pay", turnstile(operation), { idempotent: false, retry: {} })(undefined);
    await clock.advance("1s");
    expect(await waiting).toBe(1);

    const circuit = breaker({ breakTime: "1m" });
    circuit.isolate();
    const tier = script({ value: 2 });
    const call = protect("pay", script<number>(), { idempotent: false, breaker: circuit, fallback: [tier] });
    expect(await call(undefined)).toBe(2);
  });

  it("a later try that may have been received ends it, though the first was surely not", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: status(429) }, { error: status(500) });
    const tier = script({ value: 2 });
    const ended = settled(protect("pay", operation, { idempotent: false, retry: {}, fallback: [tier] }))(undefined);
    await clock.advance("30s");
    expect(await ended).toMatchObject({ ok: false, error: { status: 500 }, story: { attempts: 2 } });
    expect(tier.calls).toEqual([]);
  });

  it("a tier that may have received it is the last: no further one is asked", async () => {
    setup();
    const tiers = [script<number>({ error: status(500) }), script({ value: 3 })] as const;
    const call = protect("pay", script<number>({ error: status(429) }), { idempotent: false, fallback: [...tiers] });
    await settled(call)(undefined);
    expect(tiers.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });

  it("`when` of a retry and of a tier cannot bring it back", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: status(500) });
    const tier = script({ value: 2 });
    const call = protect("pay", operation, {
      ...{ idempotent: false, retry: { when: () => true } },
      fallback: [{ name: "other", operation: tier, when: () => true }],
    });
    const ended = settled(call)(undefined);
    await clock.advance("30s");
    await ended;
    expect([operation.calls.length, tier.calls.length]).toEqual([1, 0]);
  });

  it.each<[what: string, charged: Answer<string>, calls: number]>([
    ["is still on its way may have been received, and the call is not repeated", "never", 1],
    ["may have been received is not repeated", { error: failed("ECONNRESET") }, 1],
    ["was surely not received hinders nothing", { error: failed("ECONNREFUSED") }, 2],
  ])("a call made inside that %s", async (_, charged, calls) => {
    const { clock } = setup();
    const charging = protect("charge", script(charged, charged), { idempotent: false });
    const operation = script<string>({ error: failed("ECONNREFUSED") }, { value: "shipped" });
    const order = async (input: undefined, context: CallContext) => {
      void settled(charging)(input, context);
      await turn();
      return operation(input, context);
    };
    const ended = settled(protect("order", order, { idempotent: false, retry: { base: 1 } }))(undefined);
    for (let i = 0; i < 3; i++) {
      await turn();
      await clock.advance("5s");
    }
    expect(await ended).toMatchObject(calls === 2 ? { value: "shipped" } : { error: { code: "ECONNREFUSED" } });
    expect(operation.calls).toHaveLength(calls);
  });

  it("a connection that a real server refuses is tried again", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const call = protect("pay", () => fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "{}" }), {
      ...{ idempotent: false, retry: { attempts: 2, base: 1 } },
    });
    expect(await settled(call)()).toMatchObject({ ok: false, story: { attempts: 2 } });
  });

  it("a connection that a real server drops in the middle is not", async () => {
    let requests = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        requests++;
        socket.destroy();
      });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const call = protect("pay", () => fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "{}" }), {
      ...{ idempotent: false, retry: { attempts: 3, base: 1 } },
    });
    expect(await settled(call)()).toMatchObject({ ok: false, story: { attempts: 1 } });
    expect(requests).toBe(1);
  });
});

describe("an idempotency key", () => {
  const keysOf = (calls: ReadonlyArray<{ context: CallContext }>) => calls.map(({ context }) => context.idempotencyKey);
  const declared = { idempotent: false, idempotencyKey: ({ order }: { order: string }) => `k-${order}` };

  it("declared as `idempotencyKey(input)` lets it be tried again and sent to a tier: the same for all attempts", async () => {
    const { calls, tierCalls } = await pay(status(500), declared).end();
    expect(keysOf(calls)).toEqual(["k-o-1", "k-o-1", "k-o-1"]);
    expect(keysOf(tierCalls)).toEqual(["k-o-1"]);
  });

  it("of the caller lets it too, and goes before the declared one", async () => {
    const { calls, tierCalls } = await pay(status(500), { idempotent: false }, { idempotencyKey: "mine" }).end();
    expect([keysOf(calls), keysOf(tierCalls)]).toEqual([["mine", "mine", "mine"], ["mine"]]);
    const both = await pay(status(500), declared, { idempotencyKey: "mine" }).end();
    expect(keysOf(both.calls)).toEqual(["mine", "mine", "mine"]);
  });

  it("is asked of the input as the schema made it, once a call", async () => {
    const { clock } = setup();
    const asked: unknown[] = [];
    const operation = script({ error: status(500) }, { value: 1 });
    const call = protect("pay", operation, {
      ...{ input: z.object({ order: z.string().trim() }), retry: {}, idempotent: false },
      idempotencyKey: (input) => {
        asked.push(input);
        return input.order;
      },
    });
    const ended = call({ order: " o-1 " });
    await clock.advance("5s");
    await ended;
    expect(asked).toEqual([{ order: "o-1" }]);
  });

  it("is of one call: the next call has its own", async () => {
    setup();
    const operation = script({ value: 1 }, { value: 2 });
    const call = protect("pay", operation, declared);
    await call({ order: "a" });
    await call({ order: "b" });
    expect(keysOf(operation.calls)).toEqual(["k-a", "k-b"]);
  });
});

describe("`idempotent` of a policy", () => {
  it("holds for its calls, and a call may say otherwise", async () => {
    const { clock } = setup();
    const bank = protect.with("bank", { idempotent: false, retry: { attempts: 2 } });
    const [pay, look] = [1, 2].map(() => script<number>({ error: status(500) }, { error: status(500) }));
    const ends = [
      settled(bank("pay", pay as NonNullable<typeof pay>))(undefined),
      settled(bank("look", look as NonNullable<typeof look>, { idempotent: true }))(undefined),
    ];
    await clock.advance("5s");
    await Promise.all(ends);
    expect([pay?.calls.length, look?.calls.length]).toEqual([1, 2]);
  });
});
