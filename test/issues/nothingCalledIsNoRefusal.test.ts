// A round in which no operation was called was taken for a refusal, whatever it came to: an answer was thrown away, a failure not tried again.
import { expect, it } from "vitest";
import { z } from "zod";
import { cache, defineWrapper, eventBus, type PromiseStyle, pipe, retry, settled } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

const down = { error: Object.assign(new Error("down"), { status: 503 }) };
const persistent = retry({ base: 100, jitter: "none" });

it("an answer that a later round finds in a cache is the answer, though an earlier round has failed", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const load = script<string>(down, { value: "loaded" });
  const call = pipe(load, cache({ ttl: "1m" }), persistent);
  const first = settled(call)("key");
  await clock.advance(50);
  expect(await call("key")).toBe("loaded"); // by somebody else, while the first waits
  await clock.advance(100);
  expect(await first).toMatchObject({ ok: true, value: "loaded", story: { state: "succeeded", attempts: 1 } });
  expect(load.calls).toHaveLength(2);
});

it("what a layer of one's own fails with before it calls the operation is tried again like any other failure", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const tokens = script<string>(down, { value: "token" });
  const signed = defineWrapper("signed", z.object({}), {}, () => ({
    around: ((operation: (input: string, context: never) => Promise<unknown>) =>
      async (input: string, context: never) =>
        operation(`${input} with ${await tokens(undefined, context)}`, context)) as unknown as PromiseStyle,
  }));
  const answer = pipe(async (request: string) => request, signed, persistent)("request");
  await clock.advance("1s");
  expect(await answer).toBe("request with token");
});

it("what a function of the user's throws in a later round ends the call with its error, not with an earlier failure", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  let asked = 0;
  const checking = defineWrapper("checking", z.object({}), {}, () => ({
    bracket: {
      before({ input }) {
        if (++asked > 1) throw new Error("thrown by the user's");
        return input;
      },
    },
  }));
  const answer = pipe(script<string>(down), checking, persistent)(undefined).catch((error) => error.message);
  await clock.advance("1s");
  expect(await answer).toBe("thrown by the user's");
});
