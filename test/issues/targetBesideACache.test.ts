// Another target of a hedge was asked without the gate, where a cache stood between the gate and the hedge.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("the answer of another target has passed the gate, also where that stands inside a cache", async () => {
  const { violations } = await run({
    stack: {
      kind: "pipe",
      layers: [
        { kind: "gate", checks: "now" },
        { kind: "cache", cache: { ttl: 1_000, keys: 1 } },
        { kind: "hedge", hedge: { after: 1, to: true } },
      ],
    },
    callers: [
      { at: 0, to: 0, within: 1, meets: [{ gives: "value", after: 10 }] },
      { at: 0, to: 0, shares: true, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
