// With a retry inside the bulkhead and one outside, a call kept its place while it tried again, and waited for that place for ever.
import { expect, it } from "vitest";
import { bulkhead, eventBus, pipe, retry } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it("a call that tries again waits for no place of its own, however many retries there are", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const down = { error: Object.assign(new Error("down"), { status: 503 }) };
  const places = bulkhead({ concurrency: 1, queue: 1 });
  const call = pipe(
    script<string>(down, down, { value: "up" }),
    retry({ attempts: 2, base: 10 }),
    places,
    retry({ attempts: 2, base: 10 }),
  );
  const answer = call(undefined);
  await clock.advance("1m");
  expect([places.running, places.queued]).toEqual([0, 0]);
  expect(await answer).toBe("up");
});
