// With smooth spacing, the place of one who went in the turn in which it was let in stayed empty, and the next waited on.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("the last place of a smooth row is there again when nobody came to use it", async () => {
  const at = (ms: number, more: object = {}) => ({ at: ms, to: 0, meets: [], ...more });
  const critical = { criticality: "critical" } as const;
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: { rateLimit: { limit: 2, per: 20, shape: "smooth", whenFull: "wait" }, timeout: 10 },
    },
    callers: [
      at(1, { within: 19 }),
      at(21, critical),
      at(12, { shares: true, key: true }),
      at(21, { ...critical, abort: 20, accept: "fresh" }),
      at(1, { key: true }),
      at(1, { deadline: 200, abort: 100, bad: true }),
      at(0, { ...critical, abort: 10 }),
      at(1, { key: true }),
      at(21, { ...critical, abort: "never" }),
      at(20, { abort: 100, shares: true }),
      at(78, { ...critical, deadline: 10, abort: 43 }),
      at(11, { deadline: 100, key: true, within: 100 }),
      at(21, { ...critical, key: true }),
      at(0, critical),
      at(12),
    ],
    seed: 0,
    watched: false,
  });
  expect(violations).toEqual([]);
});
