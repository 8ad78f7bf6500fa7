// A budget: what fills it, what it lets through, who shares it, and what is told when it is spent.
import { bulkhead, configure, explain, pipe, protect, retry, settled } from "holdfast";
import { seams as put, reset, script } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type BudgetOptions, budget } from "../../src/call/budget.ts";
import { setup as common } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const busy = Object.assign(new Error("busy"), { status: 503 });

/** A call on a budget, whose operation fails as long as a test says so. */
function setup(options?: BudgetOptions) {
  const { clock, seen } = common();
  const spare = budget(options);
  const world = { error: undefined as unknown, attempts: 0 };
  async function ask(_: string): Promise<string> {
    world.attempts++;
    if (world.error !== undefined) throw world.error;
    return "ok";
  }
  const call = pipe(ask, retry({ budget: spare, attempts: 3, base: "10ms", jitter: "none" }));
  const times = async (count: number, error?: unknown) => {
    world.error = error;
    const ended = Promise.all(Array.from({ length: count }, () => settled(call)("x")));
    await clock.advance("1s");
    return ended;
  };
  return { clock, seen, spare, world, ask, call, times };
}

describe("a budget", () => {
  it("begins with ten seconds of its minimum, and every call brings its share", async () => {
    const { spare, times } = setup();
    expect(spare).toMatchObject({ kind: "budget", left: 10 });
    await times(10);
    expect(spare.left).toBe(11);
  });

  it("that is drained fills again with successes, without restart", async () => {
    const { spare, times, world } = setup({ share: 0.5, perSecond: 0 });
    await times(1, down);
    expect([spare.left, world.attempts]).toEqual([0.5, 1]);
    await times(3);
    expect(spare.left).toBe(2);
    await times(1, down);
    expect([spare.left, world.attempts]).toEqual([0.5, 1 + 3 + 3]);
  });

  it("does not shrink because the originals are failing into back-off: six failing together get the configured share", async () => {
    const { ask, clock, spare, world } = setup({ share: 0.5, perSecond: 0 });
    world.error = down;
    const slow = pipe(ask, retry({ budget: spare, attempts: 2, base: "20s", jitter: "none" }));
    const ended = Promise.all(Array.from({ length: 6 }, () => settled(slow)("x")));
    await clock.advance("60s");
    await ended;
    expect(world.attempts).toBe(6 + 3);
  });

  it("is drained by no rejected input, which is not tried again, nor filled by it", async () => {
    const { ask, spare } = setup();
    const call = protect("x", ask, { input: z.string(), retry: { budget: spare, attempts: 3, base: 0 } });
    const before = spare.left;
    for (let i = 0; i < 5; i++) expect((await settled(call)(5 as never)).story.state).toBe("rejected");
    expect(spare.left).toBe(before);
  });

  it("lets a quiet caller's first retry through by its minimum", async () => {
    for (const options of [{}, { share: 0 }, { share: 0, perSecond: 0.01 }] as const) {
      const { clock, times, world } = setup(options);
      await clock.advance("1h");
      await times(1, down);
      expect(world.attempts).toBeGreaterThanOrEqual(2);
    }
  });

  it("gives a minimum each second, and saves up no more than ten seconds of it", async () => {
    const { clock, spare, times, world } = setup({ share: 0, perSecond: 2 });
    await times(100, down);
    expect(world.attempts).toBe(100 + 20);
    expect(spare.left).toBe(2);
    await clock.advance("1h");
    expect(spare.left).toBe(20);
  });

  it("that is exhausted means the original error now, without waiting, and an event", async () => {
    const { call, clock, seen, world } = setup({ share: 0, perSecond: 0 });
    world.error = down;
    const before = clock.monotonic();
    await expect(call("x")).rejects.toBe(down);
    expect([clock.monotonic() - before, world.attempts, clock.sleepers]).toEqual([0, 1, 0]);
    expect(seen.of("budget.spent")).toMatchObject([{ left: 0, name: "ask", severity: "warning" }]);
    expect([seen.of("retry.scheduled"), seen.of("retry.exhausted")]).toEqual([[], []]);
  });

  it("tells that it is spent once an episode, however many hear no", async () => {
    const { clock, seen, times } = setup({ share: 0.1, perSecond: 0 });
    for (let second = 0; second < 30; second++) await times(50, down);
    expect(seen.of("budget.spent")).toHaveLength(1);
    await clock.advance("11s");
    await times(1, down);
    expect(seen.of("budget.spent")).toHaveLength(2);
  });

  it("hears signals of overload even where retry is off: they bring no share", async () => {
    const { ask, clock, spare, times, world } = setup({ share: 0.5, perSecond: 0 });
    await times(4, busy);
    expect([world.attempts, spare.left]).toEqual([4, 0]);
    for (const retry of [false, { attempts: 1 }] as const) {
      const call = protect("ask", ask, { budget: spare, retry });
      world.error = busy;
      for (let i = 0; i < 4; i++) await settled(call)("x");
      expect(spare.left).toBe(0);
      world.error = down;
      for (let i = 0; i < 4; i++) await settled(call)("x");
      expect(spare.left).toBe(2);
      await clock.advance("11s");
    }
  });

  it("forgets within ten seconds what calls brought: a quiet day saves up nothing for a bad minute", async () => {
    const { clock, spare, times } = setup({ share: 1, perSecond: 0 });
    await times(100);
    expect(spare.left).toBe(100);
    await clock.advance("9s");
    await times(10);
    expect(spare.left).toBe(10);
    await clock.advance("11s");
    expect(spare.left).toBe(0);
  });

  it("takes what is oldest first", async () => {
    const { clock, spare, times, world } = setup({ share: 1, perSecond: 0 });
    await times(2);
    await clock.advance("5s");
    await times(2, down); // four rounds more
    expect([spare.left, world.attempts]).toEqual([0, 2 + 2 + 4]);
    await times(5);
    await clock.advance("5s");
    await times(1, down);
    expect(spare.left).toBe(4);
    await clock.advance("5s"); // of the five, two are taken, and the rest is forgotten
    expect(spare.left).toBe(1);
  });

  it("gets nothing of what was not called: rejected input, refusals of ours", async () => {
    const { ask, spare } = setup({ share: 1, perSecond: 0 });
    const places = bulkhead(1);
    places.acquire();
    const calls = [
      protect("ask", ask, { budget: spare, retry: {}, guard: { checks: [() => "no"] } }),
      protect("ask", ask, { budget: spare, retry: {}, bulkhead: places }),
      pipe(ask, places, retry({ budget: spare })),
    ];
    for (const call of calls) expect([(await settled(call)("x")).ok, spare.left]).toEqual([false, 0]);
  });

  it("is as new after reset()", async () => {
    const { spare, times } = setup({ share: 0.5, perSecond: 1 });
    await times(50, down);
    reset();
    expect(spare.left).toBe(10);
  });

  it("serves retries of several calls", async () => {
    const { ask, clock, spare, times, world } = setup({ share: 1, perSecond: 0 });
    await times(3);
    const other = pipe(ask, retry({ budget: spare, attempts: 9, base: 1 }));
    world.error = down;
    const ended = settled(other)("x");
    await clock.advance("1s");
    await ended;
    expect([spare.left, world.attempts]).toEqual([0, 3 + 1 + 4]);
  });

  it("takes nothing for waits on refusals of our own", async () => {
    const { clock, seen } = common();
    const spare = budget({ share: 0, perSecond: 0 });
    const call = protect("ask", async () => 1, {
      budget: spare,
      retry: {},
      breaker: { consecutiveFailures: 1, breakTime: 500 },
    });
    const failing = protect("ask", script({ error: down }, { value: 1 }), {
      budget: spare,
      retry: { patience: "1s" },
      breaker: { consecutiveFailures: 1, breakTime: 500 },
    });
    await settled(failing)(undefined);
    const ended = settled(failing)(undefined);
    await clock.advance("1s");
    expect((await ended).ok).toBe(true);
    expect(seen.of("retry.scheduled")).toMatchObject([{ kind: "notAdmitted" }]);
    expect(await call()).toBe(1);
  });
});

describe("the budget of a declaration", () => {
  it("is what its retry spends from, shown by explain and made of options", async () => {
    const { ask, world } = setup();
    const call = protect("ask", ask, { budget: { share: 0.5, perSecond: 0 }, retry: { base: 0 } });
    expect(explain(call).map(({ kind }) => kind)).toEqual(["retry", "budget"]);
    expect(explain(call)[1]).toMatchObject({ options: { share: 0.5, perSecond: 0 }, state: { left: 0 } });
    world.error = down;
    await settled(call)("x");
    await settled(call)("x");
    expect([world.attempts, explain(call)[1]?.state]).toEqual([3, { left: 0 }]);
  });

  it("belongs to a policy: its calls share it, a call may only switch it off", async () => {
    const { ask, clock, world } = setup();
    const policy = protect.with("svc", { budget: { share: 0, perSecond: 0.1 }, retry: { attempts: 2, base: 0 } });
    const [a, b] = [policy("a", ask), policy("b", ask)];
    const off = policy("c", ask, { budget: false });
    world.error = down;
    await settled(a)("x");
    await settled(b)("x");
    await policy.run(() => ask("x")).catch(() => {});
    expect(world.attempts).toBe(2 + 1 + 1);
    await settled(off)("x");
    expect(world.attempts).toBe(4 + 2);
    expect(() => policy("d", ask, { budget: {} })).toThrow('belongs to the policy "svc"');
    expect(clock.sleepers).toBe(0);
  });

  it("counts each call once, also where its retry has the same one", async () => {
    const { ask } = setup();
    const spare = budget({ share: 1, perSecond: 0 });
    for (const call of [
      protect("ask", ask, { budget: spare, retry: { budget: spare } }),
      pipe(ask, retry({ budget: spare }), retry({ budget: spare })),
    ]) {
      const before = spare.left;
      await call("x");
      expect(spare.left - before).toBe(1);
    }
  });

  it("is given way to by a retry's own", async () => {
    const { ask, world } = setup();
    const own = budget({ share: 0, perSecond: 0.1 });
    const call = protect("ask", ask, { budget: { share: 0, perSecond: 0 }, retry: { budget: own, base: 0 } });
    world.error = down;
    await settled(call)("x");
    expect([world.attempts, own.left]).toEqual([2, 0]);
  });
});

describe("a budget that is changed", () => {
  it("keeps what is left, and reads back changed; its undo brings the settings back", async () => {
    const { ask, clock, world } = setup();
    const policy = protect.with("svc", { budget: { share: 0.5, perSecond: 1 }, retry: { attempts: 9, base: 0 } });
    const call = policy("a", ask);
    world.error = down;
    await settled(call)("x");
    const left = () =>
      (explain(policy).find(({ kind }) => kind === "budget") as { state: { left: number } }).state.left;
    expect(left()).toBe(10.5 - 8);
    const undo = configure(policy, { budget: { perSecond: 0.1 } });
    expect(left()).toBe(1);
    expect(explain(call)[1]?.options).toEqual({ share: 0.5, perSecond: 0.1 });
    undo();
    expect(left()).toBe(1);
    await clock.advance("2s");
    expect(left()).toBe(3);
    expect(() => configure(call, { budget: { share: 1 } })).toThrow('belongs to the policy "svc"');
    expect(() => configure(policy, { budget: { share: 2 } })).toThrow("budget.share");
    expect(() => configure(policy, { budget: budget() })).toThrow("a layer stays");
  });

  it("can be given to a retry, exchanged and taken away while it runs", async () => {
    const { ask, world } = setup();
    const call = protect("ask", ask, { retry: { attempts: 2, base: 0 } });
    const none = budget({ share: 0, perSecond: 0 });
    const undo = configure(call, { retry: { budget: none } });
    world.error = down;
    await settled(call)("x");
    expect(world.attempts).toBe(1);
    const rich = budget({ share: 1, perSecond: 0 });
    configure(call, { retry: { budget: rich } });
    world.error = undefined;
    await call("x");
    expect(rich.left).toBe(1);
    undo();
  });
});

describe("options that cannot be meant", () => {
  it.each([
    [{ share: 2 }, "share"],
    [{ share: -1 }, "share"],
    [{ perSecond: -1 }, "perSecond"],
    [{ perSecond: Number.NaN }, "perSecond"],
    [{ shares: 1 }, "shares"],
  ])("throw when it is made, with their path: %j", (options, path) => {
    expect(() => budget(options as never)).toThrow(path);
    expect(() => protect("x", async () => 1, { budget: options as never })).toThrow(path);
  });

  it("are also what is no budget", () => {
    const alike = [
      { fund() {}, take: () => true },
      { kind: "budget", left: 3, fund() {} },
      { kind: "budget", left: 3, take: () => true },
    ];
    for (const given of [{}, 1, null, () => 1, ...alike])
      expect(() => retry({ budget: given as never })).toThrow("a budget, as");
    using _ = put({});
  });
});
