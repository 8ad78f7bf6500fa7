// A caller went away while the answer of a cache was on its way to him through a limit of time: it was closed, and the cache went on giving it.
import { expect, it } from "vitest";
import { cache, deadline, eventBus, pipe, timeout } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

it.each([
  ["a timeout", timeout("1m")],
  ["a deadline", deadline("1m")],
])(
  "what a cache keeps stays open when its caller goes away, also inside %s that has another round it",
  async (_, limit) => {
    const clock = testClock();
    using __ = seams({ clock, events: eventBus() });
    const handle = { closed: 0, [Symbol.dispose]: () => void handle.closed++ };
    const call = pipe(script<unknown>({ value: handle }), cache({ ttl: "1m" }), timeout("1s"), limit, timeout("2m"));
    await call(undefined);
    const gone = new AbortController();
    const answer = call(undefined, { signal: gone.signal });
    gone.abort(new Error("gone"));
    await expect(answer).rejects.toThrow("gone");
    await clock.advance(1);
    expect(handle.closed).toBe(0);
    expect(await call(undefined)).toBe(handle);
  },
);
