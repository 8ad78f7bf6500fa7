import { describe, expect, it } from "vitest";
import { z } from "zod";
import { validatorOf } from "../../src/core/validate.ts";

/** Counts what is asked of it. */
function setup() {
  let asked = 0;
  return {
    ask<T>(answer: T): T {
      asked++;
      return answer;
    },
    get asked() {
      return asked;
    },
  };
}

describe("a schema", () => {
  it.each([
    ["a refinement", (ask: <T>(answer: T) => T) => z.string().refine(async () => ask(true))],
    [
      "a transform before an async one",
      (ask) =>
        z
          .string()
          .transform(ask)
          .refine(async () => true),
    ],
    [
      "one deep inside",
      (ask) =>
        z.record(
          z.string(),
          z.array(
            z.union([
              z.number(),
              z
                .string()
                .transform(ask)
                .refine(async () => true),
            ]),
          ),
        ),
    ],
    [
      "one behind a getter",
      (ask) => {
        const Node = z.object({
          get name() {
            return z
              .string()
              .transform(ask)
              .refine(async () => true);
          },
        });
        return Node;
      },
    ],
    [
      "one behind lazy",
      (ask) =>
        z.lazy(() =>
          z
            .string()
            .transform(ask)
            .refine(async () => true),
        ),
    ],
    [
      "a codec",
      (ask) => z.codec(z.string(), z.string(), { decode: async (text) => ask(text), encode: (text) => text }),
    ],
    ["superRefine", (ask) => z.string().superRefine(async () => void ask(true))],
  ] as [string, (ask: <T>(answer: T) => T) => z.ZodType][])(
    "runs %s once, though something in it is asynchronous",
    async (_, make) => {
      const counted = setup();
      const schema = make(counted.ask);
      const given = schema instanceof z.ZodRecord ? { a: ["x"] } : schema instanceof z.ZodObject ? { name: "x" } : "x";
      expect(await validatorOf(schema)(given)).toEqual({ value: given });
      expect(counted.asked).toBe(1);
    },
  );

  it("of which a rare branch is asynchronous still gives the right answer, once it has gone the fast way", async () => {
    const schema = z.string().refine((text) => (text === "rare" ? Promise.resolve(false) : true), { error: "no" });
    const validate = validatorOf(schema);
    expect([validate("a"), validate("b")]).toEqual([{ value: "a" }, { value: "b" }]);
    for (let i = 0; i < 2; i++) expect(await validate("rare")).toMatchObject({ issues: [{ message: "no" }] });
    expect(validate("c")).toEqual({ value: "c" });
  });

  it("that was asynchronous at first runs its functions once each time, whatever comes later", async () => {
    const counted = setup();
    const schema = z.string().refine((text) => counted.ask(text === "rare" ? Promise.resolve(true) : true));
    const validate = validatorOf(schema);
    for (const given of ["rare", "a", "rare"]) expect(await validate(given)).toEqual({ value: given });
    expect(counted.asked).toBe(3);
  });

  it("of which nobody knows yet whether it is asynchronous still runs once: what is refused before says nothing of it", async () => {
    const counted = setup();
    const validate = validatorOf(z.string().refine((text) => Promise.resolve(counted.ask(text !== "no"))));
    expect(validate(5)).toMatchObject({ issues: [{ path: [] }] });
    expect(await validate("x")).toEqual({ value: "x" });
    expect(counted.asked).toBe(1);
  });

  it("that has gone the fast way runs a function that throws once, and says what it refuses", () => {
    const counted = setup();
    const schema = z.string({ error: "a text" }).transform((text) => {
      if (text === "bad") throw counted.ask(new Error("mine"));
      return text;
    });
    const validate = validatorOf(schema);
    expect(validate("a")).toEqual({ value: "a" });
    expect(() => validate("bad")).toThrow("mine");
    expect(counted.asked).toBe(1);
    expect(validate(5)).toMatchObject({ issues: [{ message: "a text" }] });
  });

  it("that is asynchronous nowhere answers without a promise, also where it has functions", () => {
    expect(validatorOf(z.string().transform((text) => text.length))("ab")).toEqual({ value: 2 });
    expect(validatorOf(z.object({ a: z.coerce.number() }))({ a: "1" })).toEqual({ value: { a: 1 } });
  });

  it("says the same of what it refuses, whichever way it is asked", async () => {
    const shape = { a: z.number({ error: "a figure" }).max(9), b: z.string() };
    const plain = validatorOf(z.object(shape))({ a: "x", b: 1 });
    const withFunction = validatorOf(z.object(shape).refine(async () => true))({ a: "x", b: 1 });
    expect(withFunction).toEqual(plain);
    expect((await plain).issues).toMatchObject([{ path: ["a"], message: "a figure" }, { path: ["b"] }]);
  });

  it("whose own function throws runs it once, and that error comes out", () => {
    const counted = setup();
    const schema = z.string().transform((): string => {
      throw counted.ask(new Error("mine"));
    });
    expect(() => validatorOf(schema)("x")).toThrow("mine");
    expect(counted.asked).toBe(1);
  });

  it("that refers to itself is looked through once", async () => {
    interface Node {
      next?: Node | undefined;
    }
    const Node: z.ZodType<Node> = z.object({
      get next() {
        return Node.optional();
      },
    });
    expect(await validatorOf(Node)({ next: { next: {} } })).toEqual({ value: { next: { next: {} } } });
  });
});
