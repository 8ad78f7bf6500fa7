import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BackoffOptions, delayAfter, type Jitter } from "../../src/call/backoff.ts";
import { OptionsInvalidError } from "../../src/index.ts";

const standard: BackoffOptions = { backoff: "exponential", base: 100, cap: 20_000, jitter: "none" };

/** What is waited after each of the first rounds. */
function ladder(options: Partial<BackoffOptions>, rounds = 6, random = () => 0.5): number[] {
  const waits: number[] = [];
  for (let round = 1; round <= rounds; round++)
    waits.push(delayAfter(round, waits.at(-1) ?? 0, { ...standard, ...options }, random));
  return waits;
}

describe("the wait", () => {
  it.each([
    { backoff: "constant", waits: [100, 100, 100, 100, 100, 100] },
    { backoff: "linear", waits: [100, 200, 300, 400, 500, 600] },
    { backoff: "exponential", waits: [100, 200, 400, 800, 1600, 3200] },
  ] as const)("grows as it is named: $backoff", ({ backoff, waits }) => {
    expect(ladder({ backoff })).toEqual(waits);
  });

  it("stops growing at the cap", () => {
    expect(ladder({ cap: 500 })).toEqual([100, 200, 400, 500, 500, 500]);
    expect(ladder({ backoff: "linear", cap: 250 })).toEqual([100, 200, 250, 250, 250, 250]);
    expect(ladder({ backoff: "constant", cap: 50 })).toEqual([50, 50, 50, 50, 50, 50]);
  });

  it("is none where `base` is 0", () => {
    for (const jitter of ["none", "full", "decorrelated"] as const)
      expect(ladder({ base: 0, jitter })).toEqual(Array(6).fill(0));
  });

  it("of attempt 1,000 of an exponential back-off is exactly the cap: never 1 ms, never NaN, never above it after jitter", () => {
    for (const round of [1_000, 1_100, 1e9]) {
      expect(delayAfter(round, 20_000, standard, () => 0.5)).toBe(20_000);
      expect(delayAfter(round, 20_000, { ...standard, base: 1e-3 }, () => 0.5)).toBe(20_000);
      expect(delayAfter(round, 20_000, { ...standard, base: 0 }, () => 0.5)).toBe(0);
      for (const jitter of ["full", "decorrelated"] as const)
        expect(delayAfter(round, 20_000, { ...standard, jitter }, () => 1)).toBe(20_000);
    }
  });
});

describe("jitter", () => {
  it.each([
    { jitter: "none", least: 1_600, most: 1_600 },
    { jitter: "full", least: 0, most: 1_600 },
    // between the base and three times what was waited last
    { jitter: "decorrelated", least: 100, most: 2_400 },
  ] as const)("$jitter with random 0 and 1 hits its stated bounds", ({ jitter, least, most }) => {
    const wait = (random: number) => delayAfter(5, 800, { ...standard, jitter }, () => random);
    expect([wait(0), wait(1)]).toEqual([least, most]);
  });

  it("that is decorrelated starts between the base and three times it", () => {
    const wait = (random: number) => delayAfter(1, 0, { ...standard, jitter: "decorrelated" }, () => random);
    expect([wait(0), wait(1)]).toEqual([100, 300]);
  });

  it("that is full spreads evenly over the whole wait", () => {
    const waits = [0, 0.25, 0.5, 0.75].map((random) => delayAfter(4, 0, { ...standard, jitter: "full" }, () => random));
    expect(waits).toEqual([0, 200, 400, 600]);
  });

  it("never leaves its bounds, whatever the options, the round and the chance", () => {
    fc.assert(
      fc.property(
        fc.record({
          backoff: fc.constantFrom("exponential", "linear", "constant"),
          base: fc.double({ min: 0, max: 1e7, noNaN: true }),
          cap: fc.double({ min: 0, max: 1e8, noNaN: true }),
          jitter: fc.constantFrom<Jitter>("full", "decorrelated", "none"),
        }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1e8, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (options, round, last, random) => {
          const before = Math.min(last, options.cap);
          const wait = delayAfter(round, before, options, () => random);
          const whole = delayAfter(round, before, { ...options, jitter: "none" }, () => random);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(options.cap);
          if (options.jitter === "decorrelated") {
            expect(wait).toBeGreaterThanOrEqual(Math.min(options.base, options.cap));
            expect(wait).toBeLessThanOrEqual(3 * Math.max(options.base, before));
          } else expect(wait).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });

  it("never shrinks a named back-off from one round to the next where it is none", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("exponential" as const, "linear" as const, "constant" as const),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 1_500 }),
        (backoff, base, round) => {
          const options = { ...standard, backoff, base };
          expect(delayAfter(round + 1, 0, options, () => 0.5)).toBeGreaterThanOrEqual(
            delayAfter(round, 0, options, () => 0.5),
          );
        },
      ),
    );
  });
});

describe("a function of one's own", () => {
  it("gets the round that failed, from 1, and is taken at its word up to the cap: no jitter", () => {
    const rounds: number[] = [];
    const backoff = (round: number) => {
      rounds.push(round);
      return round * 7;
    };
    expect(ladder({ backoff, jitter: "full", cap: 20 }, 4)).toEqual([7, 14, 20, 20]);
    expect(rounds).toEqual([1, 2, 3, 4]);
    expect(ladder({ backoff: () => Number.POSITIVE_INFINITY }, 1)).toEqual([20_000]);
  });

  it.each([Number.NaN, -1, "100ms", undefined, null, 5n, Promise.resolve(5)])(
    "that gives no milliseconds is a mistake that names `backoff`: %s",
    (given) => {
      const backoff = (() => given) as unknown as (round: number) => number;
      expect(() => ladder({ backoff })).toThrow(OptionsInvalidError);
      expect(() => ladder({ backoff })).toThrow(/backoff: wanted a function that gives milliseconds/);
    },
  );
});
