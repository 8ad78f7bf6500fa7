// The figures under load as Markdown, aligned so that a terminal shows them as well.
import type { Check } from "../limits.ts";
import { limits, table } from "../page.ts";
import { curve, span } from "./curve.ts";
import type { Results } from "./limits.ts";
import { callsPerSecond, type Outage, type Phases, sum } from "./outage.ts";
import { capacity, patienceMs, serviceMs, slots } from "./overload.ts";
import { partMs } from "./protocol.ts";
import * as tail from "./tail.ts";

export interface Work extends Phases {
  readonly calmMs: number;
  readonly loadMs: number;
  readonly tailMs: number;
  /** By what factor a limit may be missed. */
  readonly slack: number;
}

export function page(results: Results, checks: readonly Check[], work: Work): string {
  return [
    "## Under load",
    "`npm run bench:load`: server processes on loopback, calls that come when they come (Poisson) whether those before them are answered or not; latency counts from when a call was due, and what was not answered counts as never. The service time of a server is a wait, so its capacity is what it declares, slots ÷ service time, whatever the machine. `npm run bench:load -- --write` writes this part; it fails when a limit is not reached.",
    limits(checks, work),
    "### Ten times the capacity",
    overload(results, work),
    `### A dependency that is gone for ${seconds(work.outageMs)}`,
    outages(results, work),
    "### A slow answer now and then",
    tails(results, work),
  ].join("\n\n");
}

function overload({ overloads }: Results, { loadMs }: Work): string {
  const says = `A service of ${slots} slots and ${serviceMs} ms, ${capacity} calls a second at most; ${capacity * 10} come, for ${seconds(loadMs)} after some seconds at half of its capacity, and each caller waits ${seconds(patienceMs)} at most. One call of two hundred is critical, a twentieth of what the service can do; ours keeps a fifth of its limit for those. The server works through its queue in the order of arrival, also for callers that have gone, as most do. The bulkhead was given the number that the service declares, which nobody knows elsewhere.`;
  const rows = overloads.map(({ name, goodput, answered, p99Ms, calmP99Ms }) => [
    name,
    percent(goodput),
    percent(answered),
    ms(p99Ms),
    ms(calmP99Ms),
  ]);
  const head = ["", "goodput, of capacity", "critical answered", "critical p99 ms", "p99 ms of all before"];
  return `${says}\n\n${table(head, rows)}`;
}

function outages({ outages }: Results, work: Work): string {
  const { afterMs, beforeMs, outageMs } = work;
  const says = `${callsPerSecond} calls a second, before, during and after; while the dependency is gone it ends every connection unanswered, and counts it. All at the same time, each with a server of its own. Three tries each, back-off as it comes; the breaker breaks for half a second, at most for one. What it refuses waits for it, as retry does by default when that takes a second at most (its patience), and comes back spread over the rest of it; with no patience it is given on at once.`;
  const rows = outages.map(({ name, attemptsPerCall, recoveryMs, herd }) => [
    name,
    attemptsPerCall.toFixed(2),
    (recoveryMs / 1_000).toFixed(2),
    herd.toFixed(2),
  ]);
  const head = ["", "requests a call, meanwhile", "s until all is well", "busiest half second after"];
  const whole = beforeMs + outageMs + afterMs;
  const part = Math.max(500, Math.ceil(whole / 90 / 100) * 100);
  return [
    says,
    table(head, rows),
    `Requests that reach it, a block for ${seconds(part)}; the line under them is where it is gone:`,
    curves(outages, part, 0, beforeMs, beforeMs + outageMs, whole),
    "Its return, a block for a tenth of a second:",
    curves(
      outages,
      partMs,
      beforeMs + outageMs - 1_000,
      0,
      beforeMs + outageMs,
      Math.min(whole, beforeMs + outageMs + 4_000),
    ),
  ].join("\n\n");
}

function tails({ tails }: Results, { tailMs }: Work): string {
  const { serviceMs, slowFactor, slowPercent } = tail;
  const says = `A service that answers in ${serviceMs} ms, and ${slowPercent} % of the time in ${slowFactor} times that. For ${seconds(tailMs)}, with the options as they come and a budget.`;
  const rows = tails.map(({ name, p50Ms, p99Ms, extra }) => [name, ms(p50Ms), ms(p99Ms), percent(extra)]);
  return `${says}\n\n${table(["", "p50 ms", "p99 ms", "requests beyond one a call"], rows)}`;
}

/** All on one scale, so that they can be compared. */
function curves(outages: readonly Outage[], part: number, from: number, goneAt: number, backAt: number, to: number) {
  const each = part / partMs;
  const lines = outages.map(({ name, arrivals }) => {
    const shown = arrivals.slice(from / partMs, to / partMs);
    const blocks = Array.from({ length: Math.floor(shown.length / each) }, (_, i) =>
      sum(shown.slice(i * each, (i + 1) * each)),
    );
    return { name, blocks };
  });
  const top = Math.max(...lines.flatMap(({ blocks }) => blocks));
  const width = Math.max(...lines.map(({ name }) => name.length));
  const text = lines.map(({ name, blocks }) => `${name.padEnd(width)}  ${curve(blocks, top)}`);
  const gone = span(Math.max(0, goneAt - from) / part, (backAt - from) / part, "gone");
  return ["```", ...text, `${" ".repeat(width)}  ${gone}`, "```"].join("\n");
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const ms = (value: number) => (value === Number.POSITIVE_INFINITY ? "never" : value.toFixed(0));
const seconds = (value: number) => `${value / 1_000} s`;
