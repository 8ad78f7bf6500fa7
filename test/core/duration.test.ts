import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { durationSchema, limitSchema, spanSchema, spell, toMs } from "../../src/core/duration.ts";
import type { Duration } from "../../src/core/operation.ts";

const wrong: readonly unknown[] = [
  ...[Number.NaN, -1, Number.NEGATIVE_INFINITY],
  ...[
    "",
    "abc",
    "2 secs",
    "2",
    "s",
    "-1s",
    "+1s",
    "1d",
    "1S",
    " 1s",
    "1s ",
    ".5s",
    "1.s",
    "1e3ms",
    "1s1s",
    "1,5s",
    "١s",
  ],
  ...[null, undefined, true, {}, [], ["1s"], 1n, new Date(0), Symbol("s")],
];

describe("a duration", () => {
  it.each<[Duration, number]>([
    [0, 0],
    [250.5, 250.5],
    ["0ms", 0],
    ["250ms", 250],
    ["20s", 20_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["0.5h", 1_800_000],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])("%s is %d ms", (written, ms) => {
    expect(toMs(written)).toBe(ms);
  });

  it("is nothing else", () => {
    expect(wrong.filter((given) => !Number.isNaN(toMs(given as Duration)))).toEqual([]);
  });

  it("means the same as text and as number", () => {
    fc.assert(
      fc.property(fc.nat(), (n) => {
        expect([toMs(`${n}ms`), toMs(`${n}s`)]).toEqual([n, toMs(n * 1_000)]);
      }),
    );
  });
});

describe("a duration in options", () => {
  it.each<[string, z.ZodType<number>, readonly unknown[], readonly unknown[]]>([
    ["may be 0, but has an end", durationSchema, [0, "0s", "1h"], [Number.POSITIVE_INFINITY, ...wrong]],
    ["of a span is more than 0", spanSchema, [0.1, "1ms"], [0, "0s", Number.POSITIVE_INFINITY, ...wrong]],
    ["of a limit may have no end", limitSchema, [1, Number.POSITIVE_INFINITY], [0, "0ms", ...wrong]],
  ])("%s", (_, schema, right, refused) => {
    for (const given of right) expect(schema.parse(given)).toBe(toMs(given as Duration));
    for (const given of refused) expect(schema.safeParse(given).success).toBe(false);
  });

  it("is refused with what is wanted, at its path", () => {
    const { error } = z.strictObject({ wait: spanSchema }).safeParse({ wait: "soon" });
    expect(error?.issues).toMatchObject([
      { path: ["wait"], message: 'milliseconds, or a text such as "250ms", "20s", "5m" or "1h", more than 0' },
    ]);
  });
});

describe("a duration for people", () => {
  it.each([
    [0, "0 ms"],
    [0.2, "1 ms"],
    [999, "999 ms"],
    [29_400, "29 400 ms"],
    [403_973_000, "403 973 000 ms"],
  ])("%d is spelt %s", (ms, words) => {
    expect(spell(ms)).toBe(words);
  });
});
