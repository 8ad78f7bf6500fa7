// The figures of a run, and a table of them: beside those of the same run without protection, where there was one.
import type { Run } from "./run.ts";
import { quantile } from "./tally.ts";

export type Figures = ReturnType<typeof figuresOf>;

export function figuresOf({ name, audit, tally, faults, wallMs }: Run, refused: number) {
  const { delivered, flagged } = audit;
  const lost = audit.lost.length;
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
    retries: tally.retries(),
    failovers: tally.failovers.length,
    failoverMs: { p50: quantile(tally.failovers, 0.5), max: quantile(tally.failovers, 1) },
    calls: tally.calls.length,
    callMs: { p50: quantile(tally.calls, 0.5), p99: quantile(tally.calls, 0.99) },
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

export function table(runs: readonly Figures[]): string {
  return rows.map(([name, cell]) => name.padEnd(24) + runs.map((run) => cell(run).padStart(14)).join("")).join("\n");
}

function ms(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.round(value)} ms`;
}
