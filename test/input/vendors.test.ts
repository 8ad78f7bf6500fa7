import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AnySchema } from "../../src/core/schema.ts";
import { type Correction, guard, InputRejectedError, OptionsInvalidError, pipe, protect } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

/** The same, as three vendors say it. */
const vendors: Readonly<Record<string, AnySchema>> = {
  zod: z.object({
    words: z.number().max(9),
    lines: z.array(z.object({ name: z.string() })),
    pin: z.string().max(4).optional(),
  }),
  valibot: v.object({
    words: v.pipe(v.number(), v.maxValue(9)),
    lines: v.array(v.object({ name: v.string() })),
    pin: v.optional(v.pipe(v.string(), v.maxLength(4))),
  }),
  arktype: type({ words: "number <= 9", lines: type({ name: "string" }).array(), "pin?": "string <= 4" }),
};
const names = Object.keys(vendors);

async function refusedBy(schema: AnySchema, input: unknown, secret: readonly string[] = []) {
  const { seen } = setup();
  const error = await pipe(script<string>(), guard(schema, { secret }))(input).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputRejectedError);
  return { error: error as InputRejectedError, seen };
}

describe.each(names)("a schema of %s", (name) => {
  const schema = vendors[name] as AnySchema;

  it("gives the operation what it makes of the input", async () => {
    setup();
    const operation = script<string>({ value: "ok" });
    await pipe(operation, guard(schema))({ words: 3, lines: [{ name: "a" }] });
    expect(operation.calls[0]?.input).toEqual({ words: 3, lines: [{ name: "a" }] });
  });

  it("has its findings told with path, what was got and its own message", async () => {
    const { error } = await refusedBy(schema, { words: 12, lines: [{ name: "a" }, { name: 3 }] });
    expect(new Map(error.issues.map(({ path, got }) => [path, got]))).toEqual(
      new Map([
        ["words", 12],
        ["lines.1.name", 3],
      ]),
    );
    for (const { wanted } of error.issues) expect(wanted).toMatch(/\w/);
  });

  it("is corrected by rules that give the value", async () => {
    const { seen } = setup();
    const operation = script<string>({ value: "ok" });
    const correct: Record<string, Correction> = {
      words: { clamp: [1, 9] },
      "lines.1.name": { default: "none" },
      pin: (pin) => String(pin).trim(),
    };
    await protect("x", operation, { input: schema, guard: { correct } })({
      words: 12,
      lines: [{ name: "a" }, {}],
      pin: " 47 11 ".replace(/(?<=7) /, ""),
    });
    expect(operation.calls[0]?.input).toEqual({ words: 9, lines: [{ name: "a" }, { name: "none" }], pin: "4711" });
    expect(
      seen
        .of("input.corrected")
        .map(({ path, rule }) => `${path} ${rule}`)
        .sort(),
    ).toEqual(["lines.1.name default", "pin function", "words clamp"]);
  });

  it("has what a rule's value says as fix", async () => {
    setup();
    const call = pipe(script<string>(), guard(schema, { correct: { words: { clamp: [1, 9] } } }));
    const error = (await call({ words: "x", lines: [] }).catch((error: unknown) => error)) as InputRejectedError;
    expect(error.issues).toMatchObject([{ path: "words", fix: name === "zod" ? "a number" : "from 1 to 9" }]);
  });

  it("shows no value of a secret path, also where its own message would", async () => {
    const { error, seen } = await refusedBy(schema, { words: 12, lines: [], pin: "hunter2" }, ["pin", "words"]);
    expect(error.issues.map(({ got }) => got)).toEqual(["[secret]", "[secret]"]);
    for (const text of [error.message, JSON.stringify(error), JSON.stringify(seen.events)]) {
      expect(text).not.toContain("hunter2");
      expect(text).not.toMatch(/\b12\b/);
    }
  });
});

describe("a bare word", () => {
  it.each(["trim", "coerce", "clamp", "default"] as const)(
    "%s throws at construction with another vendor's schema, and says what to give",
    (word) => {
      for (const name of ["valibot", "arktype"]) {
        const wrong = () => guard(vendors[name] as AnySchema, { correct: { words: word } });
        expect(wrong).toThrow(OptionsInvalidError);
        expect(wrong).toThrow(
          new RegExp(`correct\\.words: wanted .*"${word}" reads zod's own issues, and this schema is one of ${name}`),
        );
        const declared = () =>
          protect("x", async () => 1, { input: vendors[name], guard: { correct: { words: word } } });
        expect(declared).toThrow(/guard\.correct\.words/);
      }
      expect(() => protect("x", async (_: object) => 1, { guard: { correct: { words: word } } })).toThrow(
        /there is no schema/,
      );
    },
  );

  it("of a zod schema finds the default wherever it is wrapped", () => {
    const A = z.string().default("a");
    interface Tree {
      name?: string | undefined;
      next?: Tree | undefined;
    }
    const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: A.optional(), next: Tree.optional() }));
    const One = z.object({
      plain: A,
      nullable: A.nullable(),
      list: z.array(z.object({ a: A })),
      tuple: z.tuple([z.number(), A]),
      record: z.record(z.string(), A),
      union: z.union([z.number(), A]),
      piped: A.transform((text) => text.length),
      tree: Tree,
      both: z.intersection(z.object({ b: z.number() }), z.object({ a: A })),
      left: z.intersection(z.object({ a: A }), z.object({ b: z.number() })),
      pre: z.string().prefault("a"),
      inside: z.object({ a: A }).default({ a: "b" }),
      loose: z.object({}).catchall(A),
      rest: z.tuple([z.number()], A),
      neither: z.union([z.number(), z.string()]),
      none: z.string(),
    });
    const there = [
      "plain",
      "nullable",
      "list.0.a",
      "list.*.a",
      "tuple.1",
      "record.x",
      "union",
      "piped",
      "tree.next.name",
      "both.a",
      "left.a",
      "pre",
      "inside",
      "inside.a",
      "loose.any",
      "rest.3",
    ];
    expect(() => guard(One, { correct: Object.fromEntries(there.map((path) => [path, "default"])) })).not.toThrow();
    for (const path of [
      "none",
      "tuple.0",
      "list",
      "absent",
      "plain.x",
      "constructor",
      "tree.next",
      "both.b",
      "record",
      "rest",
      "rest.0",
      "neither",
      "",
    ])
      expect(() => guard(One, { correct: { [path]: "default" } }), path).toThrow(
        /no default there|a path that the schema knows/,
      );
  });
});

it("what is no schema is told when the guard is made", () => {
  for (const given of [undefined, null, 5, "x", {}, () => 1])
    expect(() => guard(given as never)).toThrow(/schema: wanted a Standard Schema/);
});
