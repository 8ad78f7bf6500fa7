// What the runs under load reckon with: who was not answered counts, and a picture shows what there is.
import { expect, it } from "vitest";
import { curve, span } from "./curve.ts";
import { latency, numbers, openLoop } from "./openLoop.ts";

it("latency is of all calls: what is not answered took for ever", async () => {
  const calls = await openLoop({
    perSecond: 1_000,
    forMs: 100,
    call: async (no) => {
      if (no % 10 === 0) throw new Error("no");
    },
  });
  expect(calls.length).toBeGreaterThan(50);
  expect(latency(calls, 0.5)).toBeLessThan(100);
  expect(latency(calls, 0.99)).toBe(Number.POSITIVE_INFINITY);
});

it("calls come whether those before them are answered or not", async () => {
  let [pending, most] = [0, 0];
  await openLoop({
    perSecond: 500,
    forMs: 100,
    call: async () => {
      most = Math.max(most, ++pending);
      await new Promise((resolve) => setTimeout(resolve, 200));
      pending--;
    },
  });
  expect(most).toBeGreaterThan(25);
});

it("the arrivals of two runs are the same", () => {
  const [a, b] = [numbers(3), numbers(3)];
  const drawn = Array.from({ length: 1_000 }, () => a());
  expect(drawn).toEqual(drawn.map(() => b()));
  expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
});

it("a curve has a block for each figure, by the highest, and none for nothing", () => {
  expect(curve([0, 1, 4, 8])).toBe(" ▁▄█");
  expect(curve([8, 16], 16)).toBe("▄█");
  expect(span(2, 12, "gone")).toBe("  └─ gone ─┘");
});
