// What a cache keeps for all was closed when one of them did not want it: a gate outside refused it, or a retry asked anew.
import { expect, it } from "vitest";
import { z } from "zod";
import { cache, eventBus, fallback, gate, pipe, retry } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

function setup() {
  const clock = testClock();
  const handle = { closed: 0, [Symbol.dispose]: () => void handle.closed++ };
  return { clock, handle, _: seams({ clock, events: eventBus() }) };
}

it("what a gate outside the cache refuses is still what the cache keeps", async () => {
  const { clock, handle, _: restore } = setup();
  using _ = restore;
  const call = pipe(
    script<unknown>({ value: handle, after: 10 }),
    cache({ ttl: "1m" }),
    gate(z.string()),
    fallback([async () => "another"]),
  );
  const both = Promise.all([call(undefined), call(undefined)]);
  await clock.advance(20);
  expect(await both).toEqual(["another", "another"]);
  expect(await call(undefined)).toBe("another"); // found in the cache, and refused
  expect(handle.closed).toBe(0);
});

it("so is what a retry outside the cache asks for again", async () => {
  const { clock, handle, _: restore } = setup();
  using _ = restore;
  const call = pipe(
    script<unknown>({ value: handle, after: 10 }),
    cache({ ttl: "1m" }),
    retry({ attempts: 3, base: 1, when: () => true }),
  );
  const answer = call(undefined);
  await clock.advance("1s");
  expect(await answer).toBe(handle);
  expect(handle.closed).toBe(0);
});
