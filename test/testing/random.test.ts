import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/testing/index.ts";

function draw(random: () => number, count: number): number[] {
  return Array.from({ length: count }, random);
}

describe("seeded chance", () => {
  it("is the same in every run: these very numbers", () => {
    expect(draw(seededRandom(1), 3)).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });

  it("is the same for one seed, and another for another", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        fc.pre(a >>> 0 !== b >>> 0);
        expect(draw(seededRandom(a), 5)).toEqual(draw(seededRandom(a), 5));
        expect(draw(seededRandom(a), 5)).not.toEqual(draw(seededRandom(b), 5));
      }),
    );
  });

  it("is from 0 to just below 1, whatever the seed", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double()), (seed) => {
        expect(draw(seededRandom(seed), 20).every((n) => n >= 0 && n < 1)).toBe(true);
      }),
    );
  });

  it("is spread evenly", () => {
    const counts = new Array<number>(10).fill(0);
    for (const n of draw(seededRandom(7), 100_000)) counts[Math.floor(n * 10)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(9_600);
    expect(Math.max(...counts)).toBeLessThan(10_400);
  });
});
