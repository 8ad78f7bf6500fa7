// No period holds more than the quota and its burst, and under saturation it is used: ten minutes at random arrivals.
import fc from "fast-check";
import { named } from "holdfast";
import { seededRandom, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { rateLimit } from "../../src/call/rateLimit.ts";

const tenMinutes = 600_000;
const shapes = ["tokenBucket", "slidingWindow", "smooth"] as const;
const kinds = ["requests", "inputTokens", "outputTokens", "tokens", "money"] as const;

interface Arrival {
  readonly at: number;
  readonly amount: number;
}

/** Every start with its amount. */
async function run(options: object, kind: (typeof kinds)[number], arrivals: readonly Arrival[]): Promise<Arrival[]> {
  const clock = testClock();
  const starts: Arrival[] = [];
  const field = kind === "money" ? "money" : kind === "outputTokens" ? "outputTokens" : "inputTokens";
  const limit = rateLimit<number>(
    {
      maxWait: Number.POSITIVE_INFINITY,
      ...options,
      ...(kind !== "requests" && { estimate: (amount: number) => ({ [field]: amount }) }),
    },
    { clock },
  );
  const call = limit(
    named(
      "x",
      async (amount: number) => void starts.push({ at: clock.monotonic(), amount: kind === "requests" ? 1 : amount }),
    ),
  );
  const begun: Promise<unknown>[] = [];
  for (const { at, amount } of arrivals) {
    await clock.advance(Math.max(0, at - clock.monotonic()));
    begun.push(call(amount).catch(() => {}));
  }
  await clock.advance(Math.max(0, tenMinutes - clock.monotonic()));
  return starts;
}

/** The most that any half-open period of this length holds. */
function most(starts: readonly Arrival[], per: number): number {
  let from = 0;
  let sum = 0;
  let most = 0;
  for (const { at, amount } of starts) {
    sum += amount;
    while ((starts[from] as Arrival).at <= at - per + 1e-3) sum -= (starts[from++] as Arrival).amount;
    most = Math.max(most, sum);
  }
  return most;
}

const quotas = fc.record({
  shape: fc.constantFrom(...shapes),
  kind: fc.constantFrom(...kinds),
  limit: fc.integer({ min: 1, max: 60 }),
  per: fc.constantFrom(1_000, 7_000, 20_000, 60_000),
  burst: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
});

describe("a rate limit", () => {
  it("lets no period, wherever it is laid, hold more than the quota and its declared burst", async () => {
    await fc.assert(
      fc.asyncProperty(
        quotas,
        fc.array(
          fc.record({
            gap: fc.integer({ min: 0, max: 8_000 }),
            amount: fc.double({ min: 0.01, max: 40, noNaN: true }),
          }),
          { minLength: 50, maxLength: 200 },
        ),
        async ({ shape, kind, limit, per, burst: given }, gaps) => {
          const burst = shape === "tokenBucket" ? given : undefined;
          let at = 0;
          const arrivals = gaps.map(({ gap, amount }) => {
            at += gap % 7 === 0 ? 0 : gap;
            return { at, amount };
          });
          const starts = await run({ shape, [kind]: { limit, per, burst } }, kind, arrivals);
          expect(most(starts, per)).toBeLessThanOrEqual(limit + (burst ?? 0) + 1e-3);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("uses at least 98 % of the quota while more is asked for than it lets through", async () => {
    await fc.assert(
      fc.asyncProperty(
        quotas,
        fc.integer({ min: 1, max: 100 }),
        async ({ shape, kind, limit, per, burst: given }, seed) => {
          // amounts are small beside the quota: a large one that does not fit in the rest leaves the rest unused
          const scaled = kind === "requests" ? limit : limit * 100;
          const burst = shape === "tokenBucket" && given !== undefined ? Math.max(given, 3) : undefined;
          const offered = (scaled * tenMinutes) / per;
          const amount = kind === "requests" ? 1 : Math.max(scaled / 100, offered / 1_500);
          fc.pre(kind === "requests" ? offered <= 2_500 : amount <= scaled / 50 && (burst ?? amount) >= amount);
          const count = Math.ceil((offered * 1.1) / amount);
          let random = seed;
          const arrivals = Array.from({ length: count }, () => {
            random = (random * 16_807) % 2_147_483_647;
            return random % (per / 50);
          })
            .sort((a, b) => a - b)
            .map((at) => ({ at, amount }));
          const starts = await run({ shape, [kind]: { limit: scaled, per, burst } }, kind, arrivals);
          const used = starts.filter(({ at }) => at < tenMinutes).reduce((sum, { amount }) => sum + amount, 0);
          expect(used).toBeGreaterThanOrEqual(0.98 * offered - amount);
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  it.each([
    ["slidingWindow", undefined, [99, 97, 94]],
    ["smooth", undefined, [98, 94, 88]],
    ["tokenBucket", 200, [99, 99, 99]],
  ] as const)("of amounts that differ a %s uses what the page says", async (shape, burst, least) => {
    const [limit, per] = [1_000, 10_000];
    for (const [i, share] of [0.02, 0.08, 0.2].entries()) {
      const random = seededRandom(i + 1);
      const arrivals: Arrival[] = [];
      for (let at = 0; at < tenMinutes; at += (-Math.log(1 - random()) * per * share) / 6)
        arrivals.push({ at, amount: 1 + Math.floor(random() * limit * share) });
      const starts = await run({ shape, tokens: { limit, per, burst }, maxWait: "30s" }, "tokens", arrivals);
      expect(most(starts, per)).toBeLessThanOrEqual(limit + (burst ?? 0) + 1e-3);
      const used = starts.reduce((sum, { amount }) => sum + amount, 0);
      expect((100 * used * per) / (limit * tenMinutes)).toBeGreaterThanOrEqual(least[i] as number);
    }
  });
});
