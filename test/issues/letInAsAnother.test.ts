// A load that was let in for a normal call, and went on for a sheddable one alone, was held to have been let in as sheddable.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("what several share is let in once, as the most critical of them at that time", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        deadline: 2,
        timeout: 2,
        retry: { base: 0, backoff: "exponential", jitter: "none" },
        shed: { pressure: 0.95 },
        tiers: [{}],
        cache: { ttl: 1_000, keys: 1 },
      },
    },
    callers: [
      { at: 0, to: 0, shares: true, meets: [{ gives: "value", after: 10 }] },
      { at: 1, to: 0, criticality: "sheddable", deadline: 10, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
