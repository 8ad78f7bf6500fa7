// What a replay comes to.
import type { Seen } from "./replay.ts";

export interface Figures {
  readonly requests: number;
  /** Answered well by the first service, or by the second; a share of all. */
  readonly goodput: number;
  readonly bySecond: number;
  /** Of the answered, ms of the trace's time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Money, by the prices in call.ts, and what of it went into calls that gave nothing. */
  readonly cost: number;
  readonly wasted: number;
  /** Refused by our own layers: nothing was called. */
  readonly shed: number;
  /** Ended otherwise without an answer, by state. */
  readonly lost: Readonly<Record<string, number>>;
  /** How long after they were due 99 % of the requests were sent at the latest: the machine cannot keep up with the speed. */
  readonly lateMs: number;
}

const good = new Set<Seen["state"]>(["succeeded", "degraded"]);

export const isGood = ({ state }: Seen) => good.has(state);

export function figuresOf(seen: readonly Seen[]): Figures {
  const answered = seen.filter(isGood);
  const lost: Record<string, number> = {};
  for (const { state } of seen) if (!good.has(state) && state !== "shed") lost[state] = (lost[state] ?? 0) + 1;
  return {
    requests: seen.length,
    goodput: answered.length / seen.length,
    bySecond: answered.filter(({ state }) => state === "degraded").length / seen.length,
    p50Ms: quantile(answered.map(tookMs), 0.5),
    p99Ms: quantile(answered.map(tookMs), 0.99),
    cost: money(seen),
    wasted: money(seen.filter((one) => !isGood(one))),
    shed: seen.filter(({ state }) => state === "shed").length,
    lost,
    lateMs: quantile(
      seen.map(({ lateMs }) => lateMs),
      0.99,
    ),
  };
}

/** So late that the latencies, which count it, are those of this machine and not of the services. */
export function isTooLate({ lateMs, p50Ms }: Figures): boolean {
  return lateMs > p50Ms / 10;
}

export const tookMs = ({ tookMs }: Seen) => tookMs;

export function quantile(of: readonly number[], q: number): number {
  const sorted = [...of].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function money(seen: readonly Seen[]): number {
  return seen.reduce((sum, { money }) => sum + money, 0);
}
