// A user's `discard` was given the reason for which the caller had gone, when a hedge waited in his place: that is no result.
import { expect, it } from "vitest";
import { eventBus, protect, settled } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it("why a hedged call has ended is not given to `discard`", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const dropped: unknown[] = [];
  const call = protect("call", script("never"), {
    hedge: { after: 10 },
    rateLimit: { requests: { limit: 1, per: "1m" } },
    discard: (value) => void dropped.push(value),
  });
  const caller = new AbortController();
  const ended = settled(call)(undefined, { signal: caller.signal });
  await clock.advance(11);
  caller.abort(new Error("gone"));
  expect((await ended).story.state).toBe("cancelled");
  await clock.advance("5m");
  expect(dropped).toEqual([]);
});
