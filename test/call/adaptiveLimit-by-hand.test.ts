// A limit that is found out, in somebody's hands: its options, its places, what lowers it, and a reset.
import {
  configure,
  type LoadShedError,
  named,
  type OptionsInvalidError,
  pipe,
  protect,
  retry,
  type Story,
  settled,
  timeout,
} from "holdfast";
import { reset } from "holdfast/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type AdaptiveLimitOptions, adaptiveLimit } from "../../src/call/adaptiveLimit.ts";
import { readyIn } from "../../src/core/stack.ts";
import { crowd, said, service, setup } from "./adaptive-setup.ts";
import { turn, workOf } from "./bulkhead-setup.ts";

const done = { ok: true, value: undefined } as const;
const shed = (criticality = "normal") => ({ code: "LOAD_SHED", criticality, why: "limit" });

/** Ten calls that run until they are told to end: all that a new limit lets in. */
function filled(options: AdaptiveLimitOptions = {}) {
  const world = setup(options);
  const works = Array.from({ length: 10 }, (_, i) => workOf(`${i}`));
  const call = world.limit((work: (typeof works)[number]) => work.run());
  const answers = works.map((work) => settled(call)(work));
  return { ...world, works, call, answers };
}

describe("a call that is made in one that has a place", () => {
  it("is told so: it may have refused itself", async () => {
    const { limit, clock, events, seen } = setup({ min: 1, max: 1 });
    const seams = { clock, events };
    const inner = protect("inner", async () => 1, { adaptiveLimit: limit, seams });
    const outer = protect("outer", (_: void, context) => inner(undefined, context), { adaptiveLimit: limit, seams });
    const { error, story } = (await settled(outer)()) as { error?: LoadShedError; story: Story };
    expect(error).toMatchObject({ code: "LOAD_SHED", operation: "inner", heldBy: "outer" });
    const why =
      /"outer", in which it was made, has a place there and may be waiting for it: lay the adaptive limit round one of the two\.$/;
    expect(error?.message).toMatch(why);
    expect(seen.of("call.shed")).toMatchObject([{ why: "limit", heldBy: "outer" }]);
    expect(story.state).toBe("failed");
    expect(await settled(inner)()).toMatchObject({ ok: true });
  });

  it("likewise where it is laid twice round one operation; not where the places are those of others", async () => {
    const { limit } = setup({ min: 1, max: 1 });
    const work = named("work", async () => 1);
    expect(await settled(pipe(work, limit, limit))()).toMatchObject({ error: { heldBy: "work" } });
    const permit = limit.acquire();
    const { error } = (await settled(pipe(work, limit))()) as { error?: LoadShedError };
    expect(error).toMatchObject(shed());
    expect(error).not.toHaveProperty("heldBy");
    permit?.done({ ok: true, value: undefined });
  });
});

describe("options", () => {
  it.each([
    ["min", 0],
    ["min", 1.5],
    ["max", 0],
    ["max", "5"],
    ["reserve.critical", 1],
    ["reserve.critical", -0.1],
    ["minimum", 3],
  ])("that are bad throw when the limit is made, with their path: %s %j", (path, given) => {
    const [outer = "", inner] = path.split(".");
    const options = { [outer]: inner === undefined ? given : { [inner]: given } };
    expect(() => adaptiveLimit(options as never)).toThrow(
      expect.objectContaining({ code: "OPTIONS_INVALID", issues: [expect.objectContaining({ path })] }),
    );
    expect(() => protect("x", async () => 1, { adaptiveLimit: options as never })).toThrow(/adaptiveLimit/);
  });

  it("that cannot stand together are told too", () => {
    const issues = (options: AdaptiveLimitOptions) => {
      try {
        adaptiveLimit(options);
        return [];
      } catch (error) {
        return (error as OptionsInvalidError).issues.map(({ path, wanted }) => [path, wanted]);
      }
    };
    expect([
      ...issues({ min: 5, max: 4 }),
      ...issues({ min: 2_000 }),
      ...issues({ reserve: { critical: 0.6, normal: 0.4 } }),
    ]).toEqual([
      ["min", "at most `max`, which is 4"],
      ["min", "at most `max`, which is 1000"],
      ["reserve", "shares that are less than 1 together"],
    ]);
  });

  it("can all be changed while it runs, and read back as they were after the undo", async () => {
    const world = setup();
    const call = pipe(async () => 1, world.limit);
    const undo = configure(call, { adaptiveLimit: { min: 30, max: 40 } });
    expect(world.limit.limit).toBe(30);
    configure(call, { adaptiveLimit: { min: 1, max: 5 } });
    expect(world.limit.limit).toBe(5);
    undo();
    expect(() => configure(call, { adaptiveLimit: { min: 7, max: 6 } })).toThrow(/min/);
  });
});

describe("a place", () => {
  it("who finds none is refused with its own code, a time to come again that is jittered, and an event", async () => {
    const { call, seen } = filled();
    const errors = [];
    for (let i = 0; i < 5; i++) errors.push((await settled(call)(workOf("late"))) as { error?: unknown });
    for (const { error } of errors) expect(error).toMatchObject({ ...shed(), retryable: true });
    const hints = errors.map(({ error }) => (error as { retryAfterMs: number }).retryAfterMs);
    expect(new Set(hints).size).toBeGreaterThan(1);
    expect(seen.of("call.shed")[0]).toMatchObject({ criticality: "normal", why: "limit" });
    expect((await settled(call)(workOf("late"))).story.state).toBe("notAdmitted");
  });

  it("is held until the operation has truly settled, though its caller has long been told of a time-out", async () => {
    const { clock, limit } = setup({ max: 1 });
    const work = workOf("slow");
    const call = pipe(() => work.run(), timeout("1s"), limit);
    const first = settled(call)();
    await clock.advance("1s");
    expect(await first).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
    expect([limit.running, await settled(call)()]).toEqual([1, expect.objectContaining({ ok: false })]);
    work.end();
    await turn();
    expect(limit.running).toBe(0);
  });

  it("in the share that is kept for a criticality is given to no other", async () => {
    const { call, limit } = filled({ reserve: { critical: 0.3 } });
    await turn();
    expect(limit.running).toBe(7);
    const [normal, critical] = [settled(call)(workOf("n")), settled(call)(workOf("c"), said("critical"))];
    expect(await normal).toMatchObject({ error: shed() });
    await turn();
    expect(limit.running).toBe(8);
    void critical;
  });

  it("of a guaranteed share is there under any overload, also of what is more critical", async () => {
    const world = setup({ reserve: { background: 0.2 } });
    const call = world.limit(() => new Promise<never>(() => {}));
    for (let i = 0; i < 50; i++) call(undefined, said("critical")).catch(() => {});
    expect(world.limit.running).toBe(8);
    for (let i = 0; i < 50; i++) call(undefined, said("background")).catch(() => {});
    expect(world.limit.running).toBe(10);
  });

  it("is always there for all: a share keeps never the last one, or nothing would be found out any more", async () => {
    const world = setup({ max: 1, reserve: { critical: 0.5, background: 0.4 } });
    const call = world.limit(async () => "served");
    for (const criticality of ["normal", "sheddable", "critical"] as const)
      expect(await call(undefined, said(criticality))).toBe("served");
  });

  it("is taken by hand, and given back once", () => {
    const { limit } = setup({ max: 2 });
    const [first, second] = [limit.acquire(), limit.acquire()];
    expect([limit.running, limit.acquire()]).toEqual([2, undefined]);
    first?.done(done);
    first?.done(done);
    expect(limit.running).toBe(1);
    second?.done({ ok: false, error: new Error("x") });
    expect(limit.running).toBe(0);
  });

  it("is not held by a failed response that waits for the next try", async () => {
    const { clock, limit } = setup({ max: 1 });
    const answers = [new Response("", { status: 500 }), new Response("fine")];
    const call = pipe(async () => answers.shift() as Response, limit, retry({ base: "1s" }));
    const answer = call();
    await clock.advance(1);
    expect(limit.running).toBe(0);
    await clock.advance("10s");
    expect((await answer).status).toBe(200);
  });

  it("is told of to a fallback, which passes a full one over", async () => {
    const { call } = filled();
    expect(readyIn(call, undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(
      readyIn(
        adaptiveLimit()(async () => 1),
        undefined,
      ),
    ).toBe(0);
  });

  it("and what was learnt are as new after a reset, and what ran before gives nothing back twice", async () => {
    const { call, limit, works, answers } = filled();
    reset();
    expect([limit.running, limit.limit]).toEqual([0, 10]);
    const work = workOf("new");
    const after = call(work);
    for (const one of works) one.end();
    await Promise.all(answers);
    expect(limit.running).toBe(1);
    work.end();
    await after;
    expect(limit.running).toBe(0);
  });
});

describe("the limit", { timeout: 60_000 }, () => {
  it("never falls below `min`, and during a measurement neither is anybody refused while fewer run", async () => {
    const world = setup({ min: 6 });
    const other = service(world, 2, 100);
    const call = world.limit(other.operation);
    const calls = crowd(world, call, 200);
    let fewest = Number.POSITIVE_INFINITY;
    world.events.on("call.shed", () => {
      fewest = Math.min(fewest, world.limit.running);
    });
    await world.clock.advance("60s");
    expect(world.limit.limit).toBeGreaterThanOrEqual(6);
    expect(fewest).toBeGreaterThanOrEqual(6);
    expect(calls.refused()).toBeGreaterThan(0);
  });

  it("falls when answers say that it is too much, and rises by small steps towards where that was", async () => {
    const world = setup();
    let running = 0;
    const call = world.limit(async () => {
      if (running >= 15) throw Object.assign(new Error("overloaded"), { status: 503 });
      running++;
      await world.clock.sleep(100);
      running--;
    });
    const calls = crowd(world, call as never, 600);
    await world.clock.advance("10s");
    expect(world.seen.of("limit.changed").some(({ why }) => why === "overload")).toBe(true);
    expect(world.limit.limit).toBeLessThanOrEqual(17);
    expect(calls.served(5_000) / 750).toBeGreaterThan(0.8);
  });

  it("does not fall when the service is broken: that is no sign of too much", async () => {
    const world = setup();
    const call = world.limit(async () => {
      await world.clock.sleep(100);
      throw Object.assign(new Error("broken"), { status: 500 });
    });
    crowd(world, call as never, 60);
    await world.clock.advance("5s");
    expect(world.seen.of("limit.changed").filter(({ why }) => why === "overload")).toEqual([]);
    expect(world.limit.limit).toBeGreaterThanOrEqual(10);
  });

  it("falls when time-outs tell of it", async () => {
    const world = setup();
    const call = pipe(() => world.clock.sleep(60_000), timeout(100), world.limit);
    crowd(world, call as never, 300);
    await world.clock.advance("3s");
    expect(world.seen.of("limit.changed")[0]).toMatchObject({ from: 10, why: "overload" });
    expect(world.limit.limit).toBeLessThan(10);
  });

  it("takes nothing from a window with too few samples", async () => {
    const world = setup();
    let takes = 100;
    const call = world.limit(() => world.clock.sleep(takes));
    for (let i = 0; i < 9; i++) call().catch(() => {});
    await world.clock.advance("10s");
    takes = 5_000;
    for (let i = 0; i < 9; i++) call().catch(() => {});
    await world.clock.advance("60s");
    expect([world.limit.limit, world.seen.of("limit.changed")]).toEqual([10, []]);
  });

  it("is measured without refusing anybody while the load is moderate", async () => {
    const world = setup({ min: 1 });
    const other = service(world, 20, 100);
    const calls = crowd(world, world.limit(other.operation), 300);
    await world.clock.advance("5s"); // it grows to what comes
    calls.change(50);
    await world.clock.advance("120s");
    expect(calls.refused(6_000)).toBe(0);
  });

  it("is measured anew at moments that chance moves, and goes on being found afterwards", async () => {
    const narrow = async (seed: number) => {
      const world = setup({}, seed);
      const other = service(world, 10, 100);
      crowd(world, world.limit(other.operation), 200);
      await world.clock.advance("5s");
      const at: number[] = [];
      for (let i = 0; i < 800; i++) {
        await world.clock.advance(100);
        if (world.limit.running <= 9) at.push(i);
      }
      const changes = world.seen.of("limit.changed").filter((e) => e.at > (at.at(-1) ?? 0) * 100);
      return { at, changes: changes.length };
    };
    const [one, two] = [await narrow(1), await narrow(2)];
    expect(one.at.length).toBeGreaterThan(0);
    expect(one.at).not.toEqual(two.at);
    expect(one.changes).toBeGreaterThan(0);
  });

  it("is each wrapper's own: a costly operation lowers its own and not its neighbour's", async () => {
    const world = setup();
    const neighbour = setup();
    const costly = service(world, 2, 500);
    const light = service(neighbour, 100, 20);
    crowd(world, world.limit(costly.operation), 50);
    crowd(neighbour, neighbour.limit(light.operation), 1_000);
    await world.clock.advance("60s");
    await neighbour.clock.advance("5s");
    expect(world.limit.limit).toBeLessThan(10);
    expect(neighbour.limit.limit).toBeGreaterThanOrEqual(20);
  });
});

describe("a policy", () => {
  it("owns one for all its calls, which may only switch it off", async () => {
    const policy = protect.with("db", { adaptiveLimit: { max: 1 } });
    const [a, b] = [workOf("a"), workOf("b")];
    const first = policy("one", () => a.run())();
    await expect(policy("two", () => b.run())()).rejects.toMatchObject(shed());
    await expect(policy("three", async () => 3, { adaptiveLimit: false })()).resolves.toBe(3);
    expect(() => policy("four", async () => 4, { adaptiveLimit: {} })).toThrow(/belongs to the policy "db"/);
    a.end();
    await first;
  });
});

afterEach(() => reset());
