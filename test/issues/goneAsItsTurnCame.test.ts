// Who went away in the turn in which a rate limit let him in had taken what nobody gave back.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("what was taken for one who went as his turn came is there for the next", async () => {
  const critical = { at: 0, to: 0, criticality: "critical", meets: [] } as const;
  const normal = { at: 0, to: 0, meets: [] } as const;
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: { rateLimit: { limit: 2, per: 20, shape: "tokenBucket", whenFull: "wait" }, timeout: 10 },
    },
    callers: [
      { at: 0, to: 0, within: 1, meets: [] },
      critical,
      { at: 1, to: 0, shares: true, key: true, meets: [] },
      { at: 6, to: 0, abort: 35, accept: "fresh", criticality: "critical", meets: [] },
      { ...normal, key: true },
      { ...normal, deadline: 200, abort: 100, bad: true },
      { ...critical, abort: 30 },
      { ...normal, key: true },
      { ...critical, abort: "never" },
      { ...normal, abort: 100, shares: true },
      { ...critical, at: 6, key: true },
      { ...normal, meets: [{ gives: "value", after: 1 }] },
      critical,
      normal,
    ],
    seed: 0,
    watched: false,
  });
  expect(violations).toEqual([]);
});
