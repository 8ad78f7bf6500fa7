import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { AnySchema } from "../../src/core/schema.ts";
import { type Correction, InputRejectedError, protect, settled } from "../../src/index.ts";
import { setup } from "../composition/setup.ts";

/** What becomes of it: what the operation got, or the findings; anything else is a failure. */
async function fed(schema: AnySchema, input: unknown, correct: Record<string, Correction> = {}) {
  const call = protect("x", async (given: unknown) => ({ given }), { input: schema, guard: { correct } });
  const ended = await settled(call)(input);
  if (ended.ok) return ended.value;
  expect(ended.error).toBeInstanceOf(InputRejectedError);
  expect(String(ended.error).length).toBeLessThan(100_000);
  expect(() => JSON.stringify(ended.error)).not.toThrow();
  return { issues: (ended.error as InputRejectedError).issues };
}

const polluted = () => Object.keys(Object.prototype).length > 0 || ({} as Record<string, unknown>).owned !== undefined;

interface Tree {
  name: string;
  next?: Tree | undefined;
}
const Tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get next() {
    return Tree.optional();
  },
});

const throwing = (message: (key: PropertyKey) => string) => () =>
  new Proxy(
    {},
    {
      get: (_, key) => {
        throw new Error(message(key));
      },
    },
  );
const unreadables: [string, () => object, string][] = [
  ["a proxy that throws", throwing(() => "boo"), "boo"],
  ["a proxy that throws and names the key", throwing((key) => `no ${String(key)} here`), "no a here"],
  [
    "a proxy that is revoked",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    "Cannot perform 'IsArray' on a proxy that has been revoked",
  ],
];

describe("hostile input", () => {
  it.each(["__proto__", "constructor", "prototype"])("a path through %s changes no prototype", async (key) => {
    const input = JSON.parse(`{"${key}":{"owned":1,"words":5},"words":50}`);
    const rule: Correction = () => ({ owned: true });
    const loose = z.looseObject({ words: z.number().max(9) }).superRefine((given, context) => {
      if (!("fine" in given)) context.addIssue({ code: "custom", message: "other", path: [key, "owned"] });
    });
    await fed(loose, input, { [`${key}.owned`]: rule, words: "clamp" });
    await fed(z.record(z.string(), z.number().max(9)), input, { [`${key}.words`]: rule, words: "clamp" });
    expect(polluted()).toBe(false);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  });

  it("a text of 1 MB is trimmed, refused or passed at once", async () => {
    const blank = " ".repeat(1_000_000);
    const started = performance.now();
    expect(await fed(z.object({ a: z.string().max(3) }), { a: `${blank}x` }, { a: "trim" })).toEqual({
      given: { a: "x" },
    });
    for (const text of [blank, "1".repeat(1_000_000), `${"9".repeat(999_999)}x`, `${blank}1`])
      for (const schema of [z.number(), z.bigint(), z.date()])
        expect(await fed(z.object({ a: schema }), { a: text }, { a: "coerce" })).toMatchObject({
          issues: [{ path: "a" }],
        });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each([10_000, 100_000])("a depth of %d is refused where a schema would follow it", async (depth) => {
    let deep: Tree = { name: "x" };
    for (let i = 0; i < depth; i++) deep = { name: "x", next: deep };
    expect(await fed(Tree, deep)).toEqual({ issues: [{ wanted: "less depth, and no circle" }] });
    expect(await fed(z.object({ name: z.number() }), deep, { name: () => 1 })).toEqual({ given: { name: 1 } });
  });

  it("a circle is refused where a schema would follow it, and passes where none does", async () => {
    const round: Tree = { name: "x" };
    round.next = round;
    const Following: v.GenericSchema<Tree> = v.object({ name: v.string(), next: v.optional(v.lazy(() => Following)) });
    expect(await fed(Following, round)).toEqual({ issues: [{ wanted: "less depth, and no circle" }] });
    expect(await fed(z.object({ name: z.string() }), round)).toEqual({ given: { name: "x" } });
    expect(await fed(z.object({ next: z.string() }), round)).toMatchObject({ issues: [{ path: "next" }] });
  });

  it("a getter that throws is refused with its path, and never asked where nobody wants it", async () => {
    const a = {
      get b() {
        throw new Error("not for you");
      },
    };
    expect(await fed(z.object({ a: z.object({ b: z.string() }) }), { a })).toEqual({
      issues: [{ path: "a.b", wanted: "something that can be read (not for you)" }],
    });
    const whole = Object.defineProperty({ n: 12 }, "never", { get: () => a.b, enumerable: false });
    expect(await fed(z.object({ n: z.number().max(9) }), whole, { n: "clamp" })).toEqual({ given: { n: 9 } });
  });

  it("a bug in one's own schema is told as that bug, whatever the input", async () => {
    setup();
    const Mine = z
      .string()
      .transform((text): string => (text === "loop" ? Mine.parse(text) : (undefined as never as string[]).join()));
    const call = protect("x", async (text: string) => text, { input: Mine });
    await expect(call("x")).rejects.toBeInstanceOf(TypeError);
    await expect(call("loop")).rejects.toBeInstanceOf(RangeError);
  });

  it.each([
    ["a null", { a: null }, ({ a }: { a: unknown }) => (a as { b: unknown }).b],
    ["an undefined", { a: undefined }, ({ a }: { a: unknown }) => (a as { b: unknown }).b],
    ["a text", { a: "x" }, ({ a }: { a: unknown }) => "b" in (a as object)],
  ])(
    "a bug in one's own schema that falls over %s is told as that bug, not as the input's",
    async (_, input, check) => {
      setup();
      const schema = z.object({ a: z.unknown() }).transform(check);
      const call = protect("x", async (given: unknown) => given, { input: schema });
      await expect(call(input)).rejects.toBeInstanceOf(TypeError);
    },
  );

  it("a lone surrogate passes as it is, and does not break what is told of it", async () => {
    expect(await fed(z.object({ a: z.string() }), { a: "x\ud800" })).toEqual({ given: { a: "x\ud800" } });
    expect(await fed(z.object({ a: z.number() }), { a: "\udfff" })).toMatchObject({
      issues: [{ path: "a", got: "\udfff" }],
    });
  });

  it("many findings take time in proportion to their number", async () => {
    const schema = z.object({ lines: z.array(z.object({ qty: z.number().max(9) })) });
    const time = async (count: number) => {
      const lines = Array.from({ length: count }, () => ({ qty: 50 }));
      const started = performance.now();
      expect(await fed(schema, { lines }, { "lines.*.qty": "clamp" })).toMatchObject({
        given: { lines: { length: count } },
      });
      return performance.now() - started;
    };
    await time(1_000);
    const [few, many] = [await time(2_000), await time(40_000)];
    expect(many / few).toBeLessThan(150); // a quadratic one takes 400 times as long
  });

  it("a Map, a proxy that throws, a class with private state: refused or passed, never copied wrong", async () => {
    class Money {
      #cents = 5;
      get cents() {
        return this.#cents;
      }
    }
    const money = new Money();
    expect(
      await fed(z.object({ m: z.instanceof(Money), n: z.number().max(9) }), { m: money, n: 50 }, { n: "clamp" }),
    ).toEqual({ given: { m: money, n: 9 } });
    const map = new Map([["a", 50]]);
    expect(await fed(z.map(z.string(), z.number().max(9)), map, { a: "clamp" })).toMatchObject({
      issues: [{ path: "a" }],
    });
    const proxy = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    expect(await fed(z.object({ a: z.string() }), { a: proxy })).toMatchObject({ issues: [{ path: "a" }] });
  });

  it.each(unreadables)("%s is refused where the schema reads it", async (_, make, why) => {
    setup();
    const schema = z.object({ a: z.string() });
    expect(await fed(schema, make())).toEqual({ issues: [{ wanted: `something that can be read (${why})` }] });
    expect(await fed(z.object({ b: schema }), { b: make() })).toMatchObject({ issues: [{ path: "b" }] });
  });

  it("a check of one's own that throws stays that check's fault, also beside a value that cannot be read", async () => {
    setup();
    const check = () => {
      throw new TypeError("my own mistake");
    };
    const call = protect("x", async (given: unknown) => given, { input: z.any(), guard: { checks: [check] } });
    for (const [, make] of unreadables) await expect(call({ a: make() })).rejects.toThrow("my own mistake");
  });
});
