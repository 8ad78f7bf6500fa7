// What a hedge asks in the operation's place has its own layers: fewer than the operation, and the first was looked for behind them.
import { protect } from "holdfast";
import { script, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";

describe("a hedge to another target", () => {
  it("asks it whatever stands round the operation: breaker and limits are the operation's own", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const other = script({ value: "other", after: 50 });
    const call = protect("call", script("never"), {
      breaker: {},
      bulkhead: 1,
      adaptiveLimit: {},
      rateLimit: { requests: { limit: 1, per: "1h" } },
      timeout: "1s",
      hedge: { after: 100, to: [other] },
    });
    let answer: unknown;
    call(undefined).then((value) => {
      answer = value;
    });
    await clock.advance(150);
    expect(answer).toBe("other");
  });
});
