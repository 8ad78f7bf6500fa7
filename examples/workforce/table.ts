// The figures of a run, and a table of them: beside those of the same run without protection, where there was one.
import { addCost, type Cost } from "holdfast";
import type { Run } from "./run.ts";
import { quantile } from "./tally.ts";

export type Figures = ReturnType<typeof figuresOf>;

export function figuresOf({ name, audit, tally, faults, wallMs }: Run, refused: number) {
  const { delivered } = audit;
  const lost = audit.lost.length;
  const flagged = audit.flagged.size;
  const { rejectedIn, ...counts } = tally.counts;
  return {
    name,
    documents: delivered + flagged + refused + lost,
    delivered,
    /** Of those that could be read. */
    deliveredRate: delivered / Math.max(1, delivered + flagged + lost),
    flagged,
    refused,
    lost,
    unchecked: audit.unchecked.length,
    faults,
    ...counts,
    rejectedIn: rejectedIn + refused,
    failovers: tally.failovers.length,
    failoverMs: { p50: quantile(tally.failovers, 0.5), max: quantile(tally.failovers, 1) },
    calls: tally.calls.length,
    callMs: { p50: quantile(tally.calls, 0.5), p99: quantile(tally.calls, 0.99) },
    /** By model. */
    bill: Object.fromEntries(tally.bill),
    wallMs,
  };
}

const rows: readonly [name: string, cell: (figures: Figures) => string][] = [
  ["", ({ name }) => name],
  ["documents in", ({ documents }) => `${documents}`],
  ["delivered", ({ delivered, deliveredRate }) => `${delivered} (${Math.floor(100 * deliveredRate)} %)`],
  ["flagged for a person", ({ flagged }) => `${flagged}`],
  ["refused, with a reason", ({ refused }) => `${refused}`],
  ["lost", ({ lost }) => `${lost}`],
  ["delivered unchecked", ({ unchecked }) => `${unchecked}`],
  ["corrected", ({ corrected }) => `${corrected}`],
  ["rejected in", ({ rejectedIn }) => `${rejectedIn}`],
  ["re-asked", ({ reasked }) => `${reasked}`],
  ["repaired", ({ repaired }) => `${repaired}`],
  ["rejected out", ({ rejectedOut }) => `${rejectedOut}`],
  ["faults", ({ faults }) => `${faults.length}, ${new Set(faults.map((each) => each.fault)).size} kinds`],
  ["retries", ({ retries }) => `${retries}`],
  ["failovers", ({ failovers }) => `${failovers}`],
  ["time to fail over, p50", ({ failoverMs }) => ms(failoverMs.p50)],
  ["time to fail over, max", ({ failoverMs }) => ms(failoverMs.max)],
  ["workers' calls", ({ calls }) => `${calls}`],
  ["a worker's call, p50", ({ callMs }) => ms(callMs.p50)],
  ["a worker's call, p99", ({ callMs }) => ms(callMs.p99)],
  ["wall time", ({ wallMs }) => `${(wallMs / 1000).toFixed(1)} s`],
];

/** Each model's own, and all together: money of a model without a price is not known, and not nothing. */
function billed(models: readonly string[]): typeof rows {
  return models.flatMap((model) => [
    [`tokens, ${model}`, ({ bill }: Figures) => tokens(bill[model] ?? {})] as const,
    [`money, ${model}`, ({ bill }: Figures) => money(bill[model] ?? {})] as const,
  ]);
}

export function table(runs: readonly Figures[]): string {
  const models = Object.keys(runs[0]?.bill ?? {});
  const all: (typeof rows)[number] = ["money in all", ({ bill }) => money(Object.values(bill).reduce(addCost, {}))];
  return [...rows, ...billed(models), all]
    .map(([name, cell]) => name.padEnd(24) + runs.map((run) => cell(run).padStart(14)).join(""))
    .join("\n");
}

function ms(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.round(value)} ms`;
}

function tokens({ inputTokens = 0, outputTokens = 0 }: Cost): string {
  const all = inputTokens + outputTokens;
  return all === 0 ? "–" : `${Math.round(all / 1000)} k`;
}

function money({ money, unpriced, estimated }: Cost): string {
  if (money === undefined) return unpriced === undefined ? "–" : "no price";
  return `${unpriced !== undefined || estimated ? "at least " : ""}${money.toFixed(2)}`;
}
