import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Latencies } from "../../../src/call/hedge/latencies.ts";

const kept = 500;

function taught(...all: number[]): Latencies {
  const latencies = new Latencies();
  for (const ms of all) latencies.add(ms);
  return latencies;
}

/** By sorting them: the value that so great a share of the latest does not exceed. */
function exact(all: readonly number[], share: number): number {
  const latest = all.slice(-kept).sort((a, b) => a - b);
  return latest[Math.ceil(share * latest.length - 1e-9) - 1] as number;
}

describe("what a hedge knows of latencies", () => {
  it("is nothing before twenty answers: nobody can say what is slow", () => {
    expect(taught(...Array(19).fill(10)).p95).toBe(Number.POSITIVE_INFINITY);
    expect(taught(...Array(20).fill(10)).p95).toBe(11);
    expect(new Latencies().median).toBe(0);
  });

  it("is their 95th percentile and their median, a tenth more at most, whatever they are", () => {
    const ms = fc.double({ min: 0.1, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(ms, { minLength: 20, maxLength: 1_500, size: "max" }), (all) => {
        const { p95, median } = taught(...all);
        for (const [told, share] of [
          [p95, 0.95],
          [median, 0.5],
        ] as const) {
          const wanted = Math.max(1, exact(all, share));
          expect(told).toBeGreaterThanOrEqual(wanted * (1 - 1e-9));
          expect(told).toBeLessThanOrEqual(Math.ceil(wanted * 1.1 * (1 + 1e-9)));
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("forgets what is long ago", () => {
    expect(taught(...Array(kept).fill(1_000), ...Array(kept).fill(10)).p95).toBe(11);
  });

  it("does not take a dozen slow answers in a row for how the operation is", () => {
    const usual = Array(kept).fill(20);
    expect(taught(...usual, ...Array(24).fill(1_000)).p95).toBe(taught(...usual).p95);
    expect(taught(...usual, ...Array(26).fill(1_000)).p95).toBeGreaterThan(1_000);
  });
});
