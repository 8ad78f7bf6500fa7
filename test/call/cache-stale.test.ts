// What is stale: when it stands in for an answer, how it is told, and when it does not.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  cache,
  explain,
  HoldfastError,
  pipe,
  protect,
  report,
  settled,
  within,
} from "../../src/index.ts";
import { outcome, setup, turn, watch } from "../composition/setup.ts";
import { answering, down, operation, settled as settle, status } from "./cache-setup.ts";

/** Has one answer, `1`, that is stale by now. */
async function stale(options: object, ttl = 1_000) {
  const around = setup();
  const { ask, runs, last } = operation();
  const call = protect("x", ask, { cache: { ttl, ...options } });
  const first = call("a");
  await runs[0]?.answer(1);
  await first;
  await around.clock.advance(ttl);
  runs.length = 0;
  const state = () => explain(call)[0]?.state;
  return { ...around, call, told: settled(call), runs, last, state };
}

describe("`staleOnError`", () => {
  it("stale only if the load fails can be had without serving stale before", async () => {
    const { told, call, runs, seen } = await stale({ staleOnError: "10s" });
    const answered = watch(call("a"));
    await turn();
    expect(answered.at).toBeUndefined();
    await runs[0]?.fail(down);
    expect(answered.at).toEqual({ value: 1 });
    const ended = told("a");
    await runs[1]?.answer(2);
    expect(await ended).toMatchObject({ value: 2, story: { state: "succeeded" } });
    expect(seen.of("cache.hit")).toMatchObject([{ stale: true, ageMs: 1_000 }]);
  });

  it("is degraded, with its age as it is when it is given, in `settled` and events", async () => {
    const { clock, told, runs, seen } = await stale({ staleOnError: "10s" });
    const ended = told("a");
    await clock.advance(500);
    await runs[0]?.fail(down);
    const { story, ...rest } = await ended;
    expect(rest).toEqual({ ok: true, value: 1 });
    expect(story).toMatchObject({
      ...{ state: "degraded", degraded: { reason: "overloaded", ageMs: 1_500 }, attempts: 1 },
      failures: [{ error: down }],
    });
    expect(seen.of("cache.hit").at(-1)).toMatchObject({ stale: true, ageMs: 1_500, call: story.id });
    expect(seen.of("call.settled").at(-1)).toMatchObject({
      ...{ state: "degraded", call: story.id, degraded: { reason: "overloaded", ageMs: 1_500 } },
    });
    expect(seen.of("call.settled").filter((event) => "degraded" in event)).toHaveLength(1);
  });

  it("until its own limit, then the error shows", async () => {
    const { clock, call, runs } = await stale({ staleOnError: "10s" });
    await clock.advance(9_999);
    const kept = watch(call("a"));
    await runs[0]?.fail(down);
    await clock.advance(1);
    const lost = watch(call("a"));
    await runs[1]?.fail(down);
    expect([kept.at, lost.at]).toEqual([{ value: 1 }, { error: down }]);
  });

  it("its limit is looked at when it is given, not when it was asked for", async () => {
    const { clock, call, runs } = await stale({ staleOnError: "10s" });
    const answered = watch(call("a"));
    await clock.advance("10s");
    await runs[0]?.fail(down);
    expect(answered.at).toEqual({ error: down });
  });

  it.each([
    ["503", down, true],
    ["a refusal of our own", new HoldfastError("full", { code: "BULKHEAD_FULL" }), true],
    ["429", status(429), true],
    ["poor output", new HoldfastError("poor", { code: "OUTPUT_REJECTED" }), true],
    ["nobody knows what", new Error("?"), true],
    ["401", status(401), false],
    ["403", status(403), false],
    ["404", status(404), false],
    ["a refusal for its content", Object.assign(new Error("content management policy"), { status: 400 }), false],
    ["a bug", new TypeError("x is not a function"), false],
  ])("where the verdict allows: %s", async (_, error, allowed) => {
    const { call, runs, state } = await stale({ staleOnError: "10s" });
    const answered = watch(call("a"));
    await runs[0]?.fail(error);
    expect(answered.at).toEqual(allowed ? { value: 1 } : { error });
    // nor later: what was known is no answer any more
    expect(state()).toEqual({ entries: allowed ? 1 : 0, loading: 0 });
  });

  it("a user's own `classify` has its say", async () => {
    const { clock } = setup();
    const answers = answering<number>({ value: 1 }, { error: status(404) });
    const call = protect("x", answers, {
      cache: { ttl: "1s", staleOnError: "1h" },
      classify: (seen, standard) =>
        seen instanceof Error ? { kind: "transient", retry: false, counts: true, fallBack: true } : standard(seen),
    });
    await call("a");
    await clock.advance("1s");
    expect(await call("a")).toBe(1);
  });

  it("each sharer of the failed load gets it, unless it wants none", async () => {
    const { told, runs } = await stale({ staleOnError: "10s" });
    const ended = Promise.all([
      told("a"),
      told("a"),
      told("a", { accept: "fresh" }),
      told("a", { accept: "uncached" }),
    ]);
    await runs[1]?.fail(down);
    await runs[0]?.fail(down);
    expect((await ended).map(({ ok, story }) => [ok, story.state])).toEqual([
      ...[
        [true, "degraded"],
        [true, "degraded"],
      ],
      ...[
        [false, "failed"],
        [false, "failed"],
      ],
    ]);
  });

  it("a caller's abort and deadline get none: nobody is there to take it", async () => {
    const { clock, call, caller } = await stale({ staleOnError: "1h" });
    const gone = caller();
    const ended = [watch(call("a", { signal: gone.signal })), watch(call("a", { deadline: 100 }))];
    gone.abort("gone");
    await clock.advance(100);
    expect(ended.map(({ at }) => at)).toEqual([
      { error: "gone" },
      { error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) },
    ]);
  });

  it("a failed read falls back to its replicas first, and then to the cache, marked stale", async () => {
    const { clock } = setup();
    let up = true;
    const read = (from: string) => async (_: string) => (up ? from : Promise.reject(down));
    const call = protect("read", read("primary"), {
      cache: { ttl: "1s", staleOnError: "1h" },
      fallback: [{ name: "replica", operation: read("replica") }],
    });
    await call("a");
    await clock.advance("1s");
    up = false;
    const { story, ...ended } = await settled(call)("a");
    expect(ended).toEqual({ ok: true, value: "primary" });
    expect(story).toMatchObject({
      ...{ state: "degraded", attempts: 2, degraded: { reason: "overloaded", ageMs: 1_000 } },
      failures: [{ tierName: "read" }, { tierName: "replica" }],
    });
  });

  it("an open breaker inside is answered by it at once", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    const answers = answering<number>({ value: 1 }, { error: down });
    const call = settled(protect("x", answers, { cache: { ttl: "1s", staleOnError: "1h" }, breaker: circuit }));
    await call("a");
    await clock.advance("1s");
    await call("a");
    expect(await call("a")).toMatchObject({ value: 1, story: { degraded: { reason: "notAdmitted" }, attempts: 0 } });
  });

  it("forgotten while the load runs, it is served no more", async () => {
    const { clock } = setup();
    const { ask, runs } = operation();
    const answers = cache({ ttl: "1s", staleOnError: "1h" });
    const call = pipe(ask, answers);
    const first = call("a");
    await runs[0]?.answer(1);
    await first;
    await clock.advance("1s");
    const answered = watch(call("a"));
    answers.delete("a");
    await runs[1]?.fail(down);
    expect(answered.at).toEqual({ error: down });
  });
});

describe("`whileRevalidating`", () => {
  it("gives what is stale at once, degraded, and renews it meanwhile: one load, whoever asks", async () => {
    const { told, call, runs, seen } = await stale({ whileRevalidating: "10s" });
    const { story, ...ended } = await told("a");
    expect(ended).toEqual({ ok: true, value: 1 });
    expect(story).toMatchObject({ state: "degraded", degraded: { reason: "stale", ageMs: 1_000 }, attempts: 0 });
    expect([await call("a"), runs.length]).toEqual([1, 1]);
    await runs[0]?.answer(2);
    expect([await call("a"), runs.length]).toEqual([2, 1]);
    expect(seen.of("cache.hit").map(({ stale }) => stale)).toEqual([true, true, false]);
  });

  it("the load is a call of its own: in the background, with the labels, told by its events and its story", async () => {
    const { call, runs, seen } = await stale({ whileRevalidating: "10s" });
    await call("a", { labels: { request: "r1" } });
    const { context } = runs[0] as (typeof runs)[0];
    expect(context).toMatchObject({ criticality: "background", labels: { request: "r1" }, accept: "fresh" });
    await runs[0]?.answer(2);
    const own = seen.events.filter(({ call }) => call === context.call).map(({ type }) => type);
    expect(own).toEqual(["call.started", "cache.missed", "attempt.started", "call.settled"]);
    expect(seen.of("call.settled").at(-1)).toMatchObject({
      attempts: 1,
      state: "succeeded",
      labels: { request: "r1" },
    });
  });

  it("a failed background refresh gives no unhandled rejection, is told, and the stale value serves until its own limit", async () => {
    const { clock, call, runs, last, seen } = await stale({ whileRevalidating: "10s" });
    const begun: number[] = [];
    for (let second = 0; second < 10; second++) {
      expect([await call("a"), await call("a")]).toEqual([1, 1]);
      if (runs.length > begun.length) {
        begun.push(second);
        await last().fail(down);
        expect(await call("a")).toBe(1);
      }
      await clock.advance("1s");
    }
    expect(begun).toEqual([0, 1, 3, 7]);
    expect(runs).toHaveLength(4);
    expect(seen.of("call.settled").filter(({ state }) => state === "failed")).toHaveLength(4);
    const shown = watch(call("a"));
    await last().fail(down);
    expect(shown.at).toEqual({ error: down }); // then the error shows
  });

  it("and unwatched neither", async () => {
    const { clock } = setup({ watched: false });
    const answers = answering<number>({ value: 1 }, { error: down }, { error: down });
    const call = protect("x", answers, { cache: { ttl: "1s", whileRevalidating: "10s" } });
    await call("a");
    await clock.advance("1s");
    expect([await call("a"), await call("a")]).toEqual([1, 1]);
    await settle();
  });

  it("a refresh that finds it is no answer any more takes it away", async () => {
    const { call, runs } = await stale({ whileRevalidating: "1h" });
    expect(await call("a")).toBe(1);
    await runs[0]?.fail(status(404));
    const shown = watch(call("a"));
    await runs[1]?.fail(status(404));
    expect(shown.at).toMatchObject({ error: { status: 404 } });
  });

  it("the caller's end is not the refresh's: it goes on, and is kept", async () => {
    const { call, caller, runs } = await stale({ whileRevalidating: "10s" });
    const gone = caller();
    await call("a", { signal: gone.signal, deadline: "1s" });
    gone.abort();
    await runs[0]?.answer(2);
    expect(await call("a")).toBe(2);
  });

  it("the refresh ends by the declared deadline", async () => {
    const { clock } = setup();
    const { ask, runs } = operation();
    const call = protect("x", ask, { cache: { ttl: "1s", whileRevalidating: "1h" }, deadline: "2s" });
    const first = call("a");
    await runs[0]?.answer(1);
    await first;
    await clock.advance("1s");
    expect([await call("a"), runs[1]?.context.deadlineAt]).toEqual([1, 3_000]);
    await clock.advance("2s");
    expect([runs[1]?.aborted, await call("a"), runs.length]).toEqual([true, 1, 2]);
    await clock.advance("1s");
    expect([await call("a"), runs.length]).toEqual([1, 3]);
    await runs[2]?.answer(2);
  });

  it("else when what it is to renew is past all use", async () => {
    const { clock, call, runs } = await stale({ whileRevalidating: "10s" });
    await clock.advance("4s");
    await call("a");
    expect(runs[0]?.context.remainingMs()).toBe(6_000);
    await clock.advance("6s");
    expect(runs[0]?.aborted).toBe(true);
  });

  it("who needs it while it runs keeps it running, under his own deadline", async () => {
    const { clock, call, runs } = await stale({ whileRevalidating: "10s" });
    await call("a");
    const fresh = watch(call("a", { accept: "fresh", criticality: "critical" }));
    expect(runs[0]?.context.criticality).toBe("critical");
    await clock.advance("1h");
    expect([runs[0]?.aborted, fresh.at]).toEqual([false, undefined]);
    await runs[0]?.answer(2);
    expect([fresh.at, runs.length]).toEqual([{ value: 2 }, 1]);
  });

  it("`fresh` waits for the load, and its failure shows", async () => {
    const { call, runs } = await stale({ whileRevalidating: "10s", staleOnError: "10s" });
    const fresh = watch(call("a", { accept: "fresh" }));
    await runs[0]?.fail(down);
    expect(fresh.at).toEqual({ error: down });
  });

  it("what a guard made of the input is not guarded again for the refresh", async () => {
    const { clock } = setup();
    const answers = answering<string>({ value: "one" }, { value: "two" });
    let checks = 0;
    const call = protect("x", answers, {
      cache: { ttl: "1s", whileRevalidating: "1h" },
      guard: { checks: [() => void checks++] },
    });
    await call("a");
    await clock.advance("1s");
    await call("a");
    await settle();
    expect([checks, answers.calls.length, await call("a")]).toEqual([2, 2, "two"]);
  });

  it("a background refresh holds no process by its deadline", async () => {
    const { call, clock, runs } = await stale({ whileRevalidating: "10s" });
    await call("a");
    expect(clock.sleepers).toBe(1); // on the system's clock it is unreferenced
    await runs[0]?.answer(2);
    expect(clock.sleepers).toBe(0);
  });
});

describe("after a background refresh that renewed nothing", () => {
  /** At which of the next seconds a refresh was begun, each of which fails with this. */
  async function begun(options: object, error: unknown, seconds: number) {
    const { clock, call, runs, last } = await stale(options);
    const at: number[] = [];
    for (let second = 0; second < seconds; second++) {
      expect(await call("a")).toBe(1);
      if (runs.length > at.length) {
        at.push(second);
        await last().fail(error);
      }
      await clock.advance("1s");
    }
    return at;
  }

  it("no other begins for 1 s, then 2 s, and so on up to a minute", async () => {
    expect(await begun({ whileRevalidating: "1h" }, down, 250)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });

  it("nor before the time that the service told", async () => {
    const busy = Object.assign(status(429), { headers: { "retry-after": "10" } });
    expect(await begun({ whileRevalidating: "1h" }, busy, 40)).toEqual([0, 10, 20, 30]);
  });

  it("where what is stale serves for a short time only, a tenth of that", async () => {
    const { clock, call, runs } = await stale({ whileRevalidating: 300 });
    await call("a");
    await runs[0]?.fail(down);
    await clock.advance(29);
    expect([await call("a"), runs.length]).toEqual([1, 1]);
    await clock.advance(1);
    expect([await call("a"), runs.length]).toEqual([1, 2]);
    await runs[1]?.answer(2);
  });

  it("of one that succeeds the next begins at once again, and holds off from the start", async () => {
    const { clock, call, runs } = await stale({ whileRevalidating: "1h" });
    await call("a");
    await runs[0]?.fail(down);
    await clock.advance("1s");
    await call("a");
    await runs[1]?.answer(2);
    await clock.advance("1s");
    expect([await call("a"), runs.length]).toEqual([2, 3]);
    await runs[2]?.fail(down);
    await clock.advance("1s");
    expect([await call("a"), runs.length]).toEqual([2, 4]);
    await runs[3]?.answer(3);
  });

  it("also where it came to its deadline, or gave what is not kept", async () => {
    const { clock } = setup();
    const { ask, runs } = operation();
    const call = protect("x", ask, { cache: { ttl: "1s", whileRevalidating: "1h" }, deadline: "2s" });
    const first = call("a");
    await runs[0]?.answer(1);
    await first;
    await clock.advance("1s");
    await call("a");
    await clock.advance("2s");
    expect([await call("a"), runs.length]).toEqual([1, 2]);
    await clock.advance("1s");
    await call("a");
    await runs[2]?.answer({ choices: [{ finish_reason: "length", message: { content: "Hal" } }] });
    await clock.advance(1_999);
    expect([await call("a"), runs.length]).toEqual([1, 3]);
    await clock.advance(1);
    expect([await call("a"), runs.length]).toEqual([1, 4]);
    await runs[3]?.answer(2);
  });

  it("a caller's own load begins all the same: `fresh`, of another key, and where it serves no longer", async () => {
    const busy = Object.assign(status(429), { headers: { "retry-after": "60" } });
    const { clock, call, runs } = await stale({ whileRevalidating: "10s" });
    await call("a");
    await runs[0]?.fail(busy);
    const asked = [watch(call("a", { accept: "fresh" })), watch(call("b"))];
    expect(runs).toHaveLength(3);
    await runs[1]?.fail(down);
    await runs[2]?.answer("b");
    expect(asked.map(({ at }) => at)).toEqual([{ error: down }, { value: "b" }]);
    await clock.advance("10s");
    const late = call("a");
    await runs[3]?.answer(2);
    expect([await late, runs.length]).toEqual([2, 4]);
  });

  it("whoever heard from the service that it wants to be left alone: a refresh does", async () => {
    const busy = Object.assign(status(429), { headers: { "retry-after": "60" } });
    const { clock, call, runs } = await stale({ whileRevalidating: "1h" });
    const fresh = watch(call("a", { accept: "fresh" }));
    await runs[0]?.fail(busy);
    expect(fresh.at).toEqual({ error: busy });
    await clock.advance(59_999);
    expect([await call("a"), runs.length]).toEqual([1, 1]);
    await clock.advance(1);
    expect([await call("a"), runs.length]).toEqual([1, 2]);
    await runs[1]?.answer(2);
  });

  it("with `patience` nothing is waited for meanwhile, but a load that somebody else has begun", async () => {
    const { clock, call, told, runs } = await stale({ whileRevalidating: "1h", patience: "200ms" });
    const shown = watch(call("a"));
    await runs[0]?.fail(down);
    expect(shown.at).toEqual({ error: down });
    const { story, ...ended } = await told("a");
    expect(ended).toEqual({ ok: true, value: 1 });
    expect([story.degraded, runs.length]).toEqual([{ reason: "stale", ageMs: 1_000 }, 1]);
    const [fresh, patient] = [watch(call("a", { accept: "fresh" })), watch(call("a"))];
    await clock.advance(100);
    expect(patient.at).toBeUndefined();
    await runs[1]?.answer(2);
    expect([fresh.at, patient.at]).toEqual([{ value: 2 }, { value: 2 }]);
  });
});

describe("`patience`", () => {
  const options = { whileRevalidating: "1h", patience: "200ms" } as const;

  it("is over with the load: nothing is left that waits", async () => {
    const { clock, call, runs } = await stale(options);
    const answer = call("a");
    expect(clock.sleepers).toBeGreaterThan(0);
    await runs[0]?.answer(2);
    expect([await answer, clock.sleepers]).toEqual([2, 0]);
  });

  it("a load slower than a set wait yields the stale value and goes on", async () => {
    const { clock, told, call, runs } = await stale(options);
    const answered = watch(call("a"));
    const ended = told("a");
    await clock.advance(199);
    expect([answered.at, runs.length]).toEqual([undefined, 1]);
    await clock.advance(1);
    expect(answered.at).toEqual({ value: 1 });
    expect((await ended).story).toMatchObject({
      state: "degraded",
      degraded: { reason: "slow", ageMs: 1_200 },
      attempts: 0,
    });
    expect(runs[0]?.aborted).toBe(false);
    await runs[0]?.answer(2);
    expect([await call("a"), runs.length]).toEqual([2, 1]);
  });

  it("a load that is faster is waited for", async () => {
    const { clock, told, runs } = await stale(options);
    const ended = told("a");
    await clock.advance(100);
    await runs[0]?.answer(2);
    expect(await ended).toMatchObject({ value: 2, story: { state: "succeeded" } });
  });

  it("one that fails in time shows its error, unless `staleOnError` stands in", async () => {
    for (const [staleOnError, shown] of [
      [undefined, { error: down }],
      ["1h", { value: 1 }],
    ] as const) {
      const { clock, call, runs } = await stale({ ...options, staleOnError });
      const ended = watch(call("a"));
      await clock.advance(100);
      await runs[0]?.fail(down);
      expect(ended.at).toEqual(shown);
    }
  });

  it("where nothing is known it changes nothing, nor for `fresh`", async () => {
    const { clock, call, runs } = await stale(options);
    const [other, fresh] = [watch(call("b")), watch(call("a", { accept: "fresh" }))];
    await clock.advance("1s");
    expect([other.at, fresh.at]).toEqual([undefined, undefined]);
    await runs[0]?.answer("b");
    await runs[1]?.answer("a");
    expect([other.at, fresh.at]).toEqual([{ value: "b" }, { value: "a" }]);
  });

  it("what is past its limit when the wait is over is not given", async () => {
    const { clock, call, runs } = await stale({ whileRevalidating: 300, patience: 200 });
    await clock.advance(150);
    const answered = watch(call("a"));
    await clock.advance(200);
    expect(answered.at).toBeUndefined();
    await runs.at(-1)?.answer(2);
    expect(answered.at).toEqual({ value: 2 });
  });
});

describe("what rests on something stale", () => {
  it("is degraded too, with the age, in every outer call's story and events", async () => {
    const { call, runs, seen } = await stale({ staleOnError: "1h" });
    const middle = protect("middle", async (id: string, context) => `<${await call(id, context)}>`);
    const outer = settled(protect("outer", (id: string, context) => middle(id, context)));
    const ended = outer("a");
    await runs[0]?.fail(down);
    const { story, ...rest } = await ended;
    expect(rest).toEqual({ ok: true, value: "<1>" });
    const degraded = { state: "degraded", degraded: { ageMs: 1_000 } };
    expect(story).toMatchObject({ ...degraded, children: [{ ...degraded, children: [degraded] }] });
    const events = seen.of("call.settled").slice(-3);
    expect(events.map(({ state, degraded }) => [state, degraded])).toEqual([
      ["degraded", { reason: "overloaded", ageMs: 1_000 }],
      ["degraded", { reason: "stale", ageMs: 1_000 }],
      ["degraded", { reason: "stale", ageMs: 1_000 }],
    ]);
  });

  it.each<[string, boolean, (call: (id: string, context?: CallContext) => Promise<unknown>) => typeof call]>([
    ["that is given the context", true, (call) => async (id, context) => `<${await call(id, context)}>`],
    [
      "that is given the context and something of its own",
      true,
      (call) => (id, context) => call(id, { ...context, labels: {} } as never),
    ],
    [
      "that is given no more of it than its signal",
      false,
      (call) => async (id, context) => call(id, { signal: context?.signal } as never),
    ],
    ["without the context, begun in the operation's first turn", false, (call) => async (id) => call(id)],
    ["without the context, and given on as it is", false, (call) => (id) => call(id)],
    ["without the context, inside `within`", false, (call) => (id) => within({ deadline: "1m" }, () => call(id))],
  ])("only of a call that knows the outer one: %s", async (_, isTold, around) => {
    const { call, runs, seen } = await stale({ staleOnError: "1h" });
    const ended = settled(protect("outer", around(call as never) as never))("a" as never);
    await runs[0]?.fail(down);
    expect((await ended).story.state).toBe(isTold ? "degraded" : "succeeded");
    expect(seen.of("call.settled").at(-1)).toMatchObject({ name: "outer", state: isTold ? "degraded" : "succeeded" });
  });

  it("of several the oldest counts", async () => {
    const { clock } = setup();
    const build = (name: string) =>
      protect(name, answering<number>({ value: 1 }, { error: down }), { cache: { ttl: "1s", staleOnError: "1h" } });
    const [old, young] = [build("old"), build("young")];
    await old("a");
    await clock.advance("5s");
    await young("a");
    await clock.advance("1s");
    const outer = protect("outer", async (id: string, context) => [await old(id, context), await young(id, context)]);
    expect((await settled(outer)("a")).story.degraded).toEqual({ reason: "stale", ageMs: 6_000 });
  });

  it("not where the attempt that used it failed, and another gave the answer", async () => {
    const { clock } = setup();
    const inner = protect("inner", answering<number>({ value: 1 }, { error: down }, { value: 2 }), {
      cache: { ttl: "1s", staleOnError: "1h" },
    });
    await inner("a");
    await clock.advance("1s");
    const outer = protect(
      "outer",
      async (id: string, context) => {
        const given = await inner(id, context);
        if (given === 1) throw down;
        return given;
      },
      { retry: { attempts: 2, base: 0 } },
    );
    expect(await settled(outer)("a")).toMatchObject({ value: 2, story: { state: "succeeded" } });
  });

  it("nor where the outer call failed in the end", async () => {
    const { call, runs } = await stale({ staleOnError: "1h" });
    const outer = protect("outer", async (id: string, context) => {
      await call(id, context);
      throw down;
    });
    const ended = settled(outer)("a");
    await runs[0]?.fail(status(500));
    const { story } = await ended;
    expect([story.state, story.degraded]).toEqual(["failed", undefined]);
  });

  it("through a cache outside, where `fresh` asks anew what another was content with", async () => {
    const { clock } = setup();
    const source = answering<number>({ value: 1 }, { error: down, after: 100 }, { value: 2, after: 100 });
    const inner = protect("inner", source, { cache: { ttl: "1s", staleOnError: "1h" } });
    const outer = settled(protect("outer", (id: string, context) => inner(id, context), { cache: { ttl: "1ms" } }));
    await outer("a");
    await clock.advance("1s");
    const ended = Promise.all([outer("a"), outer("a", { accept: "fresh" })]);
    await clock.advance("1s");
    expect((await ended).map(({ ok, story, ...rest }) => [ok, story.state, rest])).toEqual([
      [true, "degraded", { value: 1 }],
      [true, "succeeded", { value: 2 }],
    ]);
  });

  it("is said in the report of a call that failed further out", async () => {
    const { call, runs } = await stale({ staleOnError: "1h" });
    const outer = protect("outer", async (id: string, context) => {
      await call(id, context);
      throw new Error("for another reason");
    });
    const ended = outcome(outer("a"));
    await runs[0]?.fail(down);
    const { error } = (await ended) as { error: unknown };
    expect(report(error)).toContain("answered with what was known 1 000 ms ago: overloaded");
  });
});
