// A mild overload, 1.2 times what can be served: whom chance refuses, and what stays idle, with and without a short queue.
import { type Criticality, protect } from "holdfast";
import { describe, expect, it } from "vitest";
import { crowd, said, service } from "./adaptive-setup.ts";
import { world } from "./shed-setup.ts";

const classes: readonly (readonly [Criticality, number])[] = [
  ["critical", 0.2],
  ["normal", 0.5],
  ["sheddable", 0.3],
];
const [ms, warm, until] = [50, 2_000, 22_000];

/** The shares of each class that were refused, the share of the places that was used, and how long critical calls took. */
async function mild(concurrency: number, queue: number, spread: "constant" | "exponential") {
  const { clock, events, random } = world();
  const other = service({ clock, random }, concurrency, ms, spread);
  const call = protect("search", () => other.operation(), {
    ...{ bulkhead: { concurrency, queue }, shed: {} },
    seams: { clock, events, random },
  });
  const rate = (1.2 * concurrency * 1_000) / ms;
  const crowds = classes.map(([one, part]) => crowd({ clock, random }, call, rate * part, said(one)));
  await clock.advance(warm);
  const before = other.served;
  await clock.advance(until - warm);
  return {
    used: ((other.served - before) * ms) / (concurrency * (until - warm)),
    refused: crowds.map((one) => one.share(warm)),
    longest: crowds[0]?.within(0.99, warm) as number,
  };
}

describe("a mild overload of a bulkhead that sheds", { timeout: 60_000 }, () => {
  it.each([
    [10, 5, "constant"],
    [10, 5, "exponential"],
    [40, 10, "constant"],
    [40, 10, "exponential"],
  ] as const)(
    "with %i places and a queue of %i little stays idle and next to no critical call is refused: %s times",
    async (places, queue, spread) => {
      const { used, refused, longest } = await mild(places, queue, spread);
      expect(used).toBeGreaterThan(0.9);
      expect(refused[0]).toBeLessThan(0.005);
      expect(refused[1]).toBeLessThan(refused[2] as number);
      // a critical call waits for the next place that comes free, and no longer
      if (spread === "constant") expect(longest).toBeLessThan(ms * 1.5);
    },
  );

  it.each([
    [4, 0.54, 0.741, 0.13],
    [10, 0.73, 0.838, 0.09],
    [40, 0.84, 0.931, 0.02],
  ] as const)(
    "without a queue, of %i places as many are used as chance leaves, but for those that are kept",
    async (places, least, erlang, most) => {
      const { used, refused } = await mild(places, 0, "exponential");
      expect(used).toBeGreaterThan(least);
      expect(used).toBeLessThan(erlang + 0.02);
      expect(refused[0]).toBeLessThan(most);
      expect(refused).toEqual(refused.toSorted((a, b) => a - b));
    },
  );
});
