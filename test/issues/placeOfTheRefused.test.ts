// Refused by the breaker when its turn had come, a call kept its place in the bulkhead while its retry waited for the probe.
import { expect, it } from "vitest";
import { breaker, bulkhead, eventBus, pipe, retry, timeout } from "../../src/index.ts";
import { seams, testClock } from "../../src/testing/index.ts";

it("who is refused after he got a place holds none while his retry waits", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const places = bulkhead({ concurrency: 1, queue: 1 });
  const call = pipe(
    (_: void, { signal }: { signal: AbortSignal }) => clock.sleep(1_000, signal).then(() => "done"),
    timeout(1),
    places,
    breaker({ consecutiveFailures: 1, breakTime: 50 }),
    retry({ attempts: 1 }),
  );
  const first = call().catch(() => "timed out"); // opens the breaker
  const second = call(undefined, { signal: new AbortController().signal }).catch(() => "refused"); // queues meanwhile
  await clock.advance(2);
  expect(await first).toBe("timed out");
  expect([places.running, places.queued]).toEqual([0, 0]);
  await clock.advance("1m");
  await second;
});
