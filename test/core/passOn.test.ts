// What a call tells of its answer: whether it only hands on what a cache gave, and how old that is.
import { describe, expect, it } from "vitest";
import { type CallContext, cache, pipe, protect, settled } from "../../src/index.ts";
import { setup } from "../composition/setup.ts";

/** A call round one that a cache answers with this. */
async function handing(value: unknown, give: (known: unknown, input: string) => unknown = (known) => known) {
  const { seen, ...rest } = setup();
  const inner = protect("inner", async (_: string) => value, { cache: { ttl: "1h" } });
  await inner("a");
  const outer = protect("outer", async (input: string, context) => give(await inner(input, context), input));
  return { ...rest, seen, inner, outer, told: () => seen.of("call.settled").at(-1) };
}

describe("a call whose operation asked a cache", () => {
  it.each([[{ said: 1 }], [["a"]], ["text"], [7]])("says so of %o, which it hands on as it was", async (value) => {
    const { outer, told } = await handing(value);
    await outer("a");
    expect(told()).toMatchObject({ name: "outer", cached: true });
  });

  it.each([[true], [false], [null], [undefined]])(
    "does not of %o: an operation may well have come to that itself",
    async (value) => {
      const { outer, told } = await handing(value);
      await outer("a");
      expect(told()).toMatchObject({ name: "outer", state: "succeeded" });
      expect(told()).not.toHaveProperty("cached");
    },
  );

  it("does of each of those where the cached call is its operation", async () => {
    for (const value of [true, null, { said: 1 }]) {
      const { inner, told } = await handing(value);
      await protect("direct", inner)("a");
      expect(told()).toMatchObject({ name: "direct", cached: true });
    }
  });

  it("does not where it gives something else, or another call made in it was asked for what it gave", async () => {
    const { outer, told } = await handing({ said: 1 }, (known) => ({ ...(known as object) }));
    await outer("a");
    expect(told()).not.toHaveProperty("cached");

    const known = { said: 1 };
    const { inner, told: again } = await handing(known);
    const fresh = protect("fresh", async () => known);
    await protect("outer", async (input: string, context) => {
      await fresh(undefined, context);
      return inner(input, context);
    })("a");
    expect(again()).toMatchObject({ name: "outer" });
    expect(again()).not.toHaveProperty("cached");
  });

  it("is believed by the call around it in turn", async () => {
    const { outer, told } = await handing({ said: 1 });
    await protect("outermost", async (input: string, context) => outer(input, context))("a");
    expect(told()).toMatchObject({ name: "outermost", cached: true });
  });

  it("does not when its own later tier gave it", async () => {
    const { inner, told } = await handing({ said: 1 });
    const tiers = protect("tiers", async (_: string): Promise<unknown> => Promise.reject(new Error("down")), {
      fallback: [{ name: "copy", operation: async () => ({ said: 2 }) }],
    });
    await protect("outer", async (input: string, context) => {
      await inner(input, context);
      return tiers(input, context);
    })("a");
    expect(told()).not.toHaveProperty("cached");
  });
});

describe("a call that rests on something stale", () => {
  /** Calls that fail from now on, and whose caches hold what they gave so long ago. */
  async function stale(...agesMs: readonly number[]) {
    const around = setup();
    let down = false;
    const calls = agesMs.map((_, i) =>
      protect(
        `part${i}`,
        async (_: string) => {
          if (down) throw Object.assign(new Error("down"), { status: 503 });
          return { part: i };
        },
        { cache: { ttl: 1, staleOnError: "1h" } },
      ),
    );
    const oldestFirst = agesMs.map((ageMs, i) => ({ ageMs, i })).sort((a, b) => b.ageMs - a.ageMs);
    let left = oldestFirst[0]?.ageMs ?? 0;
    for (const { ageMs, i } of oldestFirst) {
      await around.clock.advance(left - ageMs);
      left = ageMs;
      await calls[i]?.("a");
    }
    await around.clock.advance(left);
    down = true;
    const ask = async (_: string, context: CallContext) => {
      const parts: unknown[] = [];
      for (const call of calls) parts.push(await call("a", context));
      return parts;
    };
    return { ...around, ask };
  }

  it("is degraded by the oldest of it, whichever it asked first", async () => {
    for (const ages of [
      [5_000, 2_000],
      [2_000, 5_000],
    ]) {
      const { ask } = await stale(...ages);
      const { story } = await settled(protect("outer", ask))("a");
      expect(story).toMatchObject({ state: "degraded", degraded: { reason: "stale", ageMs: 5_000 } });
    }
  });

  it("however many calls stand between", async () => {
    const { ask } = await stale(3_000);
    const between = protect("between", ask);
    const { story } = await settled(protect("outer", (input: string, context) => between(input, context)))("a");
    expect(story).toMatchObject({ state: "degraded", degraded: { reason: "stale", ageMs: 3_000 } });
  });

  it("is not, where a try that rested on it failed and the next did not", async () => {
    const { ask } = await stale(3_000);
    const answer = async (input: string, context: CallContext) => {
      if (context.attempt > 1) return [];
      await ask(input, context);
      throw new Error("no use");
    };
    const { story } = await settled(protect("outer", answer, { retry: { attempts: 2, base: 0, when: () => true } }))(
      "a",
    );
    expect(story).toMatchObject({ state: "succeeded", attempts: 2 });
  });

  it("is kept by no cache around it", async () => {
    const { ask } = await stale(3_000);
    let asked = 0;
    const outer = pipe(
      async (input: string, context: CallContext) => {
        asked++;
        return ask(input, context);
      },
      cache({ ttl: "1h" }),
    );
    await outer("a");
    await outer("a");
    expect(asked).toBe(2);
  });
});
