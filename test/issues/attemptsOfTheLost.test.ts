// Of three runs of a hedge with a cache inside, the one that was still running when another won was counted after the call
// had settled: `call.settled` said two attempts, and the story three.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("attempts of runs that lost are counted when the call settles, also where they were loads of a cache", async () => {
  const { violations } = await run({
    stack: {
      kind: "pipe",
      layers: [
        { kind: "cache", cache: { ttl: 1, keys: 1 } },
        { kind: "hedge", hedge: { after: 10, extra: 2 } },
      ],
    },
    callers: [
      {
        at: 0,
        to: 0,
        accept: "uncached",
        meets: [
          { gives: "value", after: 100 },
          { gives: "value", after: 50 },
        ],
      },
      { at: 0, to: 0, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
