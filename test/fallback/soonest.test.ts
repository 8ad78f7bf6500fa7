// When all ways are at their limits: the error says when the first of them is free again, whichever it is.
import {
  type Duration,
  FallbackExhaustedError,
  HoldfastError,
  problem,
  protect,
  RateLimitedError,
  rateLimit,
  settled,
} from "holdfast";
import { script, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";

const busy = (retryAfterMs?: number) =>
  new HoldfastError("busy", { code: "RATE_LIMITED", retryable: true, ...(retryAfterMs && { retryAfterMs }) });
const failing = (error: unknown, after = 0) => script<string>({ error, after });

function setup() {
  const clock = testClock();
  const used = seams({ clock, random: () => 0 });
  return { clock, [Symbol.dispose]: () => used[Symbol.dispose]() };
}

async function failed(run: Promise<unknown>): Promise<HoldfastError> {
  return run.then(
    () => expect.unreachable(),
    (error) => error,
  );
}

/** A call before a quota of one a so long, which is used up. */
async function spent(per: Duration) {
  const call = protect("x", async () => "x", {
    rateLimit: { requests: { limit: 1, per }, whenFull: "reject" },
  });
  await call();
  return call;
}

describe("a call whose tiers are all at their limits", () => {
  it("says when the earliest may be asked, where none was asked beside the first", async () => {
    using given = setup();
    const { clock } = given;
    const quota = rateLimit({ requests: { limit: 1, per: "30s" }, whenFull: "reject" });
    const call = protect("draft", async () => "draft", {
      ...{ rateLimit: quota, retry: { attempts: 1 } },
      fallback: [await spent("10s"), await spent("2s"), await spent("20s")],
    });
    await call();
    await clock.advance(500);
    const error = await failed(call());
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ code: "RATE_LIMITED", quota: "requests", retryAfterMs: 1_500, retryable: true });
    expect(error.message).toMatch(/quota of requests.*again in 29 500 ms\. Another tier may be asked in 1 500 ms\.$/);
    expect(error.cause).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 29_500 });
    expect(problem(error).headers["retry-after"]).toBe("2");
    expect((await settled(call)()).story).toMatchObject({ state: "notAdmitted" });
  });

  it("keeps the first's own error where that is the earliest", async () => {
    using _ = setup();
    const own = busy(1_000);
    const call = protect("draft", failing(own), { fallback: [await spent("10s")] });
    expect(await failed(call(undefined))).toBe(own);
    const plain = new Error("down");
    const other = protect("draft", failing(plain), { fallback: [await spent("10s")] });
    expect(await failed(other(undefined))).toBe(plain);
  });

  it("says when the earliest may be asked, where tiers were asked: by now, and not when each was refused", async () => {
    using given = setup();
    const { clock } = given;
    const limited = (seconds: number) =>
      Object.assign(new Error("limited"), { status: 429, headers: { "retry-after": `${seconds}` } });
    const call = protect("draft", failing(limited(60)), {
      fallback: [failing(limited(5)), failing(limited(9), 2_000), await spent("50s")],
    });
    const run = failed(call(undefined));
    await clock.advance(2_000);
    const error = await run;
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect(error.retryAfterMs).toBe(3_000);
    expect(error.message).toMatch(/The first may be asked again in 3 000 ms\.$/);
    const outer = await settled(protect("outer", async () => Promise.reject(error)))();
    expect(outer).toMatchObject({ ok: false, story: { failures: [{ kind: "rateLimited" }] } });
    expect(problem(error)).toMatchObject({ headers: { "retry-after": "3" } });
  });

  it("says nothing of it where one of them does not say", async () => {
    const call = protect("draft", failing(busy(60_000)), { fallback: [failing(new Error("down"))] });
    expect((await failed(call(undefined))).retryAfterMs).toBeUndefined();
  });
});
