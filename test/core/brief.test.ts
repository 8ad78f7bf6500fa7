// Whatever it is, in a few words, and at the price of a few words.
import { describe, expect, it } from "vitest";
import { brief } from "../../src/core/brief.ts";
import { FallbackExhaustedError } from "../../src/core/errors.ts";
import { report } from "../../src/core/report.ts";

const circle: { self?: unknown } = {};
circle.self = circle;

describe("a value in brief", () => {
  it.each<[string, unknown]>([
    [
      "a list with holes, and what JSON has no word for",
      Object.assign(Array(7), [1, undefined, () => 1, Symbol("s"), null, Number.NaN]),
    ],
    [
      "an object, without what JSON has no word for",
      { a: undefined, b: () => 1, c: Symbol("s"), d: null, ...JSON.parse('{"__proto__":1}') },
    ],
    ["dates, and what says itself what it is", { at: new Date(0), own: { toJSON: (key: string) => `of ${key}` } }],
    ["boxed values", [Object("s"), Object(1), Object(false)]],
    ["bytes", new Uint8Array([1, 2, 3])],
    ["bytes of Node", Buffer.from("abc")],
    ["bytes behind a view", [new DataView(new ArrayBuffer(3)), new ArrayBuffer(3)]],
    ["maps and sets", { map: new Map([[1, 2]]), set: new Set([1]) }],
    ["keys in their order, and only own ones", Object.assign(Object.create({ inherited: 1 }), { b: 1, 2: 2, 1: 1 })],
    ["deep ones", [[[[[[[["deep"]]]]]]]]],
  ])("is what JSON says: %s", (_, value) => {
    expect(brief(value)).toBe(JSON.stringify(value));
  });

  it("is cut where it is longer than a few words, and begins as JSON does", () => {
    for (const value of [
      Array.from({ length: 1_000 }, (_, i) => i),
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key ${i}`, { i }])),
      { text: "\n".repeat(1_000) },
      new Uint8Array(1_000),
      Buffer.alloc(1_000),
    ])
      expect(brief(value)).toBe(`${JSON.stringify(value).slice(0, 119)}…`);
  });

  it("is what it is, where JSON has no words: a circle, a bigint", () => {
    expect([circle, { a: [circle] }, { big: 1n }].map(brief)).toEqual(Array(3).fill("[object Object]"));
  });

  it("looks at no more than a few of its parts, however many there are", () => {
    let looks = 0;
    const list = new Proxy(Array.from({ length: 1_000_000 }), {
      get(target, key, self) {
        looks++;
        return Reflect.get(target, key, self);
      },
    });
    expect(brief({ list })).toMatch(/^\{"list":\[null,null,.*…$/);
    expect(looks).toBeLessThan(1_000);
  });

  it("so does an error as JSON: what it has is told by its start", () => {
    const produced = { text: "x".repeat(10_000_000), list: Array.from({ length: 1_000_000 }, (_, i) => i) };
    const failure = { error: new Error("no"), kind: "quality", attempt: 1, tier: 0, tierName: "a", produced } as const;
    const error = new FallbackExhaustedError("draft", [{ ...failure, startedAt: 0, elapsedMs: 1 }]);
    const json = JSON.stringify(error);
    expect(json.length).toBeLessThan(2_000);
    expect(json).toContain('"and 999950 more"');
    expect(error.failures[0]?.produced).toBe(produced);
  });

  it("and what is nested deep by a few words", () => {
    const nested = (depth: number): unknown => (depth === 0 ? { deep: 1 } : [nested(depth - 1)]);
    const failure = { error: new Error("no"), kind: "quality", attempt: 1, tier: 0, tierName: "a" } as const;
    const told = (produced: unknown) =>
      JSON.parse(
        JSON.stringify(new FallbackExhaustedError("draft", [{ ...failure, produced, startedAt: 0, elapsedMs: 1 }])),
      ).failures[0].produced;
    expect(told([1])).toEqual([1]);
    expect(JSON.stringify(told(nested(9)))).toContain('"[[');
    expect(JSON.stringify(told({ a: { b: { c: { d: { e: { f: 1 } } } } } }))).toContain('"{');
  });

  it("and an object of very many keys by its first ones", () => {
    const produced = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i]));
    const failure = { error: new Error("no"), kind: "quality", attempt: 1, tier: 0, tierName: "a", produced } as const;
    const error = new FallbackExhaustedError("draft", [{ ...failure, startedAt: 0, elapsedMs: 1 }]);
    const told = JSON.parse(JSON.stringify(error)).failures[0].produced;
    expect([told.k0, told.k49, told.k50, told["…"], Object.keys(told).length]).toEqual([
      0,
      49,
      undefined,
      "10 more",
      51,
    ]);
  });

  it("costs the same for a text of fifty megabytes, wherever it stands", () => {
    const long = "x\n".repeat(25_000_000);
    const values = [
      long,
      { long },
      [[long]],
      { [long]: 1 },
      new Error(long),
      Buffer.alloc(50_000_000),
      { long: new Error(long) },
    ];
    const begun = performance.now();
    for (let i = 0; i < 20; i++) for (const value of values) expect(brief(value).length).toBeLessThanOrEqual(240);
    report(new Error(long));
    expect(performance.now() - begun).toBeLessThan(1_000); // whole, it takes ten times as long
  });
});
