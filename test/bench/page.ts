// The figures as Markdown, aligned so that a terminal shows them as well.
import { readFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";
import { cockatiel, engines } from "./cases/peers.ts";
import { cockatielPending } from "./cases/pending.ts";
import type { Figures, Work } from "./figures.ts";
import type { Group } from "./harness/time.ts";
import { type Check, found, reached } from "./limits.ts";

export function page(figures: Figures, checks: readonly Check[], work: Work): string {
  return [
    "# Benchmarks",
    about(work),
    "## Must reach",
    limits(checks, work),
    ...figures.groups.flatMap((group) => [`## ${group.title}`, group.says, times(figures, group)]),
    "## Bytes a pending call",
    "10,000 calls wait for an operation that hangs; heap in use after a collection, before and after, by call.",
    memory(figures),
    "## Starts on one signal",
    "One more start while 10 calls, and while 10,000 calls, are pending on the caller's signal; 10,000 are pending in the process both times.",
    starts(figures),
    "## Failover",
    failover(figures),
  ].join("\n\n");
}

function about(work: Work): string {
  const versions = ["cockatiel", "opossum", "p-retry", "effect", "zod"].map((name) => `${name} ${version(name)}`);
  return [
    `What holdfast costs beside cockatiel, effect, and its own engines put together by hand. \`npm run bench\` prints this page, \`npm run bench -- --write\` writes it; it fails when a limit is not reached.`,
    `Measured with Node ${process.versions.node} on ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"} (${platform()} ${arch()}); ${versions.join(", ")}.`,
    `One process, the built package. Each of ${work.rounds} rounds runs every case for ${work.slotMs} ms, call after call, in a random order of cases; the figure is a call's processor time on the thread that makes it, the median of the rounds, beside it their middle half, and a ratio is one of medians. (By the clock the same on an idle machine; this way others on it do not count.) Before each case opossum's buckets are turned over by hand and the loop turns once: without that, opossum's row grows slower as its lists fill. Nothing goes over a network except under Failover, so this is the wrappers' own cost: a call to a service takes a thousand times as long. Figures differ between machines, ratios much less.`,
  ].join("\n\n");
}

export function limits(checks: readonly Check[], { slack }: Pick<Work, "slack">): string {
  const rows = checks.map((check) => [
    check.what,
    check.atMost === undefined ? `≥ ${check.atLeast}` : `≤ ${check.atMost}`,
    check.measured.toFixed(check.measured < 1 ? 3 : 2),
    reached(check, 1) ? "ok" : reached(check, slack) ? "close" : "FAILED",
  ]);
  return table(["what", "limit", "measured", ""], rows);
}

function times(figures: Figures, { reference, short, cases }: Group): string {
  const base = found(figures.times, reference).median;
  const theirs = found(figures.times, cockatiel).median;
  const versus = reference === engines; // only these do the work that cockatiel's row does
  const rows = cases.map(({ name }) => {
    const { median, low, high } = found(figures.times, name);
    const row = [name, whole(median), `${whole(low)}–${whole(high)}`, (median / base).toFixed(2)];
    return versus ? [...row, (theirs / median).toFixed(1)] : row;
  });
  const head = ["", "ns a call", "middle half", `× ${short}`];
  return table(versus ? [...head, "cockatiel ÷ it"] : head, rows);
}

function memory({ memory }: Figures): string {
  const base = found(memory, cockatielPending);
  const rows = [...memory].map(([name, bytes]) => [name, whole(bytes), (bytes / base).toFixed(2)]);
  return table(["", "bytes", "× cockatiel"], rows);
}

function starts({ starts }: Figures): string {
  const rows = [...starts].map(([name, { few, many }]) => [name, whole(few), whole(many), (many / few).toFixed(2)]);
  return table(["", "ns at 10", "ns at 10,000", "ratio"], rows);
}

function failover({ failover }: Figures): string {
  const { calls, firstMs, opened, probes, direct, chain } = failover;
  const ms = (value: number) => value.toFixed(2);
  const text = `Two HTTP servers in processes of their own; the first is killed with SIGKILL. \`protect\` with timeout, retry, breaker (as they come) and the second as fallback, against the second called directly, in turn. The first call after the kill took ${ms(firstMs)} ms; the breaker was open after ${opened} calls, when half of its window had failed. Then, of ${whole(calls)} calls, ${probes} probed the dead one.`;
  const rows = [
    ["the second called directly", ms(direct.p50), ms(direct.p99)],
    ["the caller of the chain", ms(chain.p50), ms(chain.p99)],
    ["difference", ms(chain.p50 - direct.p50), ms(chain.p99 - direct.p99)],
  ];
  return `${text}\n\n${table(["", "p50 ms", "p99 ms"], rows)}`;
}

export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((cell, i) => Math.max(cell.length, 3, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function version(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

const whole = (value: number) => Math.round(value).toLocaleString("en");
