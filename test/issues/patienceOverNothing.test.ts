// When a caller's patience with a load was over and what was known had become too old meanwhile, the load was cut and begun anew.
import { expect, it } from "vitest";
import { eventBus, protect, settled } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it("whose patience is over and who may have nothing stale any more waits on for the load that runs", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const load = script<string>({ value: "old" }, { value: "new", after: 60 });
  const call = protect("call", load, { cache: { ttl: 100, whileRevalidating: 50, patience: 40 } });
  await call("key");
  await clock.advance(120);
  const answer = settled(call)("key"); // stale for 30 ms more, its patience is longer
  await clock.advance(60);
  const { value, story } = (await answer) as { value: string } & Awaited<typeof answer>;
  expect([value, story.state, story.elapsedMs]).toEqual(["new", "succeeded", 60]);
  expect(load.calls).toHaveLength(2);
});
