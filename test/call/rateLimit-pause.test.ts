// How long one answer may hold back all who share a limit, and by whose clock.
import { configure, explain } from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import type { RateLimitOptions } from "../../src/call/rateLimit.ts";
import { setup as limited, turn } from "./rateLimit-setup.ts";

const hour = 3_600_000;
const centuries = "9999999999";
const refused = (headers: Record<string, string>) => () => new Response("", { status: 429, headers });

function setup(options: RateLimitOptions<unknown>) {
  const all = limited({ whenFull: "reject", ...options });
  const call = all.limit(async (_: unknown) => 1);
  const state = () => explain(call).find(({ kind }) => kind === "rateLimit")?.state;
  return { ...all, call, state };
}

describe("a pause", () => {
  it.each([
    ["a minute at least", "1s", 60_000],
    ["the longest period of the quotas", "10m", 600_000],
    ["an hour at most", 24 * hour, hour],
  ] as const)("that one answer asks for is kept no longer than %s", async (_, per, kept) => {
    const { begin, clock, starts, state } = setup({
      requests: { limit: 100, per },
      tokens: { limit: 100, per: "1s" },
    });
    begin(refused({ "retry-after": centuries }));
    await turn();
    const second = begin();
    await turn();
    expect(second.error).toMatchObject({ retryAfterMs: kept });
    expect(state()).toMatchObject({ pausedMs: kept, left: { requests: 0 } });
    await clock.advance(kept);
    expect(state()).toMatchObject({ pausedMs: 0 });
    begin(refused({ "retry-after": centuries }));
    await turn();
    expect([starts.length, state()]).toMatchObject([2, { pausedMs: kept }]);
  });

  it("is as long as was asked for where that is less", async () => {
    const { begin, state } = setup({ requests: { limit: 100, per: "1s" } });
    begin(refused({ "retry-after": "12" }));
    await turn();
    expect(state()).toMatchObject({ pausedMs: 12_000 });
  });

  it("is lifted by a change of the limit, which lets waiters in, and by a reset", async () => {
    const { begin, call, starts, state } = setup({ requests: { limit: 100, per: "1m" }, whenFull: "wait" });
    for (const lift of [() => configure(call, { rateLimit: { maxWait: "2m" } }), reset]) {
      starts.length = 0;
      begin(refused({ "retry-after": "50" }));
      await turn();
      begin();
      await turn();
      expect([starts.length, state()]).toMatchObject([1, { pausedMs: 50_000, waiting: 1 }]);
      lift();
      expect(state()).toMatchObject({ pausedMs: 0 });
      await turn();
      expect(starts).toHaveLength(2);
    }
  });

  it("of a key is its own, and the longest of all is shown", async () => {
    const { begin, state } = setup({ requests: { limit: 9, per: "1m" }, key: (key: unknown) => String(key) });
    for (const wait of ["20", "30"]) begin(refused({ "retry-after": wait }), wait);
    await turn();
    begin(undefined, "other");
    await turn();
    expect(state()).toEqual({ keys: 3, waiting: 0, pausedMs: 30_000 });
  });
});

describe("what is told as a point in time", () => {
  const told = (clock: { now(): number }, skewMs: number, resetMs: number) => {
    const theirs = clock.now() + skewMs;
    return {
      date: new Date(theirs).toUTCString(),
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": new Date(theirs + resetMs).toISOString(),
    };
  };

  it.each([-hour, 0, hour])("is taken by the clock of whoever sent it: %d ms from ours", async (skew) => {
    for (const status of [200, 429]) {
      const { begin, clock } = setup({ requests: { limit: 100, per: "1m" }, headers: "anthropic" });
      begin(() => new Response("", { status, headers: told(clock, skew, 20_000) }));
      await turn();
      const next = begin();
      await turn();
      expect(next.error).toMatchObject({ retryAfterMs: 20_000 });
    }
  });

  it("is believed no longer than the quota's own period", async () => {
    const { begin, clock } = setup({ requests: { limit: 100, per: "1s" }, headers: "anthropic" });
    const { date, ...undated } = told(clock, hour, 500);
    for (const headers of [undated, { date, ...undated }]) {
      begin(() => new Response("", { headers }));
      await turn();
      const next = begin();
      await turn();
      expect((next.error as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(1_000);
      await clock.advance("1s");
    }
  });

  it("by a client's error with the headers of an answer likewise", async () => {
    const { begin, clock } = setup({ requests: { limit: 100, per: "1m" } });
    const date = new Date(clock.now() - hour).toUTCString();
    const headers = { Date: date, "Retry-After": new Date(Date.parse(date) + 30_000).toUTCString() };
    begin(() => Promise.reject(Object.assign(new Error("429"), { status: 429, headers })));
    await turn();
    const next = begin();
    await turn();
    expect(next.error).toMatchObject({ retryAfterMs: 30_000 });
  });
});
