// Shutting down without losing what is under way: in which order, and what becomes of whom.
import {
  bulkhead,
  drain,
  eventBus,
  fallback,
  HoldfastError,
  health,
  named,
  pipe,
  protect,
  rateLimit,
  retry,
  settled,
  stories,
} from "holdfast";
import { record, reset, script, seams, testClock } from "holdfast/testing";
import { afterEach, describe, expect, it } from "vitest";

afterEach(reset); // no drain outlives its test

function setup() {
  const clock = testClock();
  const events = eventBus();
  const used = seams({ clock, events });
  const seen = record(events);
  const slow = protect("slow", (ms: number, { signal }) => clock.sleep(ms, signal).then(() => ms), {
    deadline: "1h",
  });
  return { clock, seen, slow, [Symbol.dispose]: () => used[Symbol.dispose]() };
}

/** What has become of a promise so far. */
function watch<T>(promise: Promise<T>) {
  const watched = { promise, state: "pending" as unknown };
  promise.then(
    (value) => {
      watched.state = value;
    },
    (error) => {
      watched.state = HoldfastError.is(error) ? error.code : error;
    },
  );
  return watched;
}

describe("drain", () => {
  it("is not ready at once, takes new calls for its grace, then refuses, and ends with the last call", async () => {
    using given = setup();
    const { clock, seen, slow } = given;
    const [early, late] = [watch(slow(3_000)), watch(slow(500))];
    expect(health.readiness().ready).toBe(true);
    const drained = watch(drain({ within: "10s", grace: "1s" }));
    expect(health.readiness()).toEqual({ ready: false, reasons: ["shutting down"] });
    expect(seen.of("shutdown.started").map(({ withinMs }) => withinMs)).toEqual([10_000]);
    await clock.advance(999);
    const inGrace = watch(slow(100));
    await clock.advance(1);
    const refused = await settled(slow)(1, { criticality: "critical" });
    expect([refused.ok, refused.story.state, refused.story.attempts]).toEqual([false, "notAdmitted", 0]);
    expect(!refused.ok && String(refused.error)).toBe(
      'ShuttingDownError: "slow" was not called: this process is shutting down and begins nothing new. Ask another instance.',
    );
    expect(seen.of("call.shed").map(({ why, criticality, call }) => [why, criticality, call])).toEqual([
      ["draining", "critical", refused.story.id],
    ]);
    await clock.advance(1_999);
    expect([early.state, late.state, inGrace.state, drained.state]).toEqual(["pending", 500, 100, "pending"]);
    await clock.advance(1);
    expect([early.state, drained.state]).toEqual([3_000, { finished: 3, cancelled: 0 }]);
    expect(clock.sleepers).toBe(0);
    await expect(slow(1)).rejects.toThrow("shutting down");
  });

  it("ends what still runs when its time is over, with a reason that says so, and waits for nobody who ignores it", async () => {
    using given = setup();
    const { clock, slow } = given;
    const deaf = protect("deaf", () => new Promise<never>(() => {}));
    const [running, unheard] = [settled(slow)(60_000), settled(deaf)()];
    const drained = watch(drain({ within: "5s" }));
    await clock.advance("5s");
    expect(drained.state).toEqual({ finished: 0, cancelled: 2 });
    for (const { ok, story, ...rest } of [await running, await unheard]) {
      expect([ok, story.state]).toEqual([false, "cancelled"]);
      expect("error" in rest && String(rest.error)).toBe(
        `ShuttingDownError: "${story.name}" was ended: this process is shutting down, and the time it had for that is over.`,
      );
    }
    expect(clock.sleepers).toBe(0);
  });

  it("pends for nobody who waits: in a queue, in the line of a rate limit, between two attempts, also when they give up", async () => {
    using given = setup();
    const { clock } = given;
    const places = bulkhead({ concurrency: 1, queue: 5 });
    const line = rateLimit({ requests: { limit: 1, per: "1h" }, maxWait: "2h" });
    const hangs = named("hangs", () => new Promise<never>(() => {}));
    const queued = pipe(hangs, places);
    const lined = pipe(async () => 1, line);
    const failing = pipe(() => Promise.reject(new Error("down")), retry({ base: "1h", cap: "1h", jitter: "none" }));
    await lined();
    const gone = new AbortController();
    const running = settled(queued)();
    const leaving = settled(queued)(undefined, { signal: gone.signal });
    const waiting = [running, settled(queued)(), settled(lined)(), settled(failing)()];
    const drained = watch(drain({ within: "10s" }));
    await clock.advance("5s");
    gone.abort();
    await clock.advance("5s");
    expect((await leaving).story.state).toBe("cancelled");
    expect(drained.state).toEqual({ finished: 1, cancelled: 4 });
    for (const { ok, story } of await Promise.all(waiting)) expect([ok, story.state]).toEqual([false, "cancelled"]);
    expect(clock.sleepers).toBe(0);
  });

  it("lets a call in flight go on with all that it needs: its retries, its tiers, the calls it makes with its context", async () => {
    using given = setup();
    const { clock, slow } = given;
    const shaky = script<string>({ error: new Error("once"), after: 100 }, { error: new Error("twice"), after: 100 });
    const outer = protect("outer", shaky, {
      retry: { attempts: 2, base: 100, jitter: "none" },
      fallback: [async (_, context) => `after ${await slow(300, context)}`],
    });
    const answer = watch(outer(undefined));
    const drained = watch(drain({ within: "10s" }));
    await clock.advance("1s");
    expect([answer.state, drained.state]).toEqual(["after 300", { finished: 1, cancelled: 0 }]);
  });

  it("asks no tier for what it turns away, and runs nothing of it", async () => {
    using given = setup();
    await drain({ within: 0 });
    const operation = script<string>({ value: "first" });
    const tier = script<string>({ value: "second" });
    const call = pipe(named("call", operation), fallback([tier]));
    await expect(call(undefined)).rejects.toMatchObject({ code: "SHUTTING_DOWN", retryable: false, ended: false });
    expect([operation.calls.length, tier.calls.length]).toEqual([0, 0]);
    expect(given.seen.of("attempt.started")).toEqual([]);
    expect(stories.recent().at(-1)?.state).toBe("notAdmitted");
  });

  it("ends at once where nothing runs, and a second one joins the first", async () => {
    using given = setup();
    expect(await drain({ within: "10s" })).toEqual({ finished: 0, cancelled: 0 });
    expect(await drain({ within: "10s" })).toEqual({ finished: 0, cancelled: 0 });
    expect(given.seen.of("shutdown.started").length).toBe(1);
    expect(given.clock.sleepers).toBe(0);
  });

  it("gives both who ask for it the same end", async () => {
    using given = setup();
    const { clock, slow } = given;
    slow(1_000);
    const both = [watch(drain({ within: "10s" })), watch(drain({ within: "20s", grace: "5s" }))];
    await clock.advance("1s");
    expect(both.map(({ state }) => state)).toEqual(Array(2).fill({ finished: 1, cancelled: 0 }));
  });

  it("of a component turns away its calls alone, and leaves the process ready", async () => {
    using given = setup();
    const { clock } = given;
    const work = (ms: number) => clock.sleep(ms).then(() => ms);
    const stripe = protect.with("stripe", {});
    const charge = stripe("charge", work);
    const refund = stripe("refund", async (ms: number, context) => (await charge(ms, context)) + 1);
    const other = protect("other", work);
    const checkout = protect("checkout", async (ms: number, context) => charge(ms, context), {
      fallback: [async () => "another way" as never],
    });
    const [inFlight, nested] = [watch(refund(1_000)), watch(other(5_000))];
    const drained = watch(drain({ within: "10s", component: "stripe" }));
    expect(health.readiness().ready).toBe(true);
    await expect(charge(1)).rejects.toThrow('"charge" was not called: "stripe" is shutting down');
    expect(await checkout(1)).toBe("another way");
    await clock.advance("1s");
    expect([inFlight.state, drained.state, nested.state]).toEqual([1_001, { finished: 1, cancelled: 0 }, "pending"]);
    await clock.advance("4s");
    expect(nested.state).toBe(5_000);
  });

  it("waits for a body that is on its way", async () => {
    using given = setup();
    const { clock } = given;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const get = protect("get", async () => new Response(readable), { deadline: "1m" });
    const response = await get();
    const drained = watch(drain({ within: "10s" }));
    await clock.advance("1s");
    expect(drained.state).toBe("pending");
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("ok"));
    writer.close();
    expect(await response.text()).toBe("ok");
    await clock.advance(0);
    expect(drained.state).toEqual({ finished: 1, cancelled: 0 });
  });

  it("is undone by a reset", async () => {
    using given = setup();
    await drain({ within: 0 });
    reset();
    expect(health.readiness().ready).toBe(true);
    const answer = watch(given.slow(1));
    await given.clock.advance(1);
    expect(answer.state).toBe(1);
  });

  it("says what is wrong with its options, all at once", async () => {
    await expect(drain({ within: "1s", grace: "2s" })).rejects.toThrow("grace: wanted at most `within`");
    await expect(drain({ within: "soon" as never, component: "" })).rejects.toThrow(/within[\s\S]*component/);
    expect(health.readiness().ready).toBe(true);
  });

  it("keeps no call that has ended", async () => {
    using given = setup();
    const { clock, slow } = given;
    const many = Array.from({ length: 1_000 }, (_, i) => watch(slow(i)));
    await clock.advance("2s");
    expect(many.every(({ state }, i) => state === i)).toBe(true);
    expect(await drain({ within: "1s" })).toEqual({ finished: 0, cancelled: 0 });
  });
});
