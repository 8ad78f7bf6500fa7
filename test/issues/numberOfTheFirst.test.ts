// A key is read from the context of a hedged call, which is none of its attempts: the first of those had the number 2.
import { expect, it } from "vitest";
import { eventBus, protect } from "../../src/index.ts";
import { record, script, seams, testClock } from "../../src/testing/index.ts";

it("the first attempt of a hedged call with a key has the number 1", async () => {
  const events = eventBus();
  using _ = seams({ clock: testClock(), events });
  const seen = record(events);
  const operation = script({ value: "well" });
  const call = protect("call", operation, { hedge: { after: 10 }, idempotencyKey: () => "key" });
  expect(await call(undefined)).toBe("well");
  expect(seen.of("attempt.started").map(({ attempt }) => attempt)).toEqual([1]);
  expect(operation.calls.map(({ context }) => [context.attempt, context.idempotencyKey])).toEqual([[1, "key"]]);
});
