// A user's `discard` was given `undefined` when a second attempt had waited for its place: there was nothing to let go.
import { expect, it } from "vitest";
import { bulkhead, eventBus, protect } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it("nothing is given to `discard` where nothing was dropped", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const dropped: unknown[] = [];
  const places = bulkhead({ concurrency: 1, queue: 1 });
  const answers = script<string>({ error: new Error("down") }, { value: "up" });
  const call = protect("call", answers, {
    bulkhead: places,
    retry: { base: 10, jitter: "none" },
    discard: (value) => void dropped.push(value),
  });
  const answer = call(undefined);
  await clock.advance(5);
  const permit = places.acquire();
  await clock.advance(20);
  permit?.done({ ok: true, value: undefined });
  await clock.advance("1s");
  expect(await answer).toBe("up");
  expect(dropped).toEqual([]);
});
