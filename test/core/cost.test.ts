import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addCost, spellCost, spellMoney } from "../../src/core/cost.ts";
import type { Cost } from "../../src/core/operation.ts";

const amount = fc.option(fc.nat(), { nil: undefined });
const cost: fc.Arbitrary<Cost> = fc.record({
  inputTokens: amount,
  outputTokens: amount,
  money: amount,
  model: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  estimated: fc.option(fc.boolean(), { nil: undefined }),
});

describe("what calls use", () => {
  it("adds up, amount by amount", () => {
    expect(addCost({ inputTokens: 10, money: 0.5 }, { inputTokens: 5, outputTokens: 3 })).toEqual({
      ...{ inputTokens: 15, outputTokens: 3, money: 0.5 },
    });
  });

  it("is unknown where nobody told it: a told 0 is one, nothing told is none", () => {
    expect(addCost({}, { inputTokens: 0 })).toEqual({ inputTokens: 0 });
    expect(addCost({}, { money: undefined })).toEqual({});
  });

  it("names the last model that was named", () => {
    expect(addCost({ model: "a" }, { model: "b" }).model).toBe("b");
    expect(addCost({ model: "a" }, { outputTokens: 1 }).model).toBe("a");
  });

  it("is an estimate when a part of it is one", () => {
    expect(addCost({ estimated: true }, { money: 1, estimated: false }).estimated).toBe(true);
    expect(addCost({ money: 1 }, { estimated: true }).estimated).toBe(true);
    expect(addCost({ money: 1 }, { estimated: false }).estimated).toBeUndefined();
  });

  it("changes neither part, and comes to the same in whatever order amounts are told", () => {
    fc.assert(
      fc.property(fc.array(cost, { maxLength: 6 }), (parts) => {
        for (const part of parts) Object.freeze(part);
        const sum = (of: readonly Cost[]) => of.reduce<Cost>((total, part) => addCost(Object.freeze(total), part), {});
        const { model: _, ...there } = sum(parts);
        const { model: __, ...back } = sum(parts.toReversed());
        expect(back).toEqual(there);
        expect(there.inputTokens ?? 0).toBe(parts.reduce((n, part) => n + (part.inputTokens ?? 0), 0));
      }),
    );
  });
});

describe("what calls use, as a person reads it", () => {
  it.each<[Cost, string | undefined]>([
    [{}, undefined],
    [{ model: "a", estimated: true }, undefined],
    [{ inputTokens: 0 }, "0 input tokens"],
    [{ inputTokens: 3, outputTokens: 4, money: 0.1 + 0.2 }, "3 input tokens, 4 output tokens, 0.3 in money"],
    [{ outputTokens: 4, model: "a" }, "4 output tokens (a)"],
    [{ money: 2, estimated: true }, "at least 2 in money"],
    [{ money: 2, unpriced: ["b", "c"] }, "at least 2 in money; without a price: b, c"],
    [{ unpriced: ["b"] }, "an amount that is not known; without a price: b"],
    [{ unpriced: ["b"], estimated: true, model: "b" }, "an amount that is not known (b); without a price: b"],
    [
      { inputTokens: 3, money: 2, unpriced: ["b"], estimated: true },
      "at least 3 input tokens, 2 in money; without a price: b",
    ],
  ])("%o", (cost, spelled) => {
    expect(spellCost(cost)).toBe(spelled);
  });

  it("has money only where some is known", () => {
    expect([spellMoney({ inputTokens: 3 }), spellMoney({ money: 0 })]).toEqual([undefined, "0 in money"]);
    expect([spellMoney({ money: 1, estimated: true }), spellMoney({ money: 1, unpriced: [] })]).toEqual(
      Array(2).fill("at least 1 in money"),
    );
  });
});
