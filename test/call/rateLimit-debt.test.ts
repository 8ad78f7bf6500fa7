// A quota of which more was used than it has: what was used is known at the end only, and the rest is owed.
import fc from "fast-check";
import { configure } from "holdfast";
import { describe, expect, it } from "vitest";
import { SlidingWindow } from "../../src/call/rateLimit/slidingWindow.ts";
import { setup, turn } from "./rateLimit-setup.ts";

const tokens = { limit: 1_000, per: "1m" } as const;
const left = (limit: unknown) => (limit as { left: Record<string, number> }).left;

/** 2,500 of 1,000 were used at 0. */
async function indebted(options: object = {}) {
  const limited = setup<number>({ tokens, estimate: (n) => ({ inputTokens: n ?? 0 }), ...options });
  limited.begin(({ cost }) => cost({ inputTokens: 2_500, outputTokens: 0 }), 0);
  await turn();
  return limited;
}

describe("a sliding window that is owed something", () => {
  it("has all of it back a period later, and says so", async () => {
    const { begin, clock, limit } = await indebted({ whenFull: "reject" });
    const refused = begin(undefined, 1_000);
    const small = begin();
    await turn();
    for (const { error } of [refused, small]) expect(error).toMatchObject({ quota: "tokens", retryAfterMs: 60_000 });
    await clock.advance("1m");
    expect(left(limit)).toEqual({ tokens: 1_000 });
  });

  it("lets wait whoever can wait so long, and counts those ahead", async () => {
    const { begin, clock, starts } = await indebted({ maxWait: "100s" });
    const waits = [begin(undefined, 600), begin(undefined, 300)];
    const late = begin(undefined, 600);
    await turn();
    expect(late.error).toMatchObject({ quota: "tokens", retryAfterMs: 120_000 });
    await clock.advance("1m");
    expect([waits.map(({ is }) => is), starts]).toEqual([
      ["in", "in"],
      [0, 60_000, 60_000],
    ]);
  });

  it("has it back piece by piece where it was used so", async () => {
    const { begin, clock } = setup<number>({
      tokens,
      estimate: (n) => ({ inputTokens: n ?? 0 }),
      whenFull: "reject",
    });
    for (const [ms, inputTokens] of [
      [1, 600],
      [30_000, 700],
      [50_000, 500],
    ] as const)
      begin(async ({ cost }) => {
        await clock.sleep(ms);
        cost({ inputTokens, outputTokens: 0 });
      }, 0);
    await clock.advance("50s");
    const [more, less] = [begin(undefined, 600), begin(undefined, 500)];
    await turn();
    expect([more.error, less.error]).toMatchObject([{ retryAfterMs: 60_000 }, { retryAfterMs: 40_000 }]);
  });

  it("tells a wait after which there is room, and before which there is none", () => {
    const takes = fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 3_000 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(takes, fc.integer({ min: 0, max: 1_000 }), (all, amount) => {
        const window = new SlidingWindow({ limit: 1_000, per: 60_000, burst: undefined });
        let now = 0;
        for (const [gap, taken] of all) {
          now += gap;
          window.take(now, taken);
        }
        const wait = window.waitMs(now, amount, 0);
        if (wait > 1) expect(window.waitMs(now + wait - 1, amount, 0)).toBeGreaterThan(0);
        expect(window.waitMs(now + wait, amount, 0)).toBe(0);
        expect(wait).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it("tells a wait that those ahead make no longer than it is: one by one, as they come in", () => {
    const takes = fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 30 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(takes, fc.integer({ min: 0, max: 60 }), (all, ahead) => {
        const window = new SlidingWindow({ limit: 10, per: 60_000, burst: undefined });
        let now = 0;
        for (const [gap, taken] of all) {
          now += gap;
          window.take(now, taken);
        }
        const told = window.waitMs(now, 1, ahead);
        let at = now;
        for (let i = 0; i < ahead; i++) {
          at += window.waitMs(at, 1, 0);
          window.take(at, 1);
        }
        const waited = at + window.waitMs(at, 1, 0) - now;
        expect(Math.abs(told - waited)).toBeLessThanOrEqual((60_000 / 128) * Math.ceil(1 + ahead / 10));
      }),
    );
  });
});

describe("a smooth quota of tokens", () => {
  const smooth = { shape: "smooth", whenFull: "reject" } as const;

  it("has nothing left until its next turn", async () => {
    const { begin, clock, limit } = setup<number>({ tokens, estimate: (n) => ({ inputTokens: n }), ...smooth });
    begin(undefined, 100);
    await turn();
    expect(left(limit)).toEqual({ tokens: 0 });
    await clock.advance("6s");
    expect(left(limit)).toEqual({ tokens: 900 });
  });

  it("pays what is owed evenly, and has nothing left until then", async () => {
    const { begin, clock, limit } = await indebted(smooth);
    await clock.advance("61s");
    const refused = begin(undefined, 1);
    await turn();
    expect([left(limit), refused.error]).toEqual([{ tokens: 0 }, expect.objectContaining({ retryAfterMs: 89_000 })]);
    await clock.advance("89s");
    expect(left(limit)).toEqual({ tokens: 1_000 });
  });

  it("keeps what was used in the period when it becomes another shape", async () => {
    const { begin, clock, limit } = setup<number>({ tokens, estimate: (n) => ({ inputTokens: n }), ...smooth });
    begin(undefined, 500);
    await clock.advance("40s");
    configure(
      limit(async (_: number) => 1),
      { rateLimit: { shape: "slidingWindow" } },
    );
    expect(left(limit)).toEqual({ tokens: 500 });
  });
});

describe("a token bucket that is owed something", () => {
  it("is filled at its rate: nothing is left until all of it is paid", async () => {
    const { begin, clock, limit } = await indebted({ tokens: { ...tokens, burst: 500 }, whenFull: "reject" });
    const refused = begin(undefined, 500);
    await turn();
    expect(refused.error).toMatchObject({ retryAfterMs: 150_000 });
    await clock.advance("2m");
    expect(left(limit)).toEqual({ tokens: 0 });
    await clock.advance("30s");
    expect(left(limit).tokens).toBeCloseTo(500);
  });
});
