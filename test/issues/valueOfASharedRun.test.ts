// The run that callers of a cache share forgot what it gave, so a fallback outside the cache no longer knew that it tells of a failure.
import { expect, it } from "vitest";
import { bulkhead, cache, eventBus, fallback, named, pipe, protect, settled } from "../../src/index.ts";
import { seams } from "../../src/testing/index.ts";
import { run } from "../simulation/run.ts";

const failing = async (_: string) => ({ error: { code: 500, message: "failed, with status 200" } });

it("a value that tells of a failure leaves the call failed, also when it came through a cache and no tier was asked", async () => {
  using _ = seams({ events: eventBus() });
  const call = pipe(
    named("call", failing),
    bulkhead({ concurrency: 1 }),
    cache({ ttl: "1m" }),
    fallback([{ name: "other", operation: failing, when: () => false }]),
  );
  const { ok, story } = await settled(call)("key");
  expect(ok).toBe(true);
  expect(story).toMatchObject({ state: "failed", tier: 0, failures: [{ kind: "transient" }] });
});

it("what a call's own `classify` found of such a value is asked once", async () => {
  using _ = seams({ events: eventBus() });
  let asked = 0;
  const call = protect("call", failing, {
    cache: { ttl: "1m" },
    bulkhead: 1,
    classify: (seen, standard) => {
      asked++;
      return standard(seen);
    },
  });
  const { story } = await settled(call)("key");
  expect(story.state).toBe("failed");
  expect(asked).toBe(1);
});

it("as the simulator found it: the breaker of a tier is open, and the tier is skipped", async () => {
  const own = {
    deadline: 1,
    retry: { attempts: 1, base: 0, jitter: "none" },
    breaker: { minimumCalls: 1, window: 50, halfOpenCalls: 1, ramp: 50, slow: { rate: 0.5, duration: 10 } },
    bulkhead: { concurrency: 1, queue: 0 },
  } as const;
  const { violations } = await run({
    stack: {
      kind: "pipe",
      layers: [
        { kind: "bulkhead", bulkhead: { concurrency: 1, queue: 0 } },
        { kind: "cache", cache: { ttl: 10, keys: 1, negative: 10 } },
        { kind: "fallback", tiers: [{ own }] },
      ],
    },
    callers: [
      { at: 0, to: 0, abort: "never", key: true, meets: [{ gives: "error as value", after: 0 }] },
      { at: 1, to: 0, meets: [{ gives: "error as value", after: 10 }] },
      { at: 0, to: 0, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
