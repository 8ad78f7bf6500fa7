// Rate limits as a bound of what is spent, with nobody listening, and the limits that providers tell of.
import {
  type CallContext,
  eventBus,
  named,
  pipe,
  prices,
  protect,
  type RateLimit,
  type RateLimitOptions,
  rateLimit,
  retry,
  settled,
} from "holdfast";
import { record, reset, script, seams, testClock } from "holdfast/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";

/** Nobody listens, and nothing is logged. */
function setup() {
  const clock = testClock();
  const events = eventBus();
  const restore = seams({ clock, events, random: () => 0 });
  onTestFinished(() => restore[Symbol.dispose]());
  expect(events.quiet).toBe(true);
  return { clock };
}

const limited = (ms: number) =>
  Object.assign(new Error("slow down"), { status: 429, headers: { "retry-after-ms": `${ms}` } });

/** A model that takes 0.6 an answer, and whose answers are of use from the given try on. */
function asked(validFrom: number) {
  let tries = 0;
  const ask = async (_: string, { cost }: CallContext) => {
    tries++;
    cost({ money: 0.6 });
    return tries >= validFrom ? tries : "no number";
  };
  const call = protect("ask", ask as (input: string, context: CallContext) => Promise<number>, {
    output: z.number(),
    retry: { attempts: 5, base: 1, jitter: "none" },
    rateLimit: { money: { limit: 1, per: "1h" }, whenFull: "reject" },
  });
  return { call, tries: () => tries };
}

describe("a quota of money", () => {
  it("stops before the next re-ask, with no listener and no log", async () => {
    const { clock } = setup();
    const { call, tries } = asked(3);
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({
      ok: false,
      error: { code: "OUTPUT_REJECTED" },
      story: { cost: { money: 1.2 } },
    });
    expect(tries()).toBe(2);
  });

  it("a valid answer that crossed it is still delivered; what comes after is not asked", async () => {
    const { clock } = setup();
    const { call, tries } = asked(2);
    const ended = call("x");
    await clock.advance("1m");
    expect(await ended).toBe(2);
    await expect(call("y")).rejects.toMatchObject({ code: "RATE_LIMITED", quota: "money" });
    expect(tries()).toBe(2);
    await clock.advance("1h");
    expect(await call("z")).toBe(3);
  });
});

describe("a model without a price, under a quota of money", () => {
  const money = { limit: 1, per: "1m" } as const;

  function setup(options: RateLimitOptions<string> = {}) {
    const clock = testClock();
    const events = eventBus();
    const restore = seams({ clock, events });
    onTestFinished(() => restore[Symbol.dispose]());
    const seen = record(events);
    const limit = rateLimit({ money, whenFull: "reject", ...options });
    const ask = limit(named("ask", async (model: string, { cost }: CallContext) => cost({ model, inputTokens: 1e9 })));
    return { ask, limit, seen };
  }

  it("is told, once a model: the quota does not hold it", async () => {
    const { ask, seen } = setup();
    for (let i = 0; i < 50; i++) await ask("nope");
    await ask("neither");
    await ask("nope");
    expect(seen.of("limit.unpriced")).toMatchObject([
      { models: ["nope"], name: "ask", severity: "warning" },
      { models: ["neither"], name: "ask" },
    ]);
    reset();
    await ask("nope");
    expect(seen.of("limit.unpriced")).toHaveLength(3);
  });

  it("is told once for all keys, and of at most a thousand that are remembered", async () => {
    const { ask, seen } = setup({ key: (model) => model });
    for (let i = 0; i <= 1_000; i++) await ask(`m${i}`);
    await ask("m1000");
    expect(seen.of("limit.unpriced")).toHaveLength(1_001);
    await ask("m0");
    expect(seen.of("limit.unpriced")).toHaveLength(1_002);
  });

  it("is not told where no quota is of money, or it has a price", async () => {
    const { ask, seen } = setup({ money: undefined, tokens: { limit: 1e12, per: "1m" } });
    await ask("nope");
    const priced = setup();
    const undo = prices.set("fair", { input: 0, output: 0 });
    onTestFinished(() => undo());
    await priced.ask("fair");
    expect([...seen.of("limit.unpriced"), ...priced.seen.of("limit.unpriced")]).toEqual([]);
  });

  it("keeps what the estimate took, also where part of it is known, and where the attempt failed", async () => {
    const { limit } = setup({ estimate: () => ({ money: 0.25 }) });
    const left = () => (limit as unknown as RateLimit).left.money;
    const ask = limit(
      named("ask", async (told: string, { cost }: CallContext) => {
        for (const one of JSON.parse(told)) cost(one);
        if (told.includes("nope2")) throw Object.assign(new Error("poor"), { status: 500 });
      }),
    );
    const nope = { model: "nope", inputTokens: 5 };
    await ask(JSON.stringify([nope]));
    expect(left()).toBe(0.75);
    await ask(JSON.stringify([nope, { money: 0.125 }]));
    expect(left()).toBe(0.5);
    await ask(JSON.stringify([{ ...nope, model: "nope2" }])).catch(() => {});
    expect(left()).toBe(0.25);
    await ask(JSON.stringify([nope, { money: 0.5 }]));
    expect(left()).toBe(0);
  });

  it("a quota of tokens bounds it", async () => {
    const { ask } = setup({ tokens: { limit: 2e9, per: "1m" } });
    await ask("nope");
    await ask("nope");
    await expect(ask("nope")).rejects.toMatchObject({ code: "RATE_LIMITED", quota: "tokens" });
  });
});

describe("a limit that a provider tells of", () => {
  it.each([
    ["an error", () => Promise.reject(limited(20_000))],
    ["a response", async () => new Response("", { status: 429, headers: { "retry-after": "20" } })],
    [
      "the body of a 200",
      async () => ({ type: "error", error: { type: "rate_limit_error", message: "Please try again in 20s." } }),
    ],
  ])("in %s holds back all who share it", async (_, act) => {
    const { clock } = setup();
    const limit = rateLimit({ requests: { limit: 100, per: "1m" } });
    await settled(pipe(act as () => Promise<unknown>, limit))();
    const operation = script<number>({ value: 1 });
    const next = pipe(operation, limit, retry())(undefined);
    await clock.advance(19_999);
    expect(operation.calls).toHaveLength(0);
    await clock.advance(1);
    expect(await next).toBe(1);
  });
});
