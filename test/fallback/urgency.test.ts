// Rising urgency: what begins when so much of the deadline is gone, and which answer counts.
import {
  type Change,
  cache,
  configure,
  deadline,
  eventBus,
  explain,
  type Finding,
  HoldfastError,
  hedge,
  named,
  pipe,
  protect,
  settled,
  timeout,
} from "holdfast";
import { record, script, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";

function setup() {
  const clock = testClock();
  const events = eventBus();
  const used = seams({ clock, events, random: () => 0 });
  return { clock, seen: record(events), [Symbol.dispose]: () => used[Symbol.dispose]() };
}

function issuesOf(make: () => unknown): readonly Finding[] {
  try {
    make();
  } catch (error) {
    if (HoldfastError.is(error, "OPTIONS_INVALID")) return error.issues;
  }
  return [];
}

const down = Object.assign(new Error("down"), { status: 500 });

describe("urgency", () => {
  it("begins each stage at its share of the deadline, beside what runs; the first good answer wins, and one event tells of each", async () => {
    using given = setup();
    const { clock, seen } = given;
    const first = script<string>("never", "never");
    const second = script<string>("never");
    const last = script<string>({ value: "last", after: 50 });
    const call = protect("call", first, {
      ...{ deadline: 1_000, hedge: { after: 5_000 } },
      fallback: [
        { name: "second", operation: second },
        { name: "last", operation: last },
      ],
      urgency: [
        { at: 0.5, start: "hedge" },
        { at: 0.7, start: "nextTier" },
        { at: 0.9, start: "lastTier" },
      ],
    });
    const answer = settled(call)(undefined);
    const counts = () => [first, second, last].map(({ calls }) => calls.length);
    await clock.advance(499);
    expect(counts()).toEqual([1, 0, 0]);
    await clock.advance(1);
    expect(counts()).toEqual([2, 0, 0]);
    await clock.advance(200);
    expect(counts()).toEqual([2, 1, 0]);
    await clock.advance(200);
    expect(counts()).toEqual([2, 1, 1]);
    await clock.advance(50);
    expect(await answer).toMatchObject({
      ...{ ok: true, value: "last" },
      story: {
        state: "degraded",
        tier: 2,
        tierName: "last",
        degraded: { reason: "urgency" },
        attempts: 4,
        elapsedMs: 950,
      },
    });
    expect(seen.of("urgency.raised").map(({ stage, start }) => [stage, start])).toEqual([
      [1, "hedge"],
      [2, "nextTier"],
      [3, "lastTier"],
    ]);
    expect([...first.calls, ...second.calls].map(({ context }) => context.signal.aborted)).toEqual([true, true, true]);
    expect(last.calls[0]?.context.signal.aborted).toBe(false);
    expect(clock.sleepers).toBe(0);
  });

  it("does nothing where the answer is in time", async () => {
    using given = setup();
    const { clock, seen } = given;
    const tier = script<string>();
    const call = protect("call", script({ value: "in time", after: 400 }), {
      ...{ deadline: 1_000, fallback: [tier] },
      urgency: [{ at: 0.5, start: "nextTier" }],
    });
    const answer = settled(call)(undefined);
    await clock.advance(400);
    expect(await answer).toMatchObject({ value: "in time", story: { state: "succeeded" } });
    await clock.advance("10s");
    expect([tier.calls.length, seen.of("urgency.raised")]).toEqual([0, []]);
  });

  it("the first may still win, and a tier that is begun is asked once only", async () => {
    using given = setup();
    const { clock } = given;
    const early = script<string>("never", "never");
    const call = protect("call", script({ value: "first", after: 600 }, { error: down, after: 600 }), {
      ...{ deadline: 1_000, fallback: [early] },
      urgency: [{ at: 0.5, start: "nextTier" }],
    });
    const won = settled(call)(undefined);
    await clock.advance(600);
    expect(await won).toMatchObject({ value: "first", story: { state: "succeeded", tier: 0 } });
    expect(early.calls[0]?.context.signal.aborted).toBe(true);
    const lost = settled(call)(undefined);
    await clock.advance("1s");
    expect(await lost).toMatchObject({ ok: false, error: { code: "DEADLINE_EXCEEDED" } });
    expect(early.calls.length).toBe(2);
  });

  it("a tier that a pipe has made is the same one to the fallback: asked once only", async () => {
    using given = setup();
    const { clock } = given;
    const tier = script<string>({ error: down, after: 10 }, { value: "asked again" });
    const call = protect("call", script<string>({ error: down, after: 600 }), {
      ...{ deadline: 1_000, fallback: [pipe(named("tier", tier), timeout(500))] },
      urgency: [{ at: 0.5, start: "nextTier" }],
    });
    const answer = settled(call)(undefined);
    await clock.advance(600);
    expect(await answer).toMatchObject({ ok: false, error: down });
    expect(tier.calls.length).toBe(1);
  });

  it("waits for the tier that it has begun when the first fails, and fails when all have", async () => {
    using given = setup();
    const { clock } = given;
    const tier = script<string>({ value: "tier", after: 300 }, { error: new Error("tier too"), after: 300 });
    const call = protect("call", script<string>({ error: down, after: 600 }, { error: down, after: 600 }), {
      ...{ deadline: 1_000, fallback: [{ name: "tier", operation: tier }] },
      urgency: [{ at: 0.5, start: "lastTier" }],
    });
    const good = settled(call)(undefined);
    await clock.advance("1s");
    expect(await good).toMatchObject({ value: "tier", story: { state: "degraded", elapsedMs: 800 } });
    const bad = settled(call)(undefined);
    await clock.advance("1s");
    expect(await bad).toMatchObject({ ok: false, error: down, story: { state: "failed" } });
  });

  it("serves what the cache still has, marked stale, and keeps it as what it is", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script<string>({ value: "kept" }, "never", { value: "new" });
    const call = protect("call", operation, {
      ...{ deadline: 1_000, cache: { ttl: "1s", key: () => "k", staleOnError: "1h" } },
      urgency: [{ at: 0.9, start: "cached" }],
    });
    await call(undefined);
    await clock.advance("10s");
    const hurried = settled(call)(undefined);
    await clock.advance(900);
    expect(await hurried).toMatchObject({ value: "kept", story: { state: "degraded", degraded: { ageMs: 10_900 } } });
    expect(operation.calls[1]?.context.signal.aborted).toBe(true);
    expect(await call(undefined)).toBe("new");
    expect(seen.of("urgency.raised").map(({ start }) => start)).toEqual(["cached"]);
  });

  it("takes its shares of the deadline that the call has, not of the declared one", async () => {
    using given = setup();
    const { clock, seen } = given;
    const call = protect("call", script<string>("never"), {
      ...{ deadline: "1h", fallback: [script<string>({ value: "tier" })] },
      urgency: [{ at: 0.5, start: "nextTier" }],
    });
    const answer = settled(call)(undefined, { deadline: 100 });
    await clock.advance(50);
    expect(await answer).toMatchObject({ value: "tier", story: { elapsedMs: 50 } });
    expect(seen.of("urgency.raised").length).toBe(1);
  });

  it("begins no tier where the request must not be received twice, or the caller wants none", async () => {
    using given = setup();
    const { clock } = given;
    const tier = script<string>({ value: "tier" });
    const options = { deadline: 1_000, fallback: [tier], urgency: [{ at: 0.5, start: "nextTier" }] } as const;
    const once = settled(
      protect("once", script<string>({ value: "own", after: 800 }), { ...options, idempotent: false }),
    );
    const plain = settled(protect("plain", script<string>({ value: "own", after: 800 }), options));
    const answers = [once(undefined), plain(undefined, { fallback: false })];
    await clock.advance(800);
    expect(await Promise.all(answers)).toMatchObject([{ value: "own" }, { value: "own" }]);
    expect(tier.calls.length).toBe(0);
  });

  it("refuses stages that name what the call does not have, or that are out of order, with their paths", () => {
    const call = (options: object) => () => protect("call", async () => 1, options);
    const stages = (...starts: string[]) => starts.map((start, i) => ({ at: 0.1 * (i + 1), start }));
    expect(call({ deadline: "1s", urgency: stages("hedge", "nextTier", "lastTier", "cached") })).toThrow(
      /urgency\.0\.start.*`hedge`[\s\S]*urgency\.1\.start.*`fallback`[\s\S]*urgency\.2\.start[\s\S]*urgency\.3\.start.*`cache`/,
    );
    expect(call({ hedge: {}, urgency: stages("hedge") })).toThrow("`deadline`");
    expect(
      call({
        deadline: "1s",
        hedge: {},
        urgency: [
          { at: 0.9, start: "hedge" },
          { at: 0.5, start: "hedge" },
        ],
      }),
    ).toThrow(/urgency\.1\.at/);
    expect(call({ deadline: "1s", hedge: {}, urgency: [{ at: 50, start: "soon" }] })).toThrow(
      /urgency\.0\.at[\s\S]*urgency\.0\.start/,
    );
  });

  it("tells of every problem at once: of its form, its order, what the call has not, and of other options", () => {
    const urgency = [
      { at: 0.5, start: "soon" },
      { at: 0.4, start: "hedge" },
      { at: 0.9, start: "cached" },
    ];
    const issues = issuesOf(() => protect("call", async () => 1, { timeout: -1, urgency } as never));
    expect(issues.map(({ path }) => path).toSorted()).toEqual(
      ["timeout", "urgency", "urgency.0.start", "urgency.1.at", "urgency.1.start", "urgency.2.start"].toSorted(),
    );
    const shape = issuesOf(() => protect("call", async () => 1, { deadline: "1s", urgency: "soon" as never }));
    expect(shape).toMatchObject([{ path: "urgency", wanted: "a list of stages, { at, start }" }]);
    // what cannot be read is its own problem, and no second one
    const broken = { deadline: "1s", hedge: { extra: -1 }, urgency: [{ at: 0.5, start: "hedge" }] } as const;
    expect(issuesOf(() => protect("call", async () => 1, broken)).map(({ path }) => path)).toEqual(["hedge.extra"]);
  });

  it("knows what stands round the operation already, and what was made before", () => {
    const hedged = pipe(
      named("op", async (_: unknown) => 1),
      hedge({ extra: 2 }),
    );
    const urgency = [
      { at: 0.5, start: "hedge" },
      { at: 0.6, start: "hedge" },
    ] as const;
    protect("call", hedged, { deadline: deadline("1s") as never, urgency });
    protect("call", async () => 1, { deadline: "1s", hedge: hedge({ extra: 2 }), urgency });
    expect(() => protect("call", async () => 1, { deadline: "1s", hedge: hedge(), urgency })).toThrow(
      /urgency\.1\.start: wanted 1 of that at most/,
    );
    protect("call", async (_: number) => 1, {
      ...{ deadline: "1s", cache: cache({ ttl: "1s", staleOnError: "1m" }) },
      urgency: [{ at: 0.5, start: "cached" }],
    });
  });

  it("is no key of a policy: that says why, and where it belongs", () => {
    const given = { urgency: [{ at: 0.5, start: "hedge" }], fallback: [], timeout: -1 };
    const issues = issuesOf(() => protect.with("stripe", given as never));
    expect(issues.map(({ path }) => path)).toEqual(["timeout", "fallback", "urgency"]);
    expect(issues[1]?.wanted).toBe("nothing here: a call says it, `policy(name, operation, { fallback })`");
    expect(issues[2]?.wanted).toMatch(/its tiers, its cache and its hedge, so a call says it.*\{ urgency \}/);
    protect.with("stripe", { urgency: undefined, timeout: "1s" } as never);
  });

  it("takes what a policy gives its call as the call's own", () => {
    const stripe = protect.with("stripe", { deadline: "1s", hedge: { extra: 1 } });
    stripe("charge", async () => 1, { urgency: [{ at: 0.5, start: "hedge" }] });
    expect(() => stripe("refund", async () => 1, { urgency: [{ at: 0.5, start: "lastTier" }] })).toThrow(
      /"refund"[\s\S]*urgency\.0\.start.*`fallback`/,
    );
  });

  it("is shown in its place: outside the tiers, inside the cache", () => {
    const call = protect("call", async () => 1, {
      ...{ deadline: "1s", hedge: {}, fallback: [async () => 2], cache: { ttl: "1s", key: () => "k" }, retry: {} },
      urgency: [{ at: 0.5, start: "hedge" }],
    });
    expect(explain(call).map(({ kind }) => kind)).toEqual([
      "deadline",
      "cache",
      "urgency",
      "fallback",
      "retry",
      "hedge",
    ]);
  });
});

describe("stages that are changed while calls run", () => {
  const options = {
    ...{ deadline: 1_000, hedge: { after: 5_000 } },
    urgency: [{ at: 0.5, start: "nextTier" }],
  } as const;

  it("hold for calls to come: one in flight goes on by those it began with; the undo brings them back", async () => {
    using given = setup();
    const { clock, seen } = given;
    const call = protect("call", () => new Promise<string>(() => {}), {
      ...options,
      fallback: [() => new Promise<string>(() => {})],
    });
    const shown = () => explain(call).find(({ kind }) => kind === "urgency")?.options;
    const before = shown();
    const raised = () => seen.of("urgency.raised").map(({ start }) => start);
    const running = settled(call)();
    await clock.advance(100);
    const undo = configure(call, { urgency: [{ at: 0.2, start: "hedge" }] });
    expect(shown()).toEqual({ stages: [{ at: 0.2, start: "hedge" }] });
    await clock.advance(300);
    expect(raised()).toEqual([]);
    const later = settled(call)();
    await clock.advance(600);
    expect([raised(), (await running).story.state]).toEqual([["nextTier", "hedge"], "timedOut"]);
    undo();
    expect(shown()).toEqual(before);
    const restored = settled(call)();
    await clock.advance(1_000);
    expect([raised(), (await later).ok, (await restored).ok]).toEqual([
      ["nextTier", "hedge", "nextTier"],
      false,
      false,
    ]);
    expect(clock.sleepers).toBe(0);
  });

  it("and cannot be meant change nothing, with their paths, in no layer", () => {
    const call = protect("call", async () => 1, { ...options, fallback: [async () => 2] });
    const before = explain(call);
    const change = (...stages: { at: number; start: string }[]) => {
      return () => configure(call, { hedge: { after: 1 }, urgency: stages as never });
    };
    expect(change({ at: 0.5, start: "cached" })).toThrow(/urgency\.0\.start.*`cache`/);
    expect(change({ at: 0.5, start: "hedge" }, { at: 0.4, start: "hedge" })).toThrow(/urgency\.1\.at/);
    expect(change({ at: 2, start: "hedge" })).toThrow(/urgency\.0\.at/);
    expect(change()).toThrow(/urgency.*at least one stage/);
    expect(explain(call)).toEqual(before);
  });

  const two = [
    { at: 0.5, start: "hedge" },
    { at: 0.6, start: "hedge" },
  ] as const;

  it("other layers keep what the stages start: less of it is refused, together with all else, and with fewer stages it is not", () => {
    const call = protect("call", async () => 1, { deadline: 1_000, hedge: { after: 50, extra: 2 }, urgency: two });
    const before = explain(call);
    const change = (given: Change) => () => configure(call, given);
    expect(change({ hedge: { after: 20, extra: 1 } })).toThrow(
      /hedge\.extra: wanted at least 2: `urgency` of "call" starts so many, got 1/,
    );
    expect(change({ deadline: Number.POSITIVE_INFINITY })).toThrow(/deadline: wanted a limit: `urgency` of "call"/);
    expect(change({ hedge: { extra: 1 }, urgency: two })).toThrow(/urgency\.1\.start: wanted 1 of that at most/);
    expect(explain(call)).toEqual(before);
    const more = change({ urgency: [...two, { at: 0.7, start: "hedge" }], hedge: { extra: 3 } })();
    more();
    expect(explain(call)).toEqual(before);
    const fewer = change({ hedge: { extra: 1 }, urgency: two.slice(0, 1) })();
    fewer();
    expect(explain(call)).toEqual(before);
  });

  it("an undo that takes away what stages begun since need is refused; stages and hedges are changed in any order", () => {
    const call = protect("call", async () => 1, { deadline: 1_000, hedge: { extra: 1 }, urgency: two.slice(0, 1) });
    const undo = configure(call, { hedge: { extra: 2 } });
    const fewer = configure(call, { urgency: two });
    expect(undo).toThrow(/hedge\.extra: wanted at least 2/);
    fewer();
    undo();
    expect(() => configure(call, { urgency: two })).toThrow(/urgency\.1\.start/);
  });

  it("a cache keeps what it serves stale where a stage serves it", () => {
    const call = protect("call", async (_: number) => 1, {
      ...{ deadline: 1_000, cache: { ttl: 1_000, whileRevalidating: "1m" } },
      urgency: [{ at: 0.5, start: "cached" }],
    });
    expect(() => configure(call, { cache: { whileRevalidating: 0 } })).toThrow(/cache: wanted `staleOnError`/);
    configure(call, { cache: { whileRevalidating: 0, staleOnError: "1h" } });
  });

  it("a policy, or a hedge made before, keeps what the stages of any of its calls start", () => {
    const stripe = protect.with("stripe", { deadline: 1_000, hedge: { extra: 2 } });
    const charge = stripe("charge", async () => 1, { urgency: two });
    expect(() => configure(stripe, { hedge: { extra: 1 } })).toThrow(/hedge\.extra.*`urgency` of "charge"/);
    const shared = hedge({ extra: 2 });
    const first = protect("first", async () => 1, { deadline: 1_000, hedge: shared, urgency: two });
    const second = protect("second", async () => 1, { hedge: shared });
    expect(() => configure(second, { hedge: { extra: 1 } })).toThrow(/hedge\.extra.*`urgency` of "first"/);
    expect([charge, first].length).toBe(2);
  });

  it("stages that start more than the call has are refused at construction, with how many there are", () => {
    const tier = async () => 1;
    const three = (start: "hedge" | "nextTier") => [
      { at: 0.25, start },
      { at: 0.5, start },
      { at: 0.75, start: start === "hedge" ? start : ("lastTier" as const) },
    ];
    expect(() => protect("x", tier, { deadline: "1s", fallback: [tier, tier], urgency: three("nextTier") })).toThrow(
      /urgency.2.start: wanted 2 of that at most: the call has no more tiers, got lastTier/,
    );
    expect(() => protect("x", tier, { deadline: "1s", hedge: { extra: 2 }, urgency: three("hedge") })).toThrow(
      /urgency.2.start: wanted 2 of that at most/,
    );
    protect("x", tier, { deadline: "1s", hedge: { extra: 3 }, urgency: three("hedge") });
  });
});
