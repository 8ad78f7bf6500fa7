import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineWrapper,
  fallback,
  OptionsInvalidError,
  type PromiseStyle,
  pipe,
  protect,
  retry,
  standard,
  stories,
  timeout,
} from "../../src/index.ts";
import { SimulationError, simulate, simulated, testClock } from "../../src/testing/index.ts";

interface Charge {
  readonly cents: number;
}
const input = (n: number): Charge => ({ cents: n });
const service = () =>
  simulated(({ cents }: Charge) => ({ paid: cents }), { name: "stripe", lie: () => ({ paid: "much" }) as never });

/** A wrapper of a user's own. */
function own(layer: (operation: (input: unknown, context: never) => Promise<unknown>) => unknown) {
  return defineWrapper("own", z.object({}), {}, () => ({ around: layer as unknown as PromiseStyle }));
}

/** Retries what it is laid round, whatever that is. */
const careless = own(
  (operation) => (input: never, context: never) => operation(input, context).catch(() => operation(input, context)),
);

describe("simulate", { timeout: 60_000 }, () => {
  it("plays thousands of calls through everything that may happen to them, without waiting", async () => {
    const charge = protect("charge", service(), { ...standard, idempotent: false });
    const { calls, runs, steps, states, seed } = await simulate(charge, { calls: 2_000, seed: 7, input });
    expect({ calls, seed }).toEqual({ calls: 2_000, seed: 7 });
    expect(Object.values(states).reduce((sum, n) => sum + n, 0)).toBe(2_000);
    for (const state of ["succeeded", "failed", "timedOut", "cancelled", "notAdmitted"])
      expect(states[state]).toBeGreaterThan(20);
    expect(runs).toBeGreaterThan(1_000);
    expect(steps).toBeGreaterThan(2_000);
  });

  it("goes the same way for the same seed, step by step, and another way for another one", async () => {
    const charge = protect("charge", service(), standard);
    const traced = async (seed: number) => (await simulate(charge, { calls: 300, seed, input })).trace;
    const first = await traced(1);
    expect(await traced(1)).toBe(first);
    expect(await traced(2)).not.toBe(first);
  });

  it("finds what must not happen twice and does: with the seed, and the shortest script that shows it", async () => {
    const charge = protect("charge", careless(service() as never) as never, { timeout: "1s", idempotent: false });
    const error = await simulate(charge, { calls: 1_000, seed: 3, input: input as never }).catch((error) => error);
    expect(error).toBeInstanceOf(SimulationError);
    const { message, replay, seed, violations } = error as SimulationError;
    expect(seed).toBe(3);
    expect(violations[0]).toMatchObject({ rule: "only once" });
    expect(message).toContain('"charge" was simulated with seed 3');
    expect(message).toContain("never called again once it may have been received");
    expect(message).toContain(`await simulate(call, { seed: ${replay.seed}, script: [`);
    expect(replay.script).toHaveLength(1);
    expect(replay.script[0]).toMatchObject({ at: 0, meets: [expect.anything()] });
  });

  it("plays the script again that it was given: what was found becomes a test", async () => {
    const call = (careful: boolean) =>
      protect("charge", (careful ? service() : careless(service() as never)) as never, {
        timeout: "1s",
        idempotent: false,
      });
    const script = [{ at: 0, meets: [{ gives: "500" }] }] as const;
    await expect(simulate(call(false), { input: input as never, script })).rejects.toThrow("only once");
    await expect(simulate(call(true), { input: input as never, script })).resolves.toMatchObject({
      calls: 1,
      runs: 1,
      states: { failed: 1 },
    });
  });

  it("finds what is delivered and may not be, by one's own view of it", async () => {
    const sound = ({ paid }: { paid: number }, { cents }: Charge) => paid === cents;
    const unchecked = protect("charge", service(), { retry: {} });
    await expect(simulate(unchecked, { input, sound })).rejects.toThrow("may not be delivered");
    const checked = protect("charge", service(), { retry: {}, output: z.object({ paid: z.number() }) });
    await simulate(checked, { input, sound: sound as never });
  });

  it("finds a caller who gets another one's answer", async () => {
    const keeping = own((operation) => {
      let kept: Promise<unknown> | undefined;
      return (input: never, context: never) => {
        kept ??= operation(input, context).catch((error) => {
          kept = undefined;
          throw error;
        });
        return kept;
      };
    });
    const anew = () => protect("charge", keeping(service() as never) as never) as never;
    await expect(simulate(anew(), { input: input as never, anew })).rejects.toThrow(
      /what was given for call 0\n.*script/s,
    );
    // made once, it keeps what it had in the script before
    await expect(simulate(anew(), { input: input as never })).rejects.toThrow("Make it anew for each script");
  });

  it("also plays services in the place of fetch, and calls inside calls", async () => {
    const get = simulated((url: string) => ({ url }), { name: "http" });
    const inner = protect("inner", async (id: string, { signal }) => get(`/users/${id}`, { signal } as never), {
      timeout: "1s",
    });
    const user = protect("user", async (id: string, context) => inner(id, context), { retry: {}, deadline: "5s" });
    const { states } = await simulate(user, { calls: 500, input: (n) => `${n}` });
    expect(states.succeeded).toBeGreaterThan(50);
  });

  it("finds an operation that passes no signal on: what it began goes on when the call is over", async () => {
    const stripe = service();
    const careless = protect("charge", (cents: never) => stripe(cents, {} as never), { timeout: "1s" });
    await expect(simulate(careless, { calls: 500, input: input as never })).rejects.toThrow("it was given no signal");
  });

  it("plays tiers, too", async () => {
    const second = simulated((id: string) => ({ id, from: "second" }), { name: "second" });
    const user = pipe(
      simulated((id: string) => ({ id, from: "first" }), { name: "first" }),
      timeout("2s"),
      retry({ attempts: 2 }),
      fallback([second]),
    );
    const { states } = await simulate(user, { calls: 500, input: (n) => `${n}` });
    expect(states.degraded).toBeGreaterThan(20);
  });

  it("leaves nothing behind: the clock, the bus and the services are what they were", async () => {
    const stripe = service();
    await simulate(protect("charge", stripe, { retry: {} }), { calls: 100, input });
    expect(stories.recent()).toEqual([]);
    expect(await stripe({ cents: 3 }, undefined as never)).toEqual({ paid: 3 });
    await expect(protect("later", async () => 42, { timeout: "1s" })()).resolves.toBe(42);
  });

  it("refuses options that cannot be meant, a call with a clock of its own, and a second one at the same time", async () => {
    const call = protect("charge", service());
    await expect(simulate(call, { call: 3 } as never)).rejects.toThrow("call: no such key");
    await expect(simulate(call, { calls: 0 })).rejects.toThrow("calls");
    const timed = protect("charge", service(), { seams: { clock: testClock() } });
    await expect(simulate(timed)).rejects.toThrow("without clock and events of its own");
    const first = simulate(call, { calls: 10, input });
    await expect(simulate(call, { calls: 10, input })).rejects.toThrow("A simulation is being played");
    await first;
  });

  it.each([
    [[], "script: wanted at least one caller"],
    ["[]", "script: wanted a list, got []"],
    [[3], /script\.0: wanted \{ at, to\?, deadline\?, .*meets \}, got 3/],
    [[{ at: -1, meets: [] }], "script.0.at: wanted milliseconds, a number of at least 0, got -1"],
    [[{ at: "1s", meets: [] }], "script.0.at: wanted milliseconds, a number of at least 0, got 1s"],
    [[{ at: 0 }], "script.0.meets: wanted a list"],
    [[{ at: 0, meets: [{ gives: "502" }] }], /script\.0\.meets\.0\.gives: wanted .*"value" or "lie" or .*, got 502/],
    [[{ at: 0, meets: [{ gives: "value", after: Number.NaN }] }], "script.0.meets.0.after"],
    [[{ at: 0, meets: [{ gives: "value", afterMs: 3 }] }], "script.0.meets.0.afterMs: no such key"],
    [[{ at: 0, to: 1, meets: [] }], "script.0.to: wanted 0: there is one call, got 1"],
    [[{ at: 0, abort: "later", meets: [] }], 'script.0.abort: wanted milliseconds, "before", "inside" or "never"'],
    [
      [
        { at: 0, meets: [] },
        { at: 0, when: 3, deadline: -1, meets: [] },
      ],
      /script\.1\.deadline.*script\.1\.when/,
    ],
  ])("refuses a script that cannot be played, every problem with its path: %j", async (script, told) => {
    const played = simulate(protect("charge", service()), { input, script: script as never });
    await expect(played).rejects.toThrow(told);
    await expect(played).rejects.toThrow(OptionsInvalidError);
  });

  it("says of a call that waits for real time what it probably does, and what to do", async () => {
    const stripe = service();
    const slow = protect("slow", async (charge: Charge, context) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return stripe(charge, context);
    });
    const error: unknown = await simulate(slow, { calls: 3, input }).catch((error) => error);
    expect(error).toBeInstanceOf(SimulationError);
    expect((error as SimulationError).message).toMatch(
      /nothing left that could settle it\n(.*\n)*Perhaps it waits for real time, .*Let `simulated` stand in the place/,
    );
  });

  it("passes nothing of which nothing was looked at: a bare function, or a call that calls no simulated service", async () => {
    await expect(simulate((async () => 1) as never)).rejects.toThrow("call: wanted a protected call");
    const real = protect("real", async () => 1, { retry: {} });
    await expect(simulate(real, { calls: 100 })).rejects.toThrow("none of its runs was seen");
  });
});

describe("simulated", () => {
  it("is well outside a simulation", async () => {
    expect(await protect("charge", service())({ cents: 3 })).toEqual({ paid: 3 });
  });

  it("rejects where what it stands for throws", async () => {
    const broken = simulated((): string => {
      throw new Error("broken");
    });
    await expect(broken(undefined, undefined as never)).rejects.toThrow("broken");
  });
});
