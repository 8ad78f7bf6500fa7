// A rate limit: how much in how long, who waits, who is refused, and what comes back.
import {
  breaker,
  bulkhead,
  configure,
  eventBus,
  explain,
  OptionsInvalidError,
  pipe,
  protect,
  RateLimitedError,
  settled,
} from "holdfast";
import { record, reset, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { rateLimit } from "../../src/call/rateLimit.ts";
import { setup, turn } from "./rateLimit-setup.ts";

const left = (limit: unknown) => (limit as { left: Record<string, number> }).left;

describe("a shape", () => {
  it("as it is spelt: 5 per second allows five together, and none more until a second later", async () => {
    const { begin, clock, starts } = setup({ requests: { limit: 5, per: "1s" } });
    for (let i = 0; i < 7; i++) begin();
    await turn();
    expect(starts).toHaveLength(5);
    await clock.advance(999);
    expect(starts).toHaveLength(5);
    await clock.advance(1);
    expect(starts).toHaveLength(7);
  });

  it("smooth spaces calls: 1 per 200 ms, and 5 per second likewise", async () => {
    for (const requests of [
      { limit: 1, per: "200ms" },
      { limit: 5, per: "1s" },
    ] as const) {
      const { begin, clock, starts } = setup({ requests, shape: "smooth" });
      for (let i = 0; i < 4; i++) begin();
      await clock.advance("1s");
      expect(starts.map((at) => Math.round(at - (starts[0] as number)))).toEqual([0, 200, 400, 600]);
    }
  });

  it("tokenBucket lets a declared burst through at once, and then goes on evenly", async () => {
    const { begin, clock, starts } = setup({ requests: { limit: 10, per: "1s", burst: 3 } });
    for (let i = 0; i < 6; i++) begin();
    await turn();
    expect(starts).toHaveLength(3);
    await clock.advance(300);
    expect(starts.slice(3).map((at) => Math.round(at - (starts[0] as number)))).toEqual([100, 200, 300]);
  });

  it.each(["tokenBucket", "slidingWindow", "smooth"] as const)(
    "after an idle period the next call starts at once: %s",
    async (shape) => {
      const { begin, clock, starts } = setup({ requests: { limit: 1, per: "1s" }, shape });
      begin();
      await clock.advance("1h");
      begin();
      await turn();
      expect(starts).toHaveLength(2);
    },
  );

  it("a quota can be used up to and including the limit", async () => {
    const { begin } = setup<{ n: number }>({
      tokens: { limit: 100, per: "1m" },
      whenFull: "reject",
      estimate: ({ n }) => ({ inputTokens: n }),
    });
    const [whole, more] = [begin(undefined, { n: 100 }), begin(undefined, { n: 1 })];
    await turn();
    expect([whole.is, more.is]).toEqual(["in", "out"]);
  });
});

describe("a call that finds nothing left", () => {
  it("is refused with how long to wait, which is never negative, and its quota", async () => {
    const { begin, clock, seen } = setup({ requests: { limit: 1, per: "1s" }, whenFull: "reject" });
    begin();
    await clock.advance(400);
    const second = begin();
    await turn();
    expect(second.error).toBeInstanceOf(RateLimitedError);
    expect(second.error).toMatchObject({ code: "RATE_LIMITED", quota: "requests", retryAfterMs: 600, retryable: true });
    expect((second.error as Error).message).toBe(
      '"ask" was not called: the quota of requests of the rate limit "account" is used up. There is room again in 600 ms.',
    );
    expect(seen.of("limit.refused")).toMatchObject([{ retryAfterMs: 600, quota: "requests" }]);
    await clock.advance("1h");
    expect(begin()).toEqual({});
  });

  it("limit 0 lets nothing through, ever", async () => {
    for (const shape of ["tokenBucket", "slidingWindow", "smooth"] as const) {
      const { begin, clock, starts } = setup({ requests: { limit: 0, per: "1s" }, shape });
      const first = begin();
      await clock.advance("1h");
      expect([starts, first.is]).toEqual([[], "out"]);
      expect(first.error).toMatchObject({ retryable: false, quota: "requests" });
    }
  });

  it("is blocked for thirty years by a quota of one in thirty years", async () => {
    const [per, maxWait] = [30 * 365 * 86_400_000, Number.POSITIVE_INFINITY];
    const { begin, clock, starts } = setup({ requests: { limit: 1, per }, maxWait });
    for (let i = 0; i < 2; i++) begin();
    await clock.advance(per - 1);
    expect(starts).toHaveLength(1);
    await clock.advance(1);
    expect(starts).toHaveLength(2);
  });

  it("that asks for more than the quota ever holds is refused for good, in clear words", async () => {
    const { begin, clock } = setup({ tokens: { limit: 10, per: "1s" }, estimate: () => ({ inputTokens: 11 }) });
    const first = begin();
    await clock.advance("1h");
    expect((first.error as Error).message).toContain('asks for more than the rate limit "account" ever lets through');
  });

  it("waits, in the order in which they came, and tells for how long", async () => {
    const { begin, clock, seen } = setup({ requests: { limit: 1, per: "1s" } });
    const order: number[] = [];
    for (let i = 0; i < 4; i++) begin(() => order.push(i));
    await clock.advance("3s");
    expect(order).toEqual([0, 1, 2, 3]);
    expect(seen.of("limit.waited").map(({ waitMs, quota }) => [waitMs, quota])).toEqual([
      [1_000, "requests"],
      [2_000, "requests"],
      [3_000, "requests"],
    ]);
  });

  it("waits behind the more critical", async () => {
    const { begin, clock } = setup({ requests: { limit: 1, per: "1s" } });
    const order: string[] = [];
    begin();
    for (const criticality of ["background", "normal", "critical"] as const)
      begin(() => order.push(criticality), undefined, { criticality });
    await clock.advance("3s");
    expect(order).toEqual(["critical", "normal", "background"]);
  });

  it("is refused at once where the wait would be longer than maxWait, or than its deadline leaves", async () => {
    const { begin, clock, starts } = setup({ requests: { limit: 1, per: "10s" }, maxWait: "15s" });
    begin();
    const overdue = begin(undefined, undefined, { deadline: "5s" });
    const waits = begin();
    const third = begin();
    await turn();
    expect([overdue.error, third.error, waits.is]).toEqual([
      expect.objectContaining({ code: "RATE_LIMITED", retryAfterMs: 10_000 }),
      expect.objectContaining({ code: "RATE_LIMITED", retryAfterMs: 20_000 }),
      undefined,
    ]);
    await clock.advance("10s");
    expect([waits.is, starts.length]).toEqual(["in", 2]);
  });

  it("that aborts while it waits leaves at once, and gives its place and permit to the next", async () => {
    const { begin, clock, limit, starts } = setup({ requests: { limit: 1, per: "1s" } });
    const controller = new AbortController();
    begin();
    const gone = begin(undefined, undefined, { signal: controller.signal });
    const next = begin();
    await turn();
    expect((limit as unknown as { waiting: number }).waiting).toBe(2);
    controller.abort(new Error("gone"));
    await turn();
    expect([gone.is, (limit as unknown as { waiting: number }).waiting]).toEqual(["out", 1]);
    await clock.advance("1s");
    expect([next.is, starts.length]).toEqual(["in", 2]);
    await clock.advance("1h");
    expect(clock.sleepers).toBe(0);
  });

  it("a large one ahead is not passed by small ones, however long it waits", async () => {
    const { begin, clock } = setup<number>({ tokens: { limit: 10, per: "1s" }, estimate: (n) => ({ inputTokens: n }) });
    const order: number[] = [];
    begin(undefined, 6);
    begin(() => order.push(10), 10);
    begin(() => order.push(1), 1);
    await clock.advance("1s");
    expect(order).toEqual([10]);
    await clock.advance("1s");
    expect(order).toEqual([10, 1]);
  });
});

describe("several quotas", () => {
  it("are taken all or none", async () => {
    const { begin, limit } = setup<number>({
      requests: { limit: 10, per: "1m" },
      tokens: { limit: 100, per: "1m" },
      whenFull: "reject",
      estimate: (n) => ({ inputTokens: n }),
    });
    begin(undefined, 90);
    const second = begin(undefined, 20);
    await turn();
    expect([second.error, left(limit)]).toEqual([
      expect.objectContaining({ quota: "tokens" }),
      { requests: 9, tokens: 10 },
    ]);
  });

  it("requests, input and output tokens are separate, and a missing estimate does not reserve everything", async () => {
    const { begin, limit } = setup({
      requests: { limit: 10, per: "1m" },
      inputTokens: { limit: 100, per: "1m" },
      outputTokens: { limit: 100, per: "1m" },
      estimate: () => ({ inputTokens: 30 }),
    });
    begin();
    await turn();
    expect(left(limit)).toEqual({ requests: 9, inputTokens: 70, outputTokens: 100 });
  });

  it("five calls at once against a limit of one: one passes, for tokens are taken before", async () => {
    const { begin, starts } = setup({
      tokens: { limit: 10, per: "1m" },
      whenFull: "reject",
      estimate: () => ({ inputTokens: 10 }),
    });
    for (let i = 0; i < 5; i++) begin();
    await turn();
    expect(starts).toHaveLength(1);
  });
});

describe("what was taken", () => {
  const quotas = { requests: { limit: 10, per: "1m" }, tokens: { limit: 100, per: "1m" } } as const;
  const estimate = () => ({ inputTokens: 50 });

  it("is settled with what was told: less comes back, more is owed", async () => {
    const { begin, limit } = setup({ ...quotas, estimate });
    begin(({ cost }) => cost({ inputTokens: 5, outputTokens: 5 }));
    await turn();
    expect(left(limit)).toEqual({ requests: 9, tokens: 90 });
    begin(({ cost }) => cost({ inputTokens: 80, outputTokens: 200 }));
    await turn();
    expect(left(limit)).toEqual({ requests: 8, tokens: 0 });
  });

  it("a told 0 stays 0, and only what is not told stays estimated", async () => {
    const { begin, limit } = setup({ ...quotas, estimate });
    begin(({ cost }) => cost({ inputTokens: 0, outputTokens: 0 }));
    begin();
    await turn();
    expect(left(limit)).toEqual({ requests: 8, tokens: 50 });
  });

  it("comes back when a layer inside refuses, or nothing was received", async () => {
    const { limit } = setup({ ...quotas, estimate });
    const places = bulkhead(1);
    const permit = places.acquire();
    const full = await settled(pipe(async (_: unknown) => 1, places, limit))(undefined);
    expect([full.ok, left(limit)]).toEqual([false, { requests: 10, tokens: 100 }]);
    permit?.done({ ok: true, value: 1 });
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
    await settled(limit(async () => Promise.reject(refused)))(undefined);
    expect(left(limit)).toEqual({ requests: 10, tokens: 100 });
  });

  it("tokens come back from a failure that was answered, the request does not; a time-out may have used them", async () => {
    const { begin, limit } = setup({ ...quotas, estimate });
    begin(() => Promise.reject(Object.assign(new Error("500"), { status: 500 })));
    await turn();
    expect(left(limit)).toEqual({ requests: 9, tokens: 100 });
    begin(() => Promise.reject(Object.assign(new Error("reset"), { code: "ECONNRESET" })));
    await turn();
    expect(left(limit)).toEqual({ requests: 8, tokens: 50 });
  });

  it.each([
    ["429 insufficient_quota", { status: 429, code: "insufficient_quota" }],
    ["425", { status: 425 }],
    ["503 with a time to wait", { status: 503, headers: { "retry-after": "1" } }],
    ["402", { status: 402 }],
  ])("of requests does not come back where the service answered: %s", async (_, told) => {
    const { begin, clock, limit } = setup({ ...quotas, estimate });
    begin(() => Promise.reject(Object.assign(new Error("no"), told)));
    begin(() => new Response("", told as ResponseInit));
    await clock.advance("2s");
    expect(left(limit).requests).toBe(8);
  });

  it("is the same after a change of options; a lowered limit holds at once, and what is left is never below 0", async () => {
    const { begin, limit } = setup({ requests: { limit: 10, per: "1m" }, whenFull: "reject" });
    const call = limit(async (_: unknown) => 1);
    for (let i = 0; i < 6; i++) begin();
    await turn();
    configure(call, { rateLimit: { requests: { limit: 5, per: "1m" } } });
    expect(left(limit)).toEqual({ requests: 0 });
    expect((await settled(call)(undefined)).ok).toBe(false);
    configure(call, { rateLimit: { requests: { limit: 8, per: "1m" } } });
    expect(left(limit)).toEqual({ requests: 2 });
  });

  it("a raised limit wakes who waits, with no new call", async () => {
    const { begin, limit, starts } = setup({ requests: { limit: 1, per: "10s" } });
    for (let i = 0; i < 3; i++) begin();
    await turn();
    configure(
      limit(async (_: unknown) => 1),
      { rateLimit: { requests: { limit: 3, per: "10s" } } },
    );
    await turn();
    expect(starts).toHaveLength(3);
  });

  it("is forgotten by a reset", async () => {
    const { begin, limit } = setup({ requests: { limit: 3, per: "1m" } });
    begin();
    reset();
    expect(left(limit)).toEqual({ requests: 3 });
  });
});

describe("the provider's word", () => {
  const headers = (remaining: number, resets = "30s") => ({
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": resets,
  });

  it("holds until its reset where it says that less is left, and is told", async () => {
    const { begin, clock, limit, seen, starts } = setup({ requests: { limit: 100, per: "1m" }, headers: "openai" });
    begin(() => new Response("{}", { headers: headers(2) }));
    await turn();
    expect(left(limit)).toEqual({ requests: 2 });
    expect(seen.of("limit.changed")).toMatchObject([{ from: 99, to: 2, why: "provider" }]);
    for (let i = 0; i < 4; i++) begin();
    await turn();
    expect(starts).toHaveLength(3);
    await clock.advance("30s");
    expect(starts).toHaveLength(5);
  });

  it("is not believed where it says that more is left", async () => {
    const { begin, limit, seen } = setup({ requests: { limit: 3, per: "1m" }, headers: "openai" });
    begin(() => new Response("{}", { headers: headers(500) }));
    await turn();
    expect([left(limit), seen.of("limit.changed")]).toEqual([{ requests: 2 }, []]);
  });

  it.each([
    ["anthropic", { "anthropic-ratelimit-requests-remaining": "4" }],
    ["standard", { "ratelimit-remaining": "4", "ratelimit-reset": "7" }],
    ["standard", { ratelimit: '"default";r=4;t=7' }],
    ["standard", { ratelimit: "limit=10, remaining=4, reset=7" }],
    ["standard", { "x-ratelimit-remaining": "4", "x-ratelimit-reset": "7" }],
  ] as const)("is read of %s: %j, of a response as of an error", async (from, held) => {
    for (const act of [
      () => new Response("{}", { headers: held }),
      () => Promise.reject(Object.assign(new Error("400"), { status: 400, headers: held })),
    ]) {
      const { begin, limit } = setup({ requests: { limit: 100, per: "1m" }, headers: from });
      begin(act);
      await turn();
      expect(left(limit)).toEqual({ requests: 4 });
    }
  });

  it.each(["openai", "anthropic"] as const)("is not read of what %s does not send", async (from) => {
    const { begin, limit } = setup({ requests: { limit: 100, per: "1m" }, headers: from });
    begin(() => new Response("{}", { headers: { ratelimit: '"default";r=4;t=7', "ratelimit-remaining": "4" } }));
    await turn();
    expect(left(limit)).toEqual({ requests: 99 });
  });

  it("one 429 is for all who share the account: they wait as long as it says", async () => {
    const { begin, clock, starts } = setup({ requests: { limit: 100, per: "1s" } });
    begin(() => Promise.reject(Object.assign(new Error("429"), { status: 429, headers: { "retry-after": "40" } })));
    await turn();
    begin();
    await clock.advance(39_999);
    expect(starts).toHaveLength(1);
    await clock.advance(1);
    expect(starts).toHaveLength(2);
  });
});

describe("a limit by key", () => {
  it("has quotas of its own for each, and forgets none that is spent while another is whole", async () => {
    const { begin, starts } = setup<string>({
      requests: { limit: 1, per: "1m" },
      whenFull: "reject",
      key: (key) => key,
    });
    for (const key of ["a", "b", "a"]) begin(undefined, key);
    await turn();
    expect(starts).toHaveLength(2);
  });

  it("keeps at most 10 000 of them", async () => {
    const limit = rateLimit<string>({ requests: { limit: 1, per: "1m" }, key: (key) => key });
    const call = limit(async () => 1);
    for (let i = 0; i < 10_500; i++) await call(`key ${i}`);
    expect(explain(call).find(({ kind }) => kind === "rateLimit")?.state).toEqual({
      keys: 10_000,
      waiting: 0,
      pausedMs: 0,
    });
  });
});

describe("by hand", () => {
  it("a permit is one request; what was not received comes back, once", () => {
    const limit = rateLimit({ requests: { limit: 2, per: "1m" } });
    const permit = limit.acquire();
    expect([limit.acquire()?.done({ ok: true, value: 1 }), limit.acquire(), limit.left]).toEqual([
      undefined,
      undefined,
      { requests: 0 },
    ]);
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
    for (let i = 0; i < 2; i++) permit?.done({ ok: false, error: refused });
    expect(limit.left).toEqual({ requests: 1 });
  });
});

describe("in a declaration", () => {
  it("stands inside the breaker, which counts no refusal of it, and outside the bulkhead", async () => {
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = protect("x", async (_: unknown) => 1, {
      breaker: circuit,
      bulkhead: 5,
      rateLimit: { requests: { limit: 1, per: "1m" }, whenFull: "reject" },
    });
    expect(explain(call).map(({ kind }) => kind)).toEqual(["breaker", "rateLimit", "bulkhead"]);
    await call(undefined);
    const { story } = await settled(call)(undefined);
    expect([story.state, circuit.state.state]).toEqual(["notAdmitted", "closed"]);
  });

  it("the next tier is asked at once, and a tier that has nothing left is passed over uncalled", async () => {
    const clock = testClock();
    const events = eventBus();
    const seen = record(events);
    using _ = seams({ clock, events });
    const options = { rateLimit: { requests: { limit: 1, per: "1h" } } } as const;
    const second = protect("second", async (_: unknown) => "second", options);
    const call = protect("first", async (_: unknown) => "first", {
      ...options,
      fallback: [second, async () => "third"],
    });
    expect([await call(undefined), await call(undefined), await call(undefined)]).toEqual(["first", "second", "third"]);
    expect(seen.of("fallback.skipped")).toMatchObject([{ reason: "rateLimited" }]);
  });

  it("belongs to a policy: its calls share it, and may only switch it off", async () => {
    const service = protect.with("service", { rateLimit: { requests: { limit: 1, per: "1m" }, whenFull: "reject" } });
    const [a, b] = [service("a", async (_: unknown) => 1), service("b", async (_: unknown) => 2)];
    await a(undefined);
    const refused = await settled(b)(undefined);
    expect(refused).toMatchObject({ ok: false, error: { code: "RATE_LIMITED", limit: "service" } });
    expect(() => service("c", async () => 3, { rateLimit: { requests: { limit: 9, per: "1s" } } })).toThrow("policy");
    expect(await service("d", async () => 4, { rateLimit: false })()).toBe(4);
  });
});

describe("options that cannot be meant", () => {
  it.each([
    [{}, "a quota"],
    [{ requests: { limit: 1 } }, "requests.per"],
    [{ requests: { limit: -1, per: "1s" } }, "requests.limit"],
    [{ requests: { limit: 1, per: "1s", burst: 2 }, shape: "smooth" }, "requests.burst"],
    [{ requests: { limit: 1, per: "1s", burst: 0.5 } }, "requests.burst"],
    [
      { requests: { limit: 0.5, per: "1s" } },
      'requests.limit: wanted at least 1, or 0; for 0.5 in 1 000 ms say { limit: 1, per: "2s" }',
    ],
    [{ requests: { limit: 0.5, per: "1ms", burst: 2 } }, 'say { limit: 1, per: "2ms" }'],
    [{ requests: { limit: 0.75, per: "1m" }, shape: "smooth" }, 'say { limit: 1, per: "80s" }'],
    [{ requests: { limit: 1, per: "1s" }, whenfull: "wait" }, "whenfull"],
    [{ requests: { limit: 1, per: "1s" }, maxWait: 0 }, "maxWait"],
  ])("%j are told when it is made: %s", (options, told) => {
    expect(() => rateLimit(options as never)).toThrow(OptionsInvalidError);
    expect(() => rateLimit(options as never)).toThrow(told);
  });
});
