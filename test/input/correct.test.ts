import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Check, type Correction, guard, InputRejectedError, pipe, protect, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

const Order = z.object({
  topic: z.string().min(1),
  words: z.number().min(100).max(9_000).default(500),
  lines: z.array(z.object({ qty: z.number().int().max(9) })).default([]),
});

/** What the operation got of this input, and what was recorded. */
async function run(schema: z.ZodType, correct: Record<string, Correction>, input: unknown, checks?: Check<never>[]) {
  const { seen } = setup();
  const operation = script<string>({ value: "ok" });
  const call = protect("draft", operation, { input: schema, guard: { correct, checks: checks as Check<unknown>[] } });
  const { story, ...ended } = await settled(call)(input);
  return {
    got: operation.calls[0]?.input,
    corrections: story.corrections,
    told: seen.of("input.corrected").map(({ path, rule }) => ({ path, rule })),
    issues: !ended.ok && ended.error instanceof InputRejectedError ? ended.error.issues : undefined,
    error: ended.ok ? undefined : ended.error,
    story,
    seen,
  };
}

describe("a correction", () => {
  it.each([
    ["trim", z.email(), " ada@example.org ", "ada@example.org"],
    ["coerce", z.number(), " 12.5 ", 12.5],
    ["coerce", z.int(), "12", 12],
    ["coerce", z.bigint(), "12345678901234567890", 12345678901234567890n],
    ["coerce", z.boolean(), "TRUE", true],
    ["coerce", z.number(), "-.5e1", -5],
    ["coerce", z.int(), "9007199254740991", 9007199254740991],
    ["coerce", z.bigint(), " +12 ", 12n],
    ["coerce", z.bigint(), 12, 12n],
    ["coerce", z.boolean(), 0, false],
    ["coerce", z.boolean(), " false ", false],
    ["coerce", z.boolean(), 1, true],
    ["coerce", z.string(), true, "true"],
    ["coerce", z.date(), 7, new Date(7)],
    ["coerce", z.date(), " 2026-11-25T10:00:00.5+01:00 ", new Date("2026-11-25T09:00:00.500Z")],
    ["coerce", z.string(), 7, "7"],
    ["coerce", z.date(), "2026-11-25", new Date("2026-11-25")],
    ["clamp", z.number().max(9_000), 12_000, 9_000],
    ["clamp", z.number().min(-5), -7.5, -5],
    ["clamp", z.bigint().lt(10n), 12n, 9n],
    ["clamp", z.bigint().gt(10n), 3n, 11n],
    ["clamp", z.bigint().max(10n), 12n, 10n],
    ["clamp", z.date().min(new Date(5)), new Date(1), new Date(5)],
    ["clamp", z.date().max(new Date(5)), new Date(9), new Date(5)],
    ["default", z.string().default("x"), 5, "x"],
    ["default", z.number().prefault(3), "y", 3],
    [
      "default",
      z
        .date()
        .default(() => new Date(7))
        .optional(),
      "y",
      new Date(7),
    ],
  ] as [Correction, z.ZodType, unknown, unknown][])(
    "by the bare word %s reads zod's own issue: case %#",
    async (word, schema, given, wanted) => {
      const { got, corrections } = await run(z.object({ a: schema }), { a: word }, { a: given });
      expect(got).toEqual({ a: wanted });
      expect(corrections).toEqual([{ path: "a", rule: word }]);
    },
  );

  it.each([
    ["coerce", z.number(), "0x10"],
    ["coerce", z.number(), ""],
    ["coerce", z.number(), "12345678901234567890"],
    ["coerce", z.number(), null],
    ["coerce", z.number(), "1e999"],
    ["coerce", z.number(), "1 2"],
    ["coerce", z.number(), `${"0".repeat(1_010)}1`],
    ["coerce", z.bigint(), 1.5],
    ["coerce", z.bigint(), "1.5"],
    ["coerce", z.bigint(), "x1"],
    ["coerce", z.bigint(), "1x"],
    ["coerce", z.date(), "2026-13-45"],
    ["coerce", z.date(), "on 2026-11-25"],
    ["coerce", z.date(), "2026-11-25 or so"],
    ["coerce", z.map(z.string(), z.string()), "x"],
    ["coerce", z.number().max(3), 4],
    ["coerce", z.boolean(), "yes"],
    ["coerce", z.date(), "foo 1"],
    ["coerce", z.string(), { a: 1 }],
    ["clamp", z.string().max(3), "abcd"],
    ["clamp", z.number().lt(3), 3.5],
    ["clamp", z.array(z.number()).max(1), [1, 2]],
    ["clamp", z.number().min(3), Number.NEGATIVE_INFINITY],
    ["clamp", z.number().max(3), Number.NaN],
    [{ clamp: [1, 9] }, z.string().max(1), "12"],
    [{ clamp: [1, 9] }, z.number(), Number.NaN],
    ["trim", z.string().max(3), "abcd"],
  ] as [Correction, z.ZodType, unknown][])(
    "that would have to guess is none: %s, case %#",
    async (word, schema, given) => {
      const { issues, corrections } = await run(z.object({ a: schema }), { a: word }, { a: given });
      expect(issues?.map(({ path, got }) => [path, got])).toEqual([["a", given]]);
      expect(corrections).toEqual([]);
    },
  );

  it("is recorded, event and story, with its path and rule", async () => {
    const { got, corrections, told, story } = await run(
      Order,
      { words: "clamp", topic: (topic) => String(topic) },
      { topic: 7, words: 12_000 },
    );
    expect(got).toEqual({ topic: "7", words: 9_000, lines: [] });
    expect(corrections).toEqual([
      { path: "topic", rule: "function" },
      { path: "words", rule: "clamp" },
    ]);
    expect(told).toEqual(corrections);
    expect(story.state).toBe("succeeded");
  });

  it("by a function of one's own tells its name", async () => {
    const firstLetter = (value: unknown) => String(value).slice(0, 1);
    const { got, corrections } = await run(z.object({ a: z.string().max(1) }), { a: firstLetter }, { a: "xyz" });
    expect([got, corrections]).toEqual([{ a: "x" }, [{ path: "a", rule: "firstLetter" }]]);
  });

  it("runs only on the paths that failed", async () => {
    const asked: unknown[] = [];
    const note = (value: unknown) => {
      asked.push(value);
      return "put right";
    };
    const Two = z.object({ a: z.string(), b: z.string() });
    const { got } = await run(Two, { a: note, b: note }, { a: 1, b: "fine" });
    expect([got, asked]).toEqual([{ a: "put right", b: "fine" }, [1]]);
  });

  it("an input changed after the guard (correction) is validated again before the operation sees it", async () => {
    const { issues, got, corrections } = await run(
      Order,
      { words: () => 90_000, topic: "trim" },
      { topic: "x", words: 1 },
    );
    expect(got).toBeUndefined();
    expect(issues).toMatchObject([{ path: "words", got: 1, fix: "at most 9000" }]);
    expect(corrections).toEqual([{ path: "words", rule: "function" }]);
  });

  it("a schema's own transforms are no corrections and run once a call", async () => {
    let runs = 0;
    const When = z.object({ at: z.string().transform((text) => [++runs, new Date(text)]), words: z.coerce.number() });
    const { corrections, told } = await run(When, { words: "clamp" }, { at: "2026-11-25", words: "7" });
    expect([corrections, told, runs]).toEqual([[], [], 1]);
  });

  it("never changes the caller's own object: copied is only what stands on the way", async () => {
    const input = Object.freeze({
      topic: "t",
      words: 12_000,
      lines: Object.freeze([Object.freeze({ qty: 50 }), Object.freeze({ qty: 1 })]),
    });
    const before = structuredClone(input);
    const seen: unknown[] = [];
    const schema = z.custom<{ lines: { qty: number }[] }>().superRefine((given, context) => {
      seen.push(given);
      if (given.lines[0]?.qty !== 9)
        context.addIssue({ code: "custom", message: "at most 9", path: ["lines", 0, "qty"] });
    });
    await run(schema, { "lines.0.qty": () => 9 }, input);
    expect(input).toEqual(before);
    const copy = seen[1] as unknown as typeof input;
    expect(copy.lines[0]).toEqual({ qty: 9 });
    expect(copy.lines[1]).toBe(input.lines[1]);
  });

  it("finds its way through objects and lists, by index or for every item", async () => {
    const input = { topic: "t", lines: [{ qty: 50 }, { qty: 2 }, { qty: 70 }] };
    const one = await run(Order, { "lines.0.qty": "clamp" }, input);
    expect(one.issues).toMatchObject([{ path: "lines.2.qty", got: 70, fix: "at most 9" }]);
    const all = await run(Order, { "lines.*.qty": "clamp" }, input);
    expect(all.got).toMatchObject({ lines: [{ qty: 9 }, { qty: 2 }, { qty: 9 }] });
    expect(all.corrections.map(({ path }) => path)).toEqual(["lines.0.qty", "lines.2.qty"]);
  });

  it("leads into nothing that cannot be copied, and to no place that a list does not have", async () => {
    const Told = (...path: (string | number)[]) =>
      z.unknown().superRefine((_, { addIssue }) => addIssue({ code: "custom", path, message: "no" }));
    for (const [input, ...path] of [
      [new Map([["a", 1]]), "a"],
      [{ at: new Date(0) }, "at", "a"],
      [[1], 1],
      [[1], "length"],
      ["text", 0],
      [null, "a"],
    ] as [unknown, ...(string | number)[]][]) {
      const { issues, corrections } = await run(Told(...path), { [path.join(".")]: () => "put" }, input);
      expect([issues?.map(({ path }) => path), corrections]).toEqual([[path.join(".")], []]);
    }
  });

  it("by a rule for every item is for every name as well", async () => {
    const Named = z.object({ v2: z.string().min(2), "2nd": z.string().min(2) });
    expect((await run(Named, { "*": () => "put" }, { v2: "x", "2nd": "x" })).got).toEqual({ v2: "put", "2nd": "put" });
    const { got } = await run(z.array(z.string().min(2)), { "*": () => "put" }, [..."abcdefghijkl"]);
    expect(got).toEqual(Array(12).fill("put"));
  });

  it("knows a key that has a dot of its own, also where the schema names none, and its default", async () => {
    const Any = z.object({}).catchall(z.string().trim().max(3));
    expect((await run(Any, { "a.b": () => "put" }, { "a.b": "long" })).got).toEqual({ "a.b": "put" });
    const Known = z.object({ "a.b": z.string().max(3).default("own") });
    expect((await run(Known, { "a.b": "default" }, { "a.b": "long" })).got).toEqual({ "a.b": "own" });
  });

  it("may be of the whole input, whose path is empty", async () => {
    expect((await run(z.number().max(5), { "": "clamp" }, 9)).got).toBe(5);
  });

  it("also answers what a check found, at the check's path", async () => {
    const check: Check<{ words: number }> = ({ words }) =>
      words > 900 ? { path: "words", got: words, wanted: "at most 900 in this plan" } : undefined;
    const { got, corrections } = await run(Order, { words: { clamp: [0, 900] } }, { topic: "t", words: 5_000 }, [
      check,
    ]);
    expect(got).toMatchObject({ words: 900 });
    expect(corrections).toEqual([{ path: "words", rule: "clamp" }]);
  });

  it("with what fails again, all findings are told at once", async () => {
    const { issues, seen } = await run(Order, { words: "coerce" }, { topic: "", words: "12000", lines: [{ qty: 10 }] });
    expect(issues).toEqual([
      { path: "topic", got: "", wanted: expect.any(String), fix: "at least 1 character" },
      { path: "words", got: "12000", wanted: expect.any(String), fix: "at most 9000" },
      { path: "lines.0.qty", got: 10, wanted: expect.any(String), fix: "at most 9" },
    ]);
    expect(seen.of("input.rejected")).toMatchObject([{ issues }]);
  });

  it("works with asynchronous schemas and checks, in as many rounds as rules", async () => {
    const Async = z.object({ a: z.number().max(5), b: z.string().refine(async (text) => text.length < 3) });
    const check = async ({ a }: { a: number }) => (a === 5 ? { path: "a", wanted: "no five" } : undefined);
    const { got, corrections } = await run(
      Async,
      { a: () => 4, b: (text) => String(text).slice(0, 2) },
      { a: 5, b: "xyz" },
      [check],
    );
    expect(got).toEqual({ a: 4, b: "xy" });
    expect(corrections.map(({ path }) => path)).toEqual(["b", "a"]);
  });

  it("by a function that throws ends the call with that error: it is a bug, and nothing was refused", async () => {
    const { error, seen, story } = await run(
      Order,
      {
        words: () => {
          throw new RangeError("mine");
        },
      },
      { topic: "t", words: 1 },
    );
    expect(error).toEqual(new RangeError("mine"));
    expect([seen.of("input.rejected"), story.state]).toEqual([[], "failed"]);
  });

  it("by a function that gives a promise says that a look-up is a check", async () => {
    const { error } = await run(Order, { words: () => Promise.reject(new Error("down")) }, { topic: "t", words: 1 });
    expect(error).toEqual(expect.objectContaining({ message: expect.stringMatching(/"words" has to answer at once/) }));
  });

  it("shows nothing of a secret path", async () => {
    const { seen } = setup();
    const Login = z.object({ pin: z.string().regex(/^\d{4}$/) });
    const call = pipe(script<string>({ value: "in" }), guard(Login, { correct: { pin: "trim" }, secret: ["pin"] }));
    await call({ pin: " 4711 " });
    await (call({ pin: "hunter2 " }) as Promise<unknown>).catch(() => {});
    expect(seen.of("input.corrected")).toHaveLength(2);
    for (const text of ["4711", "hunter2"]) expect(JSON.stringify(seen.events)).not.toContain(text);
  });

  it("tells nothing more of a call that has ended meanwhile", async () => {
    const { clock, seen } = setup();
    const slow: Check<unknown> = async () => {
      await clock.sleep(1_000);
      return { path: "a", wanted: "other" };
    };
    const call = protect("x", async (_: { a: number }) => 1, {
      deadline: "10ms",
      guard: { checks: [slow], correct: { a: () => 2 } },
    });
    const ended = call({ a: 1 }).catch((error) => error.code);
    await clock.advance("2s");
    expect(await ended).toBe("DEADLINE_EXCEEDED");
    expect([seen.of("input.corrected"), seen.of("input.rejected")]).toEqual([[], []]);
  });

  it("whatever the input: what the operation gets satisfies the schema, and the input is as it was", async () => {
    setup();
    const rules: Record<string, Correction> = {
      topic: "trim",
      words: "clamp",
      "lines.*.qty": "clamp",
      lines: "default",
    };
    const operation = async (given: z.output<typeof Order>) => given;
    const call = protect("draft", operation, { input: Order, guard: { correct: rules } });
    const qty = fc.oneof(fc.integer(), fc.double(), fc.string());
    const inputs = fc.record(
      {
        topic: fc.string(),
        words: fc.oneof(fc.double(), fc.integer(), fc.string()),
        lines: fc.oneof(fc.array(fc.record({ qty })), fc.anything()),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const before = structuredClone(input);
        const ended = await settled(call)(input as never);
        expect(input).toEqual(before);
        if (ended.ok) expect(Order.safeParse(ended.value).success).toBe(true);
        else expect(ended.error).toBeInstanceOf(InputRejectedError);
        if (Order.safeParse(before).success) expect(ended.story.corrections).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
