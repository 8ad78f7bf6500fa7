// The cache with what stands round it: reviews, costs, secrets, bulkheads, limits, and calls inside calls.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  bulkhead,
  type CallContext,
  cache,
  deadline,
  explain,
  fallback,
  pipe,
  protect,
  ReviewPendingError,
  retry,
  reviews,
  settled,
} from "../../src/index.ts";
import { reset, simulate, simulated } from "../../src/testing/index.ts";
import { outcome, setup, turn, watch } from "../composition/setup.ts";
import { answering, down, operation, status } from "./cache-setup.ts";

const idle = { entries: 0, loading: 0 };
const cacheOf = (call: unknown) => explain(call).find(({ kind }) => kind === "cache")?.state;

describe("an output that is kept for a person", () => {
  const poor = { cache: { ttl: "1m" }, output: z.string().max(3) } as const;

  it("is kept once for all who share the run; none of it is cached", async () => {
    const { seen } = setup();
    const call = settled(protect("x", async (_: string) => "too long", { ...poor, gate: { onReject: "review" } }));
    const [first, second] = await Promise.all([call("a"), call("a")]);
    expect([first, second]).toMatchObject([
      { ok: false, error: expect.any(ReviewPendingError), story: { state: "flagged" } },
      { ok: false, error: expect.any(ReviewPendingError), story: { state: "flagged" } },
    ]);
    expect(seen.of("output.flagged")).toMatchObject([{ call: first.story.id, reviewId: first.story.reviewId }]);
    expect(second.story.reviewId).toBe(first.story.reviewId);
    reset();
  });

  it("where a person is waited for, all wait, each until his own deadline; what is released is flagged, and not cached", async () => {
    const { clock } = setup();
    const call = protect("x", async (_: string) => "too long", { ...poor, gate: { onReject: { await: "1h" } } });
    const [long, short] = [settled(call)("a"), watch(call("a", { deadline: "1s" }))];
    await clock.advance("2s");
    expect(short.at).toEqual({ error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) });
    const [review] = await reviews.pending();
    expect(review).toBeDefined();
    await reviews.decide(review?.id ?? "", { verdict: "amend", output: "new" }, "ada");
    await turn();
    expect(await long).toMatchObject({ ok: true, value: "new", story: { state: "flagged" } });
    expect(cacheOf(call)).toEqual(idle);
    reset();
  });

  it("when the last one's deadline comes while another tier is asked, it is kept for him", async () => {
    const { clock } = setup();
    const call = protect("x", async (_: string) => "too long", {
      ...{ ...poor, gate: { onReject: "review" } },
      fallback: [() => new Promise<string>(() => {})],
    });
    const ended = [settled(call)("a", { deadline: "1s" }), settled(call)("a", { deadline: "2s" })];
    await clock.advance("2s");
    expect((await Promise.all(ended)).map(({ story }) => story.state)).toEqual(["timedOut", "flagged"]);
    reset();
  });

  it("when all have gone while a person is waited for, nothing waits any more", async () => {
    const { clock, caller } = setup();
    const call = protect("x", async (_: string) => "too long", { ...poor, gate: { onReject: { await: "1h" } } });
    const gone = caller();
    const ended = [outcome(call("a", { signal: gone.signal })), outcome(call("a", { deadline: "1s" }))];
    await turn();
    gone.abort("gone");
    await clock.advance("1s");
    expect(await Promise.all(ended)).toMatchObject([{ error: "gone" }, { error: { code: "REVIEW_PENDING" } }]);
    expect(cacheOf(call)).toEqual(idle);
    reset();
  });

  it("shows no secret of the input", async () => {
    setup();
    const call = protect("x", async (_: { id: string; pin: string }) => "too long", {
      input: z.object({ id: z.string(), pin: z.string() }),
      ...{ guard: { secret: ["pin"] }, gate: { onReject: "review" }, output: z.string().max(3) },
      cache: { ttl: "1m", key: ({ id }) => id },
    });
    const { error } = (await outcome(call({ id: "a", pin: "1234" }))) as { error: ReviewPendingError };
    const review = (await reviews.pending()).find(({ id }) => id === error.reviewId);
    expect(review).toBeDefined();
    expect(JSON.stringify(review)).toContain('"a"');
    expect(JSON.stringify(review)).not.toContain("1234");
    reset();
  });
});

describe("a call made in the load", () => {
  const less = {
    "a later tier of the operation": () =>
      protect("in", answering<string>({ error: down }, { value: "good" }, { value: "good" }), {
        fallback: [async () => "sorry"],
      }),
    "a later tier, inside": () => {
      const inner = protect("in", answering<string>({ error: down }, { value: "good" }, { value: "good" }), {
        fallback: [async () => "sorry"],
      });
      return async (input: string, context: CallContext) => inner(input, context);
    },
    "a later tier, two calls further in": () => {
      const inner = protect("in", answering<string>({ error: down }, { value: "good" }, { value: "good" }), {
        fallback: [async () => "sorry"],
      });
      return protect("between", async (input: string, context: CallContext) => inner(input, context));
    },
  };
  it.each(Object.entries(less))("that gave less than was asked of it leaves nothing to keep: %s", async (_, build) => {
    setup();
    const call = protect("x", build() as (input: string) => Promise<string>, { cache: { ttl: "1h" } });
    expect([await call("a"), cacheOf(call)]).toEqual(["sorry", idle]);
    expect([await call("a"), await call("a"), cacheOf(call)]).toEqual(["good", "good", { entries: 1, loading: 0 }]);
  });

  it("nor to a cache further out, of what comes through one inside; and does not after a retry that did better", async () => {
    setup();
    const inner = protect("in", answering<string>({ error: down }, { value: "good" }, { value: "good" }), {
      fallback: [async () => "sorry"],
    });
    const middle = protect("middle", inner, { cache: { ttl: "1h" } });
    const call = protect("x", middle, { cache: { ttl: "1h" } });
    expect([await call("a"), cacheOf(call), cacheOf(middle)]).toEqual(["sorry", idle, idle]);
    const { story } = await settled(call)("a");
    expect([story.state, cacheOf(call)]).toEqual(["succeeded", { entries: 1, loading: 0 }]);
    const poor = protect("in", answering<string>({ error: down }, { value: "good" }, { value: "good" }), {
      fallback: [async () => "sorry"],
    });
    const picky = async (input: string, context: CallContext) => {
      if ((await poor(input, context)) === "sorry") throw down;
      return "well";
    };
    const again = protect("y", picky, { cache: { ttl: "1h" }, retry: { attempts: 2, base: 0 } });
    expect([await again("a"), cacheOf(again)]).toEqual(["well", { entries: 1, loading: 0 }]);
  });

  it("nor to a cache further out, where a call between rests on less and has no tier of its own", async () => {
    setup();
    const inner = protect("in", answering<string>({ error: down }, { value: "good" }), {
      fallback: [async () => "sorry"],
    });
    const between = async (input: string, context: CallContext) => inner(input, context);
    const middle = protect("middle", between, { cache: { ttl: "1h" } });
    const call = protect("x", async (input: string, context: CallContext) => middle(input, context), {
      cache: { ttl: "1h" },
    });
    expect([await call("a"), cacheOf(call), cacheOf(middle)]).toEqual(["sorry", idle, idle]);
    expect([await call("a"), cacheOf(call)]).toEqual(["good", { entries: 1, loading: 0 }]);
  });
});

describe("what it costs", () => {
  const priced = protect("priced", async (_: string, { cost }: CallContext) => {
    cost({ money: 5 });
    return 1;
  });

  it("is in one story: of all who share it the sum is what was spent, here and in the calls inside", async () => {
    const { seen } = setup();
    const operation = async (id: string, context: CallContext) => {
      context.cost({ money: 1 });
      return priced(id, context);
    };
    const call = protect("x", operation, { cache: { ttl: "1m" } });
    const outer = settled(protect("outer", (id: string, context) => call(id, context)));
    const ended = await Promise.all([outer("a"), outer("a"), outer("a")]);
    expect(ended.map(({ story }) => story.cost.money)).toEqual([6, undefined, undefined]);
    const own = seen.of("call.settled").map(({ name, cost }) => [name, cost.money ?? 0] as const);
    expect(own.filter(([, money]) => money > 0)).toEqual([
      ["priced", 5],
      ["x", 1],
    ]);
    expect((await outer("a")).story.cost).toEqual({});
  });

  it("is an estimate where the run was left in its middle", async () => {
    const { caller } = setup();
    const gone = caller();
    const call = settled(
      protect(
        "x",
        (_: string, { cost }: CallContext) => {
          cost({ money: 1 });
          return new Promise<number>(() => {});
        },
        { cache: { ttl: "1m" } },
      ),
    );
    const ended = call("a", { signal: gone.signal });
    await turn();
    gone.abort("gone");
    expect((await ended).story).toMatchObject({ state: "cancelled", cost: { money: 1, estimated: true } });
  });
});

describe("a bulkhead", () => {
  it("inside is asked once for all who share the run, and holds its place until the operation has truly settled", async () => {
    const { caller } = setup();
    const { ask, runs } = operation();
    const places = bulkhead(1);
    const call = protect("x", ask, { cache: { ttl: "1m" }, bulkhead: places });
    const callers = [caller(), caller()];
    const ended = callers.map(({ signal }) => outcome(call("a", { signal })));
    expect(places.running).toBe(1);
    for (const one of callers) one.abort("gone");
    await Promise.all(ended);
    expect(places.running).toBe(1);
    await runs[0]?.answer(1);
    expect(places.running).toBe(0);
  });

  it("outside gives its place back at once for a hit, and when its own caller goes", async () => {
    const { caller } = setup();
    const { ask, runs } = operation();
    const places = bulkhead(2);
    const call = pipe(ask, cache({ ttl: "1m" }), places);
    const gone = caller();
    const [left, stays] = [outcome(call("a", { signal: gone.signal })), call("a")];
    expect(places.running).toBe(2);
    gone.abort("gone");
    await left;
    expect(places.running).toBe(1);
    await runs[0]?.answer(1);
    expect([await stays, await call("a"), places.running]).toEqual([1, 1, 0]);
  });

  it("that is full inside lets what is stale stand in", async () => {
    const { clock } = setup();
    const places = bulkhead(1);
    const call = settled(
      protect("x", answering<number>({ value: 1 }), { cache: { ttl: "1s", staleOnError: "1h" }, bulkhead: places }),
    );
    await call("a");
    await clock.advance("1s");
    const permit = places.acquire();
    expect(await call("a")).toMatchObject({ value: 1, story: { degraded: { reason: "notAdmitted" }, attempts: 0 } });
    permit?.done({ ok: true, value: undefined });
  });
});

describe("in a stack by hand", () => {
  it("every layer outside is laid once, however many follow", async () => {
    setup();
    const circuit = breaker({ failureRate: 1, minimumCalls: 100 });
    let calls = 0;
    const ask = async (_: string) => ++calls;
    const call = pipe(ask, circuit, retry(), cache({ ttl: "1m" }), retry(), fallback([async () => 0]), deadline("1s"));
    expect(explain(call).map(({ kind }) => kind)).toEqual([
      "deadline",
      "fallback",
      "retry",
      "cache",
      "retry",
      "breaker",
    ]);
    expect([await call("a"), await call("a"), circuit.state.calls, calls]).toEqual([1, 1, 1, 1]);
  });

  it("a cache round a cache: the inner one is shared by what the outer one asks", async () => {
    const { clock } = setup();
    let calls = 0;
    const call = pipe(async (_: string) => ++calls, cache({ ttl: "1m" }), cache({ ttl: "1s" }));
    expect(await Promise.all([call("a"), call("a")])).toEqual([1, 1]);
    await clock.advance("1s");
    expect(await call("a")).toBe(1);
    await clock.advance("1m");
    expect(await call("a")).toBe(2);
  });

  it("inside a tier it stays a call of its own, and an answer that it has needs no operation", async () => {
    setup();
    const second = answering<string>({ value: "second" });
    const call = settled(
      pipe(
        async (_: string): Promise<string> => Promise.reject(down),
        fallback([{ name: "copy", operation: pipe(second, cache({ ttl: "1m" })) }]),
      ),
    );
    const ended = [await call("a"), await call("a")];
    for (const { story, ...rest } of ended) {
      expect(rest).toEqual({ ok: true, value: "second" });
      expect(story).toMatchObject({ state: "degraded", tier: 1, tierName: "copy" });
    }
    expect(ended.map(({ story }) => story.children.map(({ attempts }) => attempts))).toEqual([[1], [0]]);
    expect(second.calls).toHaveLength(1);
  });

  it("a failure that the other side may have received is not sent again for one of those who shared it", async () => {
    setup();
    const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
    const copy = answering<string>({ value: "copy" });
    const failing = answering<string>({ error: reset });
    const shared = protect("x", failing, { cache: { ttl: "1m" }, idempotent: false });
    const call = protect("outer", shared, { fallback: [copy], idempotent: false });
    const ended = await Promise.all([outcome(call("a")), outcome(call("a"))]);
    expect(ended).toEqual([{ error: reset }, { error: reset }]);
    expect([failing.calls.length, copy.calls.length]).toEqual([1, 0]);
  });

  it("a 404 of a shared run is each caller's own mistake: no tier is asked", async () => {
    setup();
    const copy = answering<string>({ value: "copy" });
    const call = pipe(
      answering<string>({ error: status(404) }),
      cache({ ttl: "1m" }),
      fallback<string, string>([copy]),
    );
    const ended = await Promise.all([outcome(call("a")), outcome(call("a"))]);
    expect(ended).toMatchObject([{ error: { status: 404 } }, { error: { status: 404 } }]);
    expect(copy.calls).toHaveLength(0);
  });
});

describe("simulated: slow, failing, hanging services and callers that go away", () => {
  const stale = { staleOnError: "10s", whileRevalidating: "2s" } as const;
  it.each([
    { cache: { ttl: "1s" } },
    { cache: { ttl: "1s", ...stale }, retry: {}, timeout: "1s", breaker: {}, deadline: "5s", idempotent: false },
    {
      ...{ cache: { ttl: "1s", ...stale, patience: "100ms", negative: "1s" }, retry: {}, timeout: "1s" },
      ...{ bulkhead: { concurrency: 5, queue: 10 }, fallback: [async (n: number) => ({ n })] },
    },
  ] as const)(
    "where no two ask the same, it keeps every rule that a call without a cache keeps: %o",
    async (options) => {
      const call = protect(
        "x",
        simulated((n: number) => ({ n })),
        { ...(options as object) },
      );
      expect((await simulate(call, { calls: 500, seed: 15, input: (n: number) => n })).calls).toBe(500);
    },
  );
});

it("ten thousand sharers of one run are joined, answered and gone in no time that grows with their square", async () => {
  const { caller } = setup();
  const { ask, runs } = operation();
  const call = protect("x", ask, { cache: { ttl: "1m" } });
  const gone = caller();
  const leaving = Array.from({ length: 5_000 }, () => outcome(call("a", { signal: gone.signal })));
  const staying = Array.from({ length: 5_000 }, () => call("a"));
  gone.abort("gone");
  expect(new Set((await Promise.all(leaving)).map((one) => (one as { error: unknown }).error))).toEqual(
    new Set(["gone"]),
  );
  await runs[0]?.answer(7);
  expect([new Set(await Promise.all(staying)), runs.length]).toEqual([new Set([7]), 1]);
}, 5_000);
