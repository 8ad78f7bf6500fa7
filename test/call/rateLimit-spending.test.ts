// Rate limits as a bound of what is spent, with nobody listening, and the limits that providers tell of.
import { type CallContext, eventBus, pipe, protect, rateLimit, report, retry, settled } from "holdfast";
import { record, script, seams, testClock } from "holdfast/testing";
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

describe("what is not known of a call", () => {
  it("a model without a price is told, and takes what was estimated", async () => {
    const clock = testClock();
    const events = eventBus();
    using _ = seams({ clock, events });
    const seen = record(events);
    const limit = rateLimit({
      money: { limit: 1, per: "1m" },
      whenFull: "reject",
      estimate: () => ({ money: 0.4 }),
    });
    const call = limit(async (_: unknown, { cost }: CallContext) => cost({ model: "nobody knows", inputTokens: 1e9 }));
    const ends = [await settled(call)("a"), await settled(call)("b"), await settled(call)("c")];
    expect(ends.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(seen.of("limit.unpriced").map(({ models }) => models)).toEqual([["nobody knows"], ["nobody knows"]]);
  });

  it.each([
    ["a promise", Promise.resolve({ inputTokens: 1 })],
    ["no number", { inputTokens: Number.NaN }],
    ["less than nothing", { money: -1 }],
    ["a number alone", 7],
  ])("an estimate that is %s lets nothing through, and says so", async (_, estimated) => {
    setup();
    const operation = script<string>({ value: "x" });
    const limit = rateLimit({ tokens: { limit: 10, per: "1m" }, estimate: () => estimated as never });
    const ended = await settled(limit(operation))("a" as never);
    expect(ended).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("rateLimit.estimate has to") },
    });
    expect(operation.calls).toEqual([]);
  });

  it("an estimate that throws is named where the failure is reported", async () => {
    setup();
    const estimate = () => {
      throw new Error("no tokenizer");
    };
    const call = rateLimit({ tokens: { limit: 10, per: "1m" }, estimate })(async () => 1);
    const { error } = (await settled(call)(undefined as never)) as { error: unknown };
    expect(report(error)).toContain("(thrown by rateLimit.estimate (estimate))");
  });

  it("a quota of less than one request is refused, with what to say instead", () => {
    expect(() => rateLimit({ requests: { limit: 0.5, per: "1s" } })).toThrow(/requests.limit: .*per: "2s"/);
  });
});
