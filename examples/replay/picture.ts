// Arrivals and latency over the time of the trace: blocks for a terminal, plain lines for a log.
import { isGood, quantile, tookMs } from "./figures.ts";
import type { Seen } from "./replay.ts";

const blocks = " ▁▂▃▄▅▆▇█";

interface Part {
  readonly from: number;
  readonly come: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly unanswered: number;
}

export function pictureOf(seen: readonly Seen[], columns: number | undefined): string {
  return columns === undefined
    ? lines(partsOf(seen, 12))
    : drawing(partsOf(seen, Math.max(10, Math.min(100, columns - 28))));
}

function partsOf(seen: readonly Seen[], count: number): Part[] {
  const each = (Math.max(...seen.map(({ at }) => at)) + 1) / count;
  return Array.from({ length: count }, (_, i) => {
    const own = seen.filter(({ at }) => Math.floor(at / each) === i);
    const answered = own.filter(isGood).map(tookMs);
    return {
      from: i * each,
      come: own.length,
      p50Ms: quantile(answered, 0.5),
      p99Ms: quantile(answered, 0.99),
      unanswered: own.length - answered.length,
    };
  });
}

function drawing(parts: readonly Part[]): string {
  const row = (name: string, of: (part: Part) => number, spell: (most: number) => string) => {
    const figures = parts.map((part) => of(part) || 0);
    const most = Math.max(...figures);
    const drawn = figures.map((figure) => blocks[figure === 0 ? 0 : Math.max(1, Math.round((figure / most) * 8))]);
    return `${name.padEnd(12)}${drawn.join("")}  ≤ ${spell(most)}`;
  };
  const end = clock((parts.at(-1)?.from ?? 0) + (parts[1]?.from ?? 0));
  return [
    row("arrivals", ({ come }) => come, String),
    row("p50", ({ p50Ms }) => p50Ms, seconds),
    row("p99", ({ p99Ms }) => p99Ms, seconds),
    row("unanswered", ({ unanswered }) => unanswered, String),
    `${" ".repeat(12)}0:00${end.padStart(parts.length - 4)}`,
  ].join("\n");
}

function lines(parts: readonly Part[]): string {
  return parts
    .map(
      ({ from, come, p50Ms, p99Ms, unanswered }) =>
        `${clock(from).padStart(7)}  ${come} came, p50 ${seconds(p50Ms)}, p99 ${seconds(p99Ms)}, ${unanswered} unanswered`,
    )
    .join("\n");
}

/** Minutes and seconds. */
export function clock(ms: number): string {
  return `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}`;
}

export function seconds(ms: number): string {
  return Number.isNaN(ms) ? "none" : `${(ms / 1_000).toFixed(2)} s`;
}
