// A value that tells of a failure was a success when a hedge beside it had failed otherwise, and no tier was asked.
import { expect, it } from "vitest";
import { eventBus, protect, settled } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it("what failed by its value is still a failure after a hedge has failed, and a tier was passed over", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const failed = { error: { code: 500, message: "failed, with status 200" } };
  const down = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  const operation = script<unknown>({ value: failed, after: 20 }, { error: down });
  const call = protect("call", operation, {
    hedge: { after: 10 },
    fallback: [{ name: "second", operation: async () => "second", when: () => false }],
  });
  const ended = settled(call)(undefined);
  await clock.advance("1s");
  expect((await ended).story.state).toBe("failed");
});
