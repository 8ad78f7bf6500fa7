// The first of those who shared a load left while it waited for its place: the operation was then called in the name of a story that knows nothing of it.
import { expect, it } from "vitest";
import { bulkhead, type CallContext, eventBus, protect, settled } from "../../src/index.ts";
import { seams, testClock } from "../../src/testing/index.ts";

it("an operation is called in the name of a story that has the attempt, also when whoever began its load has left", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const places = bulkhead({ concurrency: 1, queue: 1 });
  const named: string[] = [];
  const load = async (_: string, { call }: CallContext) => {
    named.push(call);
    return "loaded";
  };
  const call = protect("call", load, { cache: { ttl: "1m" }, bulkhead: places });
  const permit = places.acquire();
  const first = settled(call)("key", { deadline: 10 });
  const second = settled(call)("key");
  await clock.advance(20);
  permit?.done({ ok: true, value: undefined });
  const [left, stayed] = await Promise.all([first, second]);
  expect(left.story).toMatchObject({ state: "timedOut", attempts: 0 });
  expect(stayed.story).toMatchObject({ state: "succeeded", attempts: 1 });
  expect(named).toEqual([stayed.story.id]);
});
