// What a refusal for too much says: which limit, whose place, and what helps.
import { describe, expect, it } from "vitest";
import { BulkheadFullError } from "../../src/core/fullError.ts";
import { LoadShedError, RateLimitedError, ShuttingDownError } from "../../src/core/loadErrors.ts";

describe("a refusal", () => {
  it.each<[what: string, error: Error, message: string]>([
    [
      "by its own rate limit",
      new RateLimitedError("draft", "requests", 250),
      '"draft" was not called: the quota of requests of its rate limit is used up. There is room again in 250 ms.',
    ],
    [
      "by one named as it is",
      new RateLimitedError("draft", "tokens", 250, "draft"),
      '"draft" was not called: the quota of tokens of its rate limit is used up. There is room again in 250 ms.',
    ],
    [
      "by another's",
      new RateLimitedError("draft", "money", undefined, "claude"),
      '"draft" was not called: the quota of money of the rate limit "claude" is used up. It asks for more than the rate limit "claude" ever lets through.',
    ],
    [
      "for too much to do",
      new LoadShedError("draft", "sheddable", "limit"),
      '"draft" (sheddable) was not called: as much runs as can be served well. Send less, or say a higher `criticality` where it is true.',
    ],
    [
      "with a time to come back",
      new LoadShedError("draft", "normal", "eventLoop", 1_000),
      '"draft" (normal) was not called: the event loop is behind. Try again in 1 000 ms, send less, or say a higher `criticality` where it is true.',
    ],
    [
      "by a limit that the call around it holds",
      new LoadShedError("draft", "normal", "fairness", 1_000, "outer"),
      '"draft" (normal) was not called: its tenant has had its share. "outer", in which it was made, has a place there and may be waiting for it: lay the adaptive limit round one of the two.',
    ],
    [
      "by a bulkhead named as it is",
      new BulkheadFullError("draft", 2, 1, "queueTimeout", { limit: 1, bulkhead: "draft" }),
      '"draft" was not called: no place in its bulkhead came free while it waited (2 running, 1 allowed, 1 waiting). Send less at once, or raise its `concurrency` or `queueTimeout`.',
    ],
    [
      "by a bulkhead of another name, for a more critical one",
      new BulkheadFullError("draft", 1, 1, "displaced", { bulkhead: "db" }),
      '"draft" was not called: a more critical call took its place in the queue of the bulkhead "db" (1 running, 1 allowed, 1 waiting). Send less at once, raise its `concurrency` or `queue`, or say a higher `criticality`.',
    ],
    [
      "by a bulkhead that the call around it holds",
      new BulkheadFullError("draft", 1, 0, "full", { bulkhead: "db", heldBy: "outer" }),
      '"draft" was not called: the bulkhead "db" is full (1 running, 1 allowed, 0 waiting). "outer", in which it was made, has a place there and may be waiting for it: lay the bulkhead round one of the two.',
    ],
    [
      "by a component that shuts down",
      new ShuttingDownError("draft", "claude"),
      '"draft" was not called: "claude" is shutting down and begins nothing new. Ask another instance.',
    ],
  ])("%s", (_, error, message) => {
    expect(error.message).toBe(message);
  });

  it("may be tried again only where it says when", () => {
    const limited = (ms?: number) => new RateLimitedError("draft", "requests", ms);
    const shed = (ms?: number) => new LoadShedError("draft", "normal", "limit", ms);
    expect([limited(5), limited(), shed(5), shed()].map(({ retryable }) => retryable)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([limited(5).retryAfterMs, shed(0).retryAfterMs]).toEqual([5, 0]);
    expect([limited(5).limit, "heldBy" in shed(), "heldBy" in new BulkheadFullError("draft", 1, 0)]).toEqual([
      "",
      false,
      false,
    ]);
  });
});
