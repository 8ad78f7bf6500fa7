// A second try beside the first: when it begins, who wins, and what becomes of the others.
import { breaker, budget, configure, eventBus, explain, hedge, named, pipe, protect, retry, settled } from "holdfast";
import { type Answer, record, script, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";

function setup() {
  const clock = testClock();
  const events = eventBus();
  const used = seams({ clock, events, random: () => 0 });
  return { clock, seen: record(events), [Symbol.dispose]: () => used[Symbol.dispose]() };
}

function watch<T>(promise: Promise<T>) {
  const watched = { state: "pending" as unknown };
  promise.then(
    (value) => {
      watched.state = value;
    },
    (error) => {
      watched.state = error;
    },
  );
  return watched;
}

const failing = (status: number, more: object = {}) =>
  Object.assign(new Error(`status ${status}`), { status, ...more });

function isolated() {
  const shut = breaker();
  shut.isolate();
  return shut;
}

describe("hedge", () => {
  it("begins a second try after its delay; the first good answer wins, and the loser is ended with a reason", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script({ value: "slow", after: 1_000 }, { value: "quick", after: 10 });
    const call = protect("call", operation, { hedge: { after: 100 }, breaker: {} });
    const answer = watch(call(undefined));
    await clock.advance(99);
    expect(operation.calls.length).toBe(1);
    await clock.advance(1);
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1, 2]);
    expect(seen.of("hedge.started").map(({ attempt, afterMs }) => [attempt, afterMs])).toEqual([[2, 100]]);
    await clock.advance(10);
    expect(answer.state).toBe("quick");
    const [lost, won] = operation.calls.map(({ context }) => context.signal);
    expect([lost?.aborted, String(lost?.reason), won?.aborted]).toEqual([
      true,
      "AbortError: What it was begun for has its answer.",
      false,
    ]);
    expect(seen.of("call.settled").map(({ state, attempts }) => [state, attempts])).toEqual([["succeeded", 2]]);
    expect(seen.of("attempt.abandoned").map(({ attempt, reason }) => [attempt, reason])).toEqual([[1, "lost"]]);
    expect(explain(call).find(({ kind }) => kind === "breaker")?.state).toMatchObject({ calls: 1, failures: 0 });
    await clock.advance("2s");
    expect(clock.sleepers).toBe(0);
  });

  it("does nothing where the first is in time, and its answer may still win after the second has begun", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script(
      { value: "in time", after: 99 },
      { value: "late", after: 150 },
      { value: "no", after: 100 },
    );
    const call = hedge({ after: 100 })(named("call", operation));
    const first = watch(call(undefined));
    await clock.advance(99);
    expect([first.state, operation.calls.length, seen.of("hedge.started").length]).toEqual(["in time", 1, 0]);
    const second = watch(call(undefined));
    await clock.advance(150);
    expect([second.state, operation.calls.length]).toEqual(["late", 3]);
    expect(operation.calls[2]?.context.signal.aborted).toBe(true);
  });

  it("begins the next at once when one fails that may do better, and fails when all have", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script({ error: failing(500), after: 10 }, { error: failing(502), after: 20 });
    const answer = watch(hedge({ after: 1_000 })(named("call", operation))(undefined));
    await clock.advance(10);
    expect([operation.calls.length, answer.state]).toEqual([2, "pending"]);
    await clock.advance(20);
    expect(answer.state).toMatchObject({ status: 502 });
    expect(seen.of("attempt.failed").map(({ kind }) => kind)).toEqual(["transient", "transient"]);
    expect(seen.of("call.settled").map(({ state, attempts }) => [state, attempts])).toEqual([["failed", 2]]);
  });

  it("one failure does not cancel the others; a final one ends the call and cancels the rest", async () => {
    using given = setup();
    const { clock } = given;
    const one = script({ value: "good", after: 300 }, { error: failing(500), after: 10 });
    const spared = watch(hedge({ after: 100 })(named("one", one))(undefined));
    const other = script({ value: "good", after: 300 }, { error: failing(400), after: 10 });
    const ended = watch(hedge({ after: 100 })(named("other", other))(undefined));
    await clock.advance(300);
    expect([spared.state, one.calls[0]?.context.signal.aborted]).toEqual(["good", false]);
    expect(ended.state).toMatchObject({ status: 400 });
    expect(other.calls[0]?.context.signal.aborted).toBe(true);
  });

  it("begins so many more as it may, each after the delay, to the targets in turn", async () => {
    using given = setup();
    const { clock } = given;
    const own = script("never");
    const east = script("never", { value: "east", after: 50 });
    const west = script({ value: "west", after: 1_000 });
    const call = protect("call", own, { hedge: { after: 100, extra: 3, to: [east, west] }, deadline: "10s" });
    const answer = watch(call("input" as never));
    await clock.advance(300);
    expect([own, east, west].map(({ calls }) => calls.map(({ input }) => input))).toEqual([
      ["input"],
      ["input", "input"],
      ["input"],
    ]);
    await clock.advance(50);
    expect(answer.state).toBe("east");
  });

  it("hedges nothing that must not happen twice, unless there is a key, and says so", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script({ value: 1, after: 500 }, { value: 2, after: 500 }, { value: 3, after: 50 });
    const pay = protect("pay", operation, { idempotent: false, hedge: { after: 100 } });
    const bare = watch(pay(undefined));
    await clock.advance(500);
    expect([bare.state, operation.calls.length]).toEqual([1, 1]);
    expect(seen.of("hedge.refused").map(({ why }) => why)).toEqual(["idempotent"]);
    const keyed = watch(pay(undefined, { idempotencyKey: "k" }));
    await clock.advance(150);
    expect(keyed.state).toBe(3);
    expect(operation.calls.slice(1).map(({ context }) => context.idempotencyKey)).toEqual(["k", "k"]);
  });

  it("one that the budget refuses leaves those that run alone, and is told of", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script({ value: "good", after: 500 });
    const none = budget({ share: 0, perSecond: 0 });
    const answer = watch(protect("call", operation, { budget: none, hedge: { after: 100 } })(undefined));
    await clock.advance(500);
    expect([answer.state, operation.calls.length]).toEqual(["good", 1]);
    expect(seen.of("hedge.refused").map(({ why }) => why)).toEqual(["budget"]);
  });

  it("another target that fails for good does not end the first, nor a first that does so the others", async () => {
    using given = setup();
    const { clock } = given;
    const revoked = failing(401);
    const backup = script<string>({ error: revoked, after: 10 }, { value: "backup", after: 10 });
    const first = script<string>({ value: "first", after: 300 }, { error: revoked, after: 10 });
    const call = hedge({ after: 100, to: [backup] })(named("call", first));
    const spared = watch(call(undefined));
    await clock.advance(300);
    expect([spared.state, first.calls[0]?.context.signal.aborted]).toEqual(["first", false]);
    const saved = watch(call(undefined));
    await clock.advance(20);
    expect(saved.state).toBe("backup");
  });

  it("what no other target would do better either ends all, wherever it failed", async () => {
    using given = setup();
    const { clock } = given;
    const backup = script<string>({ error: failing(400), after: 10 });
    const first = script<string>({ value: "first", after: 300 });
    const ended = watch(hedge({ after: 100, to: [backup] })(named("call", first))(undefined));
    await clock.advance(110);
    expect(ended.state).toMatchObject({ status: 400 });
    expect(first.calls[0]?.context.signal.aborted).toBe(true);
  });

  it("a pushback is of the one that gave it: another target is asked at once", async () => {
    using given = setup();
    const { clock, seen } = given;
    const busy = failing(429, { headers: { "retry-after": "60" } });
    const backup = script<string>({ value: "backup", after: 10 });
    const call = hedge({ after: 100, to: [backup] })(named("call", script<string>({ error: busy, after: 10 })));
    const answer = watch(call(undefined));
    await clock.advance(20);
    expect([answer.state, seen.of("hedge.refused")]).toEqual(["backup", []]);
  });

  it("a pushback of the other side delays the next", async () => {
    using given = setup();
    const { clock, seen } = given;
    const operation = script(
      { value: "slow", after: 5_000 },
      { error: failing(503, { headers: { "retry-after": "1" } }), after: 10 },
      { value: "third", after: 10 },
    );
    const answer = watch(hedge({ after: 100, extra: 2 })(named("call", operation))(undefined));
    await clock.advance(1_109);
    expect([operation.calls.length, seen.of("hedge.refused").map(({ why }) => why)]).toEqual([2, ["pushback"]]);
    await clock.advance(11);
    expect([operation.calls.length, answer.state]).toEqual([3, "third"]);
  });

  it("a pushback beyond the deadline stops it, and what failed alone ends the call now", async () => {
    using given = setup();
    const { clock } = given;
    const busy = failing(503, { headers: { "retry-after": "60" } });
    const operation = script<string>({ error: busy, after: 10 });
    const answer = watch(protect("call", operation, { hedge: { after: 100, extra: 2 }, deadline: "30s" })(undefined));
    await clock.advance(10);
    expect(answer.state).toBe(busy);
    await clock.advance("2m");
    expect([operation.calls.length, clock.sleepers]).toEqual([1, 0]);
  });

  it("the only one fails and the budget refuses another: the call ends now, not at the deadline", async () => {
    using given = setup();
    const { clock } = given;
    const down = failing(500);
    const operation = script<string>({ error: down, after: 10 });
    const options = { hedge: { after: 100 }, budget: budget({ share: 0, perSecond: 0 }), deadline: "30s" } as const;
    const answer = watch(protect("call", operation, options)(undefined));
    await clock.advance(10);
    expect([answer.state, operation.calls.length, clock.sleepers]).toEqual([down, 1, 0]);
  });

  it("a poor answer does not win while another runs", async () => {
    using given = setup();
    const { clock } = given;
    const operation = script<number | string>({ value: 1, after: 300 }, { value: "poor", after: 10 });
    const answer = watch(protect("call", operation, { output: z.number(), hedge: { after: 100 } })(undefined));
    await clock.advance(110);
    expect(answer.state).toBe("pending");
    await clock.advance(190);
    expect(answer.state).toBe(1);
  });

  it("what is refused by a layer inside leaves the others alone", async () => {
    using given = setup();
    const { clock } = given;
    const operation = script({ value: "good", after: 300 });
    const answer = watch(protect("call", operation, { bulkhead: 1, hedge: { after: 100 } })(undefined));
    await clock.advance(300);
    expect([answer.state, operation.calls.length]).toEqual(["good", 1]);
  });

  it.each([
    { by: "an open breaker", inside: () => ({ breaker: isolated() }) },
    { by: "a full bulkhead", inside: () => ({ bulkhead: 1 }) },
    {
      by: "a rate limit",
      inside: () => ({ rateLimit: { requests: { limit: 1, per: "1m" }, whenFull: "reject" } }) as const,
    },
  ])("asks another target at once where $by refuses the first", async ({ inside }) => {
    using given = setup();
    const { clock, seen } = given;
    const first = script<string>({ value: "first", after: 5_000 });
    const other = script<string>({ value: "other", after: 10 }, { value: "other", after: 10 });
    const call = protect("call", first, { ...inside(), hedge: { after: "10s", to: [other] } });
    watch(call(undefined)); // has the only place, or the quota
    const answer = watch(call(undefined));
    await clock.advance(10);
    expect([answer.state, seen.of("hedge.started").at(-1)?.afterMs]).toEqual(["other", 0]);
  });

  it("asks the next target at once where one refuses, and the same that refused not again", async () => {
    using given = setup();
    const { clock, seen } = given;
    const east = protect("east", script<string>(), { breaker: isolated() });
    const west = script<string>({ value: "west", after: 10 });
    const both = hedge({ after: 100, extra: 3, to: [east, west] })(named("both", script<string>("never")));
    const answer = watch(both(undefined));
    await clock.advance(110);
    expect([answer.state, seen.of("hedge.started").map(({ afterMs }) => afterMs)]).toEqual(["west", [100, 100]]);
    const one = hedge({ after: 100, extra: 3, to: [east] })(
      named("one", script<string>({ value: "first", after: 250 })),
    );
    const alone = watch(one(undefined));
    await clock.advance(250);
    expect([alone.state, seen.of("hedge.started").map(({ afterMs }) => afterMs)]).toEqual([
      "first",
      [100, 100, 100, 200],
    ]);
  });

  it("a first that is refused ends the call now where the others would go to the same", async () => {
    using given = setup();
    const { clock, seen } = given;
    const call = protect("call", script<string>(), { breaker: isolated(), hedge: { after: 100, extra: 2 } });
    const answer = watch(call(undefined));
    await clock.advance(0);
    expect([answer.state, seen.of("hedge.started"), clock.sleepers]).toEqual([
      expect.objectContaining({ code: "BREAKER_OPEN" }),
      [],
      0,
    ]);
  });

  it("stands inside retry: each round may be hedged, and a time-out is each attempt's own", async () => {
    using given = setup();
    const { clock } = given;
    const operation = script("never", "never", { value: "third", after: 10 });
    const call = protect("call", operation, {
      timeout: 200,
      hedge: { after: 100 },
      retry: { base: 1, jitter: "none" },
    });
    const answer = watch(call(undefined));
    await clock.advance(350);
    expect([answer.state, operation.calls.length]).toEqual(["third", 3]);
    expect(operation.calls.map(({ context }) => context.signal.aborted)).toEqual([true, true, false]);
  });

  it("is over with its call: an abort ends all that runs, and no more begins", async () => {
    using given = setup();
    const { clock } = given;
    const operation = script("never", "never");
    const controller = new AbortController();
    const call = hedge({ after: 100, extra: 5 })(named("call", operation));
    const answer = settled(call)(undefined, { signal: controller.signal });
    await clock.advance(100);
    controller.abort("enough");
    const { ok, story, ...rest } = await answer;
    expect([ok, story.state, "error" in rest && rest.error]).toEqual([false, "cancelled", "enough"]);
    await clock.advance("1m");
    expect(operation.calls.map(({ context }) => context.signal.reason)).toEqual(["enough", "enough"]);
    expect(clock.sleepers).toBe(0);
  });

  it("gives what loses, and comes late, to `discard`", async () => {
    using given = setup();
    const { clock } = given;
    const dropped: unknown[] = [];
    const after = [300, 10];
    // heeds no signal
    const deaf = (ms = after.shift()) => clock.sleep(ms as number).then(() => `after ${ms}`);
    const call = protect("call", () => deaf(), { hedge: { after: 100 }, discard: (value) => void dropped.push(value) });
    const answer = watch(call());
    await clock.advance("1s");
    expect([answer.state, dropped]).toEqual(["after 10", ["after 300"]]);
  });

  it("by its own p95: nothing before it knows twenty answers, then after what most of them took", async () => {
    using given = setup();
    const { clock, seen } = given;
    const quick: Answer<string>[] = Array.from({ length: 20 }, (_, i) => ({
      value: "quick",
      after: i === 7 ? 900 : 40,
    }));
    const operation = script<string>(...quick, { value: "slow", after: 5_000 }, { value: "hedged", after: 40 });
    const call = hedge()(named("call", operation));
    for (const _ of quick) {
      watch(call(undefined));
      await clock.advance("1s");
    }
    expect(seen.of("hedge.started")).toEqual([]);
    const [layer] = explain(call);
    expect(layer?.state).toEqual({ p95Ms: 42 });
    const answer = watch(call(undefined));
    await clock.advance(82);
    expect([answer.state, seen.of("hedge.started").map(({ afterMs }) => afterMs)]).toEqual(["hedged", [42]]);
  });

  it("begins nothing that the deadline leaves no time for", async () => {
    using given = setup();
    const { clock, seen } = given;
    const answers: Answer<string>[] = Array.from({ length: 20 }, () => ({ value: "quick", after: 40 }));
    const operation = script<string>(...answers, "never");
    const call = hedge()(named("call", operation));
    for (const _ of answers) {
      watch(call(undefined));
      await clock.advance("1s");
    }
    const answer = watch(call(undefined, { deadline: 60 }));
    await clock.advance(60);
    expect([answer.state, operation.calls.length]).toEqual([
      expect.objectContaining({ code: "DEADLINE_EXCEEDED" }),
      21,
    ]);
    expect(seen.of("hedge.refused").map(({ why }) => why)).toEqual(["deadline"]);
  });

  it("retry with a budget of both: hedges and retries spend from one", async () => {
    using given = setup();
    const { clock } = given;
    const spare = budget({ share: 0, perSecond: 0.1 });
    const operation = script<string>(...Array<Answer<string>>(9).fill({ error: failing(500), after: 10 }));
    const call = pipe(
      named("call", operation),
      hedge({ after: 100, budget: spare }),
      retry({ base: 1, budget: spare }),
    );
    watch(call(undefined));
    await clock.advance("1s");
    expect(operation.calls.length).toBe(2);
  });

  it("asks other targets, after another delay, from the moment in which it is changed", async () => {
    using given = setup();
    const { clock } = given;
    const own = script<string>("never", "never");
    const [east, west] = [script<string>({ value: "east" }), script<string>({ value: "west" })];
    const call = protect("call", own, { hedge: { after: 100, to: [east] }, deadline: "10s" });
    const undo = configure(call, { hedge: { after: 200, to: [west] } });
    const changed = watch(call(undefined));
    await clock.advance(199);
    expect(changed.state).toBe("pending");
    await clock.advance(1);
    expect(changed.state).toBe("west");
    undo();
    const restored = watch(call(undefined));
    await clock.advance(100);
    expect([restored.state, west.calls.length]).toEqual(["east", 1]);
  });

  it("that is changed while calls run begins as many more as is said then, and a bad change changes nothing", async () => {
    using given = setup();
    const { clock } = given;
    const operation = script<string>("never", "never", "never", "never", "never");
    const call = protect("call", operation, { hedge: { after: 100 }, deadline: "1m" });
    const before = explain(call);
    const running = settled(call)(undefined);
    await clock.advance(150);
    expect(operation.calls.length).toBe(2);
    expect(() => configure(call, { deadline: "5s", hedge: { after: "soon" as never, extra: 0 } })).toThrow(
      /hedge\.after[\s\S]*hedge\.extra/,
    );
    expect(explain(call)).toEqual(before);
    const undo = configure(call, { hedge: { extra: 2, after: 200 } });
    const later = settled(call)(undefined);
    await clock.advance(400);
    expect(operation.calls.length).toBe(5); // none more for `running`, which had all that it might have
    undo();
    expect(explain(call)).toEqual(before);
    await clock.advance("1m");
    expect([(await running).story.attempts, (await later).story.attempts]).toEqual([2, 3]);
    expect(clock.sleepers).toBe(0);
  });

  it("says what is wrong with its options, all at once", () => {
    expect(() => hedge({ after: "soon" as never, extra: 0, to: "x" as never })).toThrow(/after[\s\S]*extra[\s\S]*to/);
  });
});
