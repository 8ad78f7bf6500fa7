// An abort while a tier was being looked at: nothing was called, and yet it was told that the tier had been asked.
import { expect, it } from "vitest";
import { eventBus, protect, settled } from "../../src/index.ts";
import { record, seams, testClock } from "../../src/testing/index.ts";

it("a tier that is not asked any more is neither told of nor in the story: the abort came first", async () => {
  const clock = testClock();
  const events = eventBus();
  using _ = seams({ clock, events });
  const seen = record(events);
  const caller = new AbortController();
  const call = protect(
    "call",
    (): Promise<string> => {
      caller.abort(new Error("gone"));
      throw new Error("before there was a promise");
    },
    { fallback: [{ name: "copy", operation: async () => "copy" }] },
  );
  const { story } = await settled(call)(undefined, { signal: caller.signal });
  await clock.advance("1s");
  expect(seen.of("fallback.used")).toEqual([]);
  expect(seen.of("call.settled")).toMatchObject([{ state: "cancelled", tier: 0 }]);
  expect(story).toMatchObject({ state: "cancelled", tier: 0, attempts: 1 });
});
