// Of a probe whose caller went away as it was called, the simulator's reading of a breaker forgot that it may have counted.
import { expect, it } from "vitest";
import { run } from "../simulation/run.ts";

it("a breaker that wants two probes closes after one that is sure and one that is the library's to judge", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        retry: { attempts: 1, base: 0, backoff: "exponential", jitter: "none" },
        breaker: { failureRate: 0.2, minimumCalls: 1, window: 50, breakTime: 10, halfOpenCalls: 2 },
        bulkhead: { concurrency: 1 },
        once: true,
        cache: { ttl: 1, keys: 1, whileRevalidating: 1 },
      },
    },
    callers: [
      { at: 324, to: 0, abort: "never", meets: [{ gives: "value", after: 2 }] },
      { at: 326, to: 0, abort: "inside", meets: [] },
      { at: 323, to: 0, deadline: 1, meets: [] },
      { at: 326, to: 0, meets: [] },
      { at: 0, to: 0, abort: 10, meets: [] },
    ],
    seed: 0,
    watched: false,
  });
  expect(violations).toEqual([]);
});

it("a probe that fails in the turn in which its caller goes away may have counted, and the breaker be open again", async () => {
  const meets = [{ gives: "throws", deaf: true }] as const;
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        deadline: 10,
        retry: { attempts: 1, jitter: "none" },
        breaker: { consecutiveFailures: 1, window: 50, breakTime: 40, halfOpenCalls: 1 },
        bulkhead: { concurrency: 1 },
        tiers: [{}],
      },
    },
    callers: [
      { at: 47, to: 0, abort: "inside", meets },
      { at: 7, to: 0, shares: true, meets },
      { at: 47, to: 0, deadline: 10, meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});

it("a breaker that is open again and whose break is over is not still the one that was tried before", async () => {
  const { violations } = await run({
    stack: {
      kind: "protect",
      layers: {
        deadline: 10,
        retry: { attempts: 1, base: 0 },
        breaker: { minimumCalls: 1, breakTime: 10, halfOpenCalls: 1, slow: { rate: 0.5, duration: 10 } },
        cache: { ttl: 1, keys: 1, staleOnError: 1, whileRevalidating: 10 },
      },
    },
    callers: [
      { at: 46, to: 0, meets: [{ gives: "value", after: 10, deaf: true }] },
      { at: 0, to: 0, deadline: 10, meets: [{ gives: "value", after: 10 }] },
      { at: 16, to: 0, key: true, meets: [{ gives: "value", after: 10 }] },
      { at: 57, to: 0, abort: "never", meets: [] },
    ],
    seed: 0,
    watched: true,
  });
  expect(violations).toEqual([]);
});
