// A place that was taken for a critical call, which shared a load with a normal one, was held to have been the normal one's.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("what several share takes the places that are kept for the most critical of them", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        retry: { attempts: 1, base: 0, jitter: "none" },
        breaker: {
          consecutiveFailures: 1,
          failureRate: 0.2,
          minimumCalls: 1,
          window: 50,
          breakTime: 10,
          slow: { rate: 0.5, duration: 10 },
        },
        hedge: { after: 1 },
        adaptiveLimit: { max: 3, reserve: { critical: 0.2 } },
        timeout: 1,
        tiers: [{ timeout: 10 }],
        cache: { ttl: 10, keys: 1, staleOnError: 10 },
      },
    },
    callers: [
      { at: 0, to: 0, meets: [{ gives: "value", after: 10, deaf: true }] },
      { at: 0, to: 0, deadline: 1, accept: "uncached", meets: [{ gives: "value", after: 1 }] },
      { at: 0, to: 0, deadline: 10, criticality: "critical", within: 1, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
