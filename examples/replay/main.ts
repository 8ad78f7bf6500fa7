// npm run replay -- trace.csv: the arrivals and sizes of a recorded trace once more, against services of this example's own.
import { parseArgs } from "node:util";
import { faultsOf, faultsUsage } from "./faults.ts";
import { type Figures, figuresOf, isTooLate } from "./figures.ts";
import { clock, pictureOf, seconds } from "./picture.ts";
import { progressOf } from "./progress.ts";
import { replay } from "./replay.ts";
import { readTrace } from "./trace.ts";

const usage = `npm run replay -- TRACE.csv [--speed N] [--slots N] [--first N] [--faults WORDS] [--json]
  TRACE.csv       with the columns TIMESTAMP,ContextTokens,GeneratedTokens
  --speed N       so many times as fast as it was recorded, services and limits of time too (20)
  --slots N       requests that a service works on at a time (8); fewer is more load
  --first N       only so many requests of it
  --faults WORDS  what goes wrong with the first service: ${faultsUsage}
  --json          the figures as one line of JSON in place of the text
Times that are told are those of the trace. Exits with 0 when it was replayed, with 2 when it could not be.`;

const remedy = "more than this machine can do at that speed, latencies come out too long. Lower --speed.";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exit(2); // services that have been started would keep it alive
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      speed: { type: "string", default: "20" },
      slots: { type: "string", default: "8" },
      first: { type: "string" },
      faults: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new Error(`Which trace?\n${usage}`);
  const speed = numberOf("speed", values.speed, 0.001);
  const slots = wholeOf("slots", values.slots);
  const faults = faultsOf(values.faults);
  const requests = await readTrace(file, values.first === undefined ? undefined : wholeOf("first", values.first));
  const lasts = requests.at(-1)?.at ?? 0;

  const say = values.json ? () => {} : console.log;
  say(`${count(requests.length)} requests of ${clock(lasts)} at ${speed} × the speed, in ${seconds(lasts / speed)}`);
  const progress = progressOf(requests.length);
  const seen = await replay(requests, { speed, slots, faults, told: progress.told });
  progress.end();
  const figures = figuresOf(seen);
  if (values.json) console.log(JSON.stringify(figures));
  else
    console.log(
      `\n${table(figures)}\n\n${pictureOf(seen, process.stdout.isTTY ? process.stdout.columns || 80 : undefined)}`,
    );
}

function table(figures: Figures): string {
  const { bySecond, cost, goodput, lateMs, lost, p50Ms, p99Ms, shed, wasted } = figures;
  const states = Object.entries(lost).map(([state, times]) => `${times} ${state}`);
  return [
    `goodput   ${percent(goodput)}, of it ${percent(bySecond)} by the second service`,
    `latency   p50 ${seconds(p50Ms)}, p99 ${seconds(p99Ms)}`,
    `cost      ${cost.toFixed(2)}, of it ${wasted.toFixed(2)} for nothing`,
    `shed      ${shed}`,
    `lost      ${states.length === 0 ? 0 : states.join(", ")}`,
    `late      p99 ${seconds(lateMs)} after they were due${isTooLate(figures) ? `: ${remedy}` : ""}`,
  ].join("\n");
}

function wholeOf(option: string, given: string): number {
  if (/^[1-9]\d{0,8}$/.test(given.trim())) return Number(given);
  throw new Error(`--${option}: got "${given}", wanted a whole number, at least 1.`);
}

function numberOf(option: string, given: string, least: number): number {
  const number = Number(given);
  if (given.trim() !== "" && number >= least && number < Number.POSITIVE_INFINITY) return number;
  throw new Error(`--${option}: got "${given}", wanted a number, at least ${least}.`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}
