// What a shared load's tier had sent was forgotten with the caller in whose name it was told: a further tier was asked.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("what must not happen twice is asked of no further tier by a load that goes on for another caller", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        deadline: 1,
        retry: { attempts: 1, base: 0, jitter: "none", patience: 0, maxElapsed: 1 },
        breaker: { minimumCalls: 1, breakTime: 10, halfOpenCalls: 1 },
        once: true,
        tiers: [{ own: { retry: { base: 0, jitter: "none" }, hedge: { after: 10 }, timeout: 1 } }, {}],
        cache: { ttl: 1, keys: 1 },
      },
    },
    callers: [
      {
        at: 73,
        to: 0,
        deadline: 10,
        abort: 10,
        criticality: "critical",
        meets: [{ gives: "nothing", after: 10 }, { gives: "refused" }],
      },
      { at: 53, to: 0, abort: "never", meets: [{ gives: "400", after: 10 }] },
      { at: 74, to: 0, abort: 10, meets: [] },
      { at: 0, to: 0, deadline: 10, bad: true, meets: [{ gives: "400", after: 1 }] },
    ],
    seed: 0,
    watched: false,
  });
  expect(violations).toEqual([]);
});
