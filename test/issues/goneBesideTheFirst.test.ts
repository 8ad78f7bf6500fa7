// A hedge that was let in by a rate limit in the turn in which its caller went had waited longer than the quota's period: what
// it took was held to have come back already, and the next waited for nothing.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("what was taken for a hedge that went as its turn came is there for the next", async () => {
  const { violations } = await run({
    stack: {
      kind: "policy",
      shared: {
        hedge: { after: 1, extra: 1 },
        rateLimit: { limit: 2, per: 20, shape: "slidingWindow", whenFull: "wait" },
        timeout: 1,
      },
      layers: [{ retry: { attempts: 1, backoff: "exponential", jitter: "none" } }, {}],
    },
    callers: [
      { at: 2, to: 0, abort: "inside", meets: [] },
      { at: 0, to: 0, deadline: 21, abort: "never", meets: [{ gives: "value", after: 1 }] },
      { at: 0, to: 0, meets: [{ gives: "value", after: 10 }] },
      { at: 40, to: 0, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
