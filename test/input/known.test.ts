import { describe, expect, it } from "vitest";
import { z } from "zod";
import { stepsOf } from "../../src/core/paths.ts";
import { mayHave } from "../../src/input/known.ts";

const A = z.object({ a: z.string() });
const tree: z.ZodType = z.lazy(() => z.object({ value: z.string(), next: tree.optional() }));
const endless: z.ZodType = z.lazy(() => endless);

describe("what a zod schema can have at a path", () => {
  it.each<[string, z.ZodType, there: string[], nowhere: string[]]>([
    ["an object: its keys, any by `*`", z.object({ one: A, two: z.string() }), ["one", "*", "*.a"], ["three", "*.b"]],
    ["a key with dots of its own", z.object({ "x.y": A }), ["x.y", "x.y.a"], ["x", "x.y.b"]],
    ["what an object inherits is no key of its schema", A, ["a"], ["constructor", "toString"]],
    ["a strict object: nothing else", A.strict(), ["a"], ["b"]],
    ["a loose one: anything else", A.loose(), ["a", "b", "b.c", "a.x"], []],
    ["a catchall: anything, for its keys may have dots", z.object({}).catchall(A), ["b", "b.a", "b.c", "x.y.a"], []],
    ["a catchall that takes nothing", z.object({ a: A }).catchall(z.never()), ["a.a"], ["b", "a.b"]],
    ["a list: items by number or `*`", z.array(A), ["0", "10.a", "*.a"], ["first", "1st", "x1", "0.b"]],
    ["a tuple: so many items", z.tuple([A, z.string()]), ["0.a", "1", "*", "*.a"], ["2", "1.a", "*.b", "x"]],
    ["a tuple with a rest", z.tuple([z.string()], A), ["0", "1.a", "7.a", "*.a"], ["0.a", "1.b", "*.b"]],
    ["a tuple that may have no item", z.tuple([z.never()]), [], ["0", "*"]],
    ["a record: anything, for its keys may have dots", z.record(z.string(), A), ["k", "k.a", "x.y.a"], []],
    ["a map, likewise", z.map(z.string(), A), ["k.a"], []],
    ["a union: what one of them has", z.union([A, z.object({ b: z.string() })]), ["a", "b"], ["c"]],
    ["both sides", z.intersection(A, z.object({ b: z.string() })), ["a", "b"], ["c"]],
    ["what goes in, and what comes out", z.pipe(A, z.object({ out: z.string() }) as never), ["a", "out"], ["x"]],
    ["one that refers to itself", tree, ["next.next.value"], ["next.other"]],
    ["inside optional, nullable, default", A.nullable().optional().default({ a: "x" }), ["a"], ["b"]],
    ["plain values: nothing inside", z.string(), [""], ["a", "0"]],
    ["what cannot be told", z.any(), ["a.b.c"], []],
  ])("%s", (_, schema, there, nowhere) => {
    expect(there.filter((path) => !mayHave(schema, stepsOf(path)))).toEqual([]);
    expect(nowhere.filter((path) => mayHave(schema, stepsOf(path)))).toEqual([]);
  });

  it("may be there where the schema goes on for ever, or is not made yet", () => {
    expect(mayHave(endless, ["a"])).toBe(true);
    const early = z.lazy((): z.ZodType => {
      throw new ReferenceError("not yet");
    });
    expect(mayHave(early, ["a"])).toBe(true);
  });
});
