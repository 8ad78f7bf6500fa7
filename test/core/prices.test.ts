import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type addCost, OptionsInvalidError, prices, protect, settled } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";

const price = { input: 2, output: 8 };
const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).map((off) => off()));

function set(model: string, given = price): () => void {
  const off = prices.set(model, given);
  undo.push(off);
  return off;
}

/** What a call tells of these tellings. */
async function costOf(...told: Parameters<typeof addCost>[1][]) {
  const call = protect("ask", async (_: undefined, { cost }) => {
    for (const one of told) cost(one);
  });
  return (await settled(call)(undefined)).story.cost;
}

describe("a price", () => {
  it("is per million tokens, those of the input and of the output apart", async () => {
    set("m");
    expect(await costOf({ model: "m", inputTokens: 500_000, outputTokens: 250_000 })).toEqual({
      ...{ model: "m", inputTokens: 500_000, outputTokens: 250_000, money: 3 },
    });
  });

  it("is that of the moment when the cost is told: what was told before keeps its own", async () => {
    set("m", { input: 1, output: 1 });
    const call = protect("ask", async (_: undefined, { cost }) => {
      cost({ model: "m", inputTokens: 1_000_000 });
      set("m", { input: 10, output: 10 });
      cost({ model: "m", inputTokens: 1_000_000 });
    });
    expect((await settled(call)(undefined)).story.cost.money).toBe(11);
  });

  it("holds for what an attempt tells after it has named its model", async () => {
    set("m");
    const told = [{ model: "m", inputTokens: 1_000_000 }, { outputTokens: 1_000_000 }];
    expect(await costOf(...told)).toMatchObject({ money: 10 });
    expect(await costOf(...told.toReversed())).toMatchObject({ money: 2, unpriced: ["unnamed model"] });
  });

  it("of an exact name goes before beginnings, of those the longest; no other name is taken for the same model", () => {
    set("gpt-x", { input: 1, output: 1 });
    set("gpt-x-20*", { input: 2, output: 2 });
    set("gpt-*", { input: 3, output: 3 });
    set("gpt-x-2026-01-01", { input: 4, output: 4 });
    const found = (model: string) => prices.of(model)?.input;
    expect(["gpt-x", "gpt-x-2025-01-01", "gpt-x-mini", "gpt-x-2026-01-01", "gpt-", "claude"].map(found)).toEqual([
      ...[1, 2, 3, 4, 3, undefined],
    ]);
    undo.splice(0).map((off) => off());
    set("gpt-x");
    expect(["gpt-x-2026-01-01", "GPT-x", "openai/gpt-x", "gpt-x ", ""].map(found)).toEqual(Array(5).fill(undefined));
    set("*", { input: 0, output: 0 });
    expect(found("anything")).toBe(0);
  });

  it("can be undone in any order: the last one that is still set holds", () => {
    const first = set("m", { input: 1, output: 1 });
    const second = set("m", { input: 2, output: 2 });
    first();
    expect(prices.of("m")?.input).toBe(2);
    second();
    expect(prices.of("m")).toBeUndefined();
    set("m", { input: 3, output: 3 });
    second();
    first();
    expect(prices.of("m")?.input).toBe(3);
    set("m", { input: 4, output: 4 })();
    expect(prices.of("m")?.input).toBe(3);
  });

  it("is configuration: reset() leaves it in place", () => {
    set("m");
    reset();
    expect(prices.of("m")).toEqual(price);
  });

  it("is a copy: what becomes of the object that was given changes nothing", () => {
    const given = { input: 1, output: 1 };
    set("m", given);
    given.input = 99;
    expect(prices.of("m")).toEqual({ input: 1, output: 1 });
  });

  it.each([
    ["negative", "m", { input: -1, output: 1 }, ["input"]],
    ["NaN", "m", { input: 1, output: Number.NaN }, ["output"]],
    ["without an end", "m", { input: Number.POSITIVE_INFINITY, output: -1 }, ["input", "output"]],
    ["half", "m", { input: 1 }, ["output"]],
    ["a text", "m", { input: "1", output: 1 }, ["input"]],
    ["no object", "m", undefined, ["input", "output"]],
    ["with a typo", "m", { input: 1, output: 1, outptu: 1 }, ["outptu"]],
    ["of nothing", "", { input: 1, output: 1 }, ["model"]],
    ["of no name", undefined, { input: 1, output: 1 }, ["model"]],
    ["of a pattern with a * inside", "a*b", { input: 1, output: 1 }, ["model"]],
  ])("that is %s throws with its path, and nothing is set", (_, model, given, paths) => {
    const failed = (() => {
      try {
        prices.set(model as string, given as typeof price);
      } catch (error) {
        return error;
      }
    })();
    expect(failed).toBeInstanceOf(OptionsInvalidError);
    expect((failed as OptionsInvalidError).issues.map(({ path }) => path).sort()).toEqual(paths);
    expect(prices.of(model as string)).toBeUndefined();
  });
});

describe("a model without a price", () => {
  it("is unpriced, never free: its tokens are counted, and no money is said where none is known", async () => {
    const cost = await costOf({ model: "x", inputTokens: 10, outputTokens: 5 });
    expect(cost).toEqual({ model: "x", inputTokens: 10, outputTokens: 5, unpriced: ["x"] });
    expect(cost).not.toHaveProperty("money");
  });

  it("makes the sum beside priced ones incomplete, which names it once", async () => {
    set("m");
    const [known, other] = [
      { model: "m", inputTokens: 1_000_000 },
      { model: "x", inputTokens: 1_000_000 },
    ];
    expect(await costOf(known, other, known, other, { model: "w", outputTokens: 1 })).toMatchObject({
      ...{ inputTokens: 4_000_000, money: 4, unpriced: ["w", "x"] },
    });
  });

  it("is not missed where nothing was used of it, nor where its money was told", async () => {
    expect(await costOf({ model: "x", inputTokens: 0, outputTokens: 0 })).not.toHaveProperty("unpriced");
    expect(await costOf({ model: "x" })).toEqual({ model: "x" });
    expect(await costOf({ model: "x", inputTokens: 10, money: 0.5 })).not.toHaveProperty("unpriced");
  });

  it("has a name of its own where none was told", async () => {
    expect(await costOf({ inputTokens: 10 })).toMatchObject({ unpriced: ["unnamed model"] });
    expect(await costOf({ inputTokens: 10, model: "" })).toMatchObject({ unpriced: ["unnamed model"] });
  });
});

describe("told money", () => {
  it("stands: a reported 0 stays 0, whatever the price", async () => {
    set("m");
    expect(await costOf({ model: "m", inputTokens: 1_000_000, money: 0 })).toMatchObject({ money: 0 });
    expect(await costOf({ model: "m", inputTokens: 1_000_000, money: 0.25 })).toMatchObject({ money: 0.25 });
  });

  it("that is none is worked out instead, and the sum says that it is an estimate", async () => {
    set("m");
    for (const money of [Number.NaN, -1, Number.POSITIVE_INFINITY, "1" as never])
      expect(await costOf({ model: "m", inputTokens: 1_000_000, money })).toMatchObject({ money: 2, estimated: true });
    expect(await costOf({ model: "m", inputTokens: 1_000_000, money: null as never })).not.toHaveProperty("estimated");
  });

  it("of a sum that is handed on keeps what it says of itself", async () => {
    set("m");
    const sum = { inputTokens: 10, model: "m", unpriced: ["x"] };
    expect(await costOf(sum)).toEqual(sum);
  });
});

describe("figures that are none", () => {
  it("never spoil a sum, whatever is told, and money is at least that of the good ones", async () => {
    set("m");
    const figure = fc.oneof(fc.nat(1_000_000), fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY, undefined));
    const telling = fc.record({
      inputTokens: figure,
      outputTokens: figure,
      model: fc.constantFrom("m", "x", undefined),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(telling, { maxLength: 5 }), async (told) => {
        const { money = 0, inputTokens = 0, outputTokens = 0, estimated } = await costOf(...told);
        for (const sum of [money, inputTokens, outputTokens]) expect(Number.isFinite(sum) && sum >= 0).toBe(true);
        const bad = told.some((one) =>
          [one.inputTokens, one.outputTokens].some((n) => n !== undefined && !(Number.isFinite(n) && n >= 0)),
        );
        expect(estimated ?? false).toBe(bad);
      }),
    );
  });
});
