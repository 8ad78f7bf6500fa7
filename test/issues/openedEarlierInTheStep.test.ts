// A breaker that had opened by the first of two hedged outcomes of one moment was held to have counted both.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("a breaker has counted what there was when it opened, be that before the last outcome of the moment", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: { breaker: { window: 3_600_000, breakTime: 10, halfOpenCalls: 1 }, hedge: { after: 10 } },
    },
    hostile: "listener",
    callers: [
      { at: 0, to: 0, abort: "never", meets: [] },
      { at: 0, to: 0, criticality: "critical", meets: [] },
      {
        at: 0,
        to: 0,
        within: 50,
        meets: [
          { gives: "throws", deaf: true },
          { gives: "value", after: 10, deaf: true },
        ],
      },
      { at: 0, to: 0, meets: [] },
      { at: 0, to: 0, deadline: 1, abort: "inside", meets: [] },
      {
        at: 0,
        to: 0,
        key: true,
        accept: "fresh",
        criticality: "critical",
        within: 50,
        meets: [{ gives: "400", after: 50 }],
      },
      { at: 0, to: 0, abort: 10, criticality: "critical", within: 10, meets: [] },
      { at: 0, to: 0, abort: 11, key: true, meets: [{ gives: "own abort", after: 10 }] },
      { at: 0, to: 0, within: 20, meets: [{ gives: "400", after: 50, deaf: true }] },
      { at: 0, to: 0, abort: 10, bad: true, meets: [{ gives: "nothing", after: 10 }] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
