import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Corrections, guard, InputRejectedError, OptionsInvalidError, protect, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

async function run(schema: z.ZodType, correct: Record<string, Corrections>, input: unknown) {
  setup();
  const operation = script<string>({ value: "ok" });
  const { story, ...ended } = await settled(protect("draft", operation, { input: schema, guard: { correct } }))(input);
  return {
    got: operation.calls[0]?.input,
    corrections: story.corrections.map(({ path, rule }) => `${path} ${rule}`),
    issues: !ended.ok && ended.error instanceof InputRejectedError ? ended.error.issues : undefined,
  };
}

describe("the path of a correction", () => {
  it("with `*` is every key of a record, as it is every item of a list", async () => {
    const Prices = z.record(z.string(), z.number().max(9));
    expect((await run(Prices, { "*": "clamp" }, { a: 12, "b.c": 30, d: 1 })).got).toEqual({ a: 9, "b.c": 9, d: 1 });
    const Deep = z.object({ of: z.record(z.string(), z.array(z.object({ n: z.number().max(9) }))) });
    const { got, corrections } = await run(Deep, { "of.*.*.n": "clamp" }, { of: { a: [{ n: 1 }, { n: 10 }] } });
    expect([got, corrections]).toEqual([{ of: { a: [{ n: 1 }, { n: 9 }] } }, ["of.a.1.n clamp"]]);
  });

  it("that says more goes before one with `*`", async () => {
    const Two = z.object({ a: z.object({ n: z.number().max(9) }), b: z.object({ n: z.number().max(9) }) });
    const correct = { "*.*": () => 1, "*.n": () => 2, "b.n": () => 3 };
    expect((await run(Two, correct, { a: { n: 10 }, b: { n: 10 } })).got).toEqual({ a: { n: 2 }, b: { n: 3 } });
  });

  it("that a zod schema cannot have is refused when the guard is made", () => {
    const Brief = z.object({ words: z.number(), lines: z.array(z.object({ qty: z.number() })) });
    for (const path of ["nope", "words.x", "lines.*.price", "lines.first.qty"]) {
      const make = () => guard(Brief, { correct: { [path]: "clamp" } });
      expect(make).toThrow(OptionsInvalidError);
      expect(make).toThrow(`correct.${path}: wanted a path that the schema knows`);
    }
    expect(() => guard(Brief.loose(), { correct: { nope: "clamp" } })).not.toThrow();
    const Shaped = Brief.transform(({ words }) => ({ total: words }));
    expect(() => guard(Shaped, { correct: { total: "clamp" } }), "of what a transform makes").not.toThrow();
  });
});

describe("several rules for a path", () => {
  const Order = z.object({ words: z.int().max(9_000), lines: z.array(z.int().max(9)).default([]) });

  it("are taken in their order, a round each", async () => {
    const { got, corrections } = await run(Order, { words: ["coerce", "clamp"] }, { words: "12000" });
    expect(got).toEqual({ words: 9_000, lines: [] });
    expect(corrections).toEqual(["words coerce", "words clamp"]);
  });

  it("are each had by every item, however far the others are", async () => {
    const { got } = await run(Order, { "lines.*": ["coerce", "clamp"] }, { words: 1, lines: ["12", 30, "4", 5] });
    expect(got).toEqual({ words: 1, lines: [9, 9, 4, 5] });
  });

  it("have an end: what the last one leaves wrong is refused", async () => {
    const { issues, corrections } = await run(Order, { words: [() => 10_000, () => 9_500] }, { words: 20_000 });
    expect(issues).toMatchObject([{ path: "words", got: 20_000, fix: "at most 9000" }]);
    expect(corrections).toEqual(["words function", "words function"]);
  });

  it.each([[[]], [["coerce", "cut"]]])("that cannot be meant are refused: %o", (words) => {
    expect(() => guard(Order, { correct: { words: words as never } })).toThrow(/correct\.words.*wanted/);
  });
});
