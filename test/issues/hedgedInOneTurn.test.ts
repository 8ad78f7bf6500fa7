// A hedge's other target that failed in the turn in which it was begun, for good, left a rejection that nobody heard.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("a first that fails for good and another target that fails at once end the call once", async () => {
  const { violations } = await run({
    stack: {
      kind: "pipe",
      layers: [
        { kind: "hedge", hedge: { after: 1, to: true } },
        { kind: "bulkhead", bulkhead: { concurrency: 1, queue: 0, abandonAfter: 10 } },
      ],
    },
    callers: [
      { at: 0, to: 0, within: 10, meets: [{ gives: "bug" }, { gives: "throws", after: 0 }] },
      { at: 0, to: 0, meets: [] },
    ],
    seed: 0,
    watched: false,
  });
  expect(violations).toEqual([]);
});
