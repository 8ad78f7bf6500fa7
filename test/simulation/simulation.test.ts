// A slice of what `npm run simulate` plays, and that it plays the same again.
import { describe, expect, it } from "vitest";
import { accountOf } from "./account.ts";
import { search } from "./search.ts";

describe("of random stacks, services and callers", { timeout: 60_000 }, () => {
  it.each([1, 2, 3, 4, 5])("every rule holds after every step: 1000 calls of seed %i", async (seed) => {
    const { found, calls, runs } = await search({ seed, calls: 1_000 });
    expect(found && accountOf(found.plan, found.violations)).toBeUndefined();
    expect(calls).toBeGreaterThanOrEqual(1_000);
    expect(runs).toBeGreaterThan(500);
  });

  it("the same seed gives the same trace, and another seed another one", async () => {
    const traced = async (seed: number) => {
      const hashes: string[] = [];
      await search({ seed, calls: 500, played: ({ hash }) => hashes.push(hash) });
      return hashes;
    };
    const first = await traced(6);
    expect(await traced(6)).toEqual(first);
    expect(await traced(7)).not.toEqual(first);
  });

  it("everything happens that can: each state, and each event of what is built", async () => {
    const seen = new Set<string>();
    await search({
      seed: 8,
      calls: 6_000,
      played({ world }) {
        for (const { type } of world.events) seen.add(type);
        for (const { result } of world.callers) if (result !== undefined) seen.add(result.story.state);
      },
    });
    expect(wanted.filter((one) => !seen.has(one))).toEqual([]);
  });
});

const wanted = [
  ...["succeeded", "degraded", "rejected", "notAdmitted", "timedOut", "cancelled", "failed"],
  ...["call.started", "call.settled", "attempt.started", "attempt.failed", "attempt.abandoned", "attempt.ended"],
  ...["input.rejected", "output.rejected", "retry.scheduled", "retry.exhausted"],
  ...["fallback.used", "fallback.skipped", "fallback.exhausted", "deadline.exceeded", "credentials.refused"],
  ...["breaker.opened", "breaker.halfOpened", "breaker.closed", "breaker.refused", "breaker.ignored"],
  ...["bulkhead.queued", "bulkhead.refused", "bulkhead.abandoned", "cache.hit", "cache.missed"],
  ...["hedge.started", "hedge.refused", "budget.spent", "limit.waited", "limit.refused", "limit.changed", "call.shed"],
  ...["urgency.raised", "shutdown.started"],
  ...["options.changed", "listener.failed"],
];
