// The main job again and again, each time with other faults: npm run soak -- [RUNS] [FOLDER]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Figures } from "./table.ts";

/** Of the documents that can be read, in each run. */
const enough = 0.95;
const main = fileURLToPath(new URL("main.ts", import.meta.url));
const [runs = "20", folder = "docs"] = process.argv.slice(2);
if (!(Number.isInteger(Number(runs)) && Number(runs) > 0)) {
  console.error(`RUNS: got ${runs}. Usage: npm run soak -- [RUNS] [FOLDER]`);
  process.exit(2);
}

const bad: number[] = [];
const total = { documents: 0, delivered: 0, flagged: 0, refused: 0, lost: 0, unchecked: 0 };
const first = Math.floor(Math.random() * 1_000_000);
for (let seed = first; seed < first + Number(runs); seed++) {
  const figures = await job(seed);
  const good = figures !== undefined && figures.lost + figures.unchecked === 0 && figures.deliveredRate >= enough;
  if (!good) bad.push(seed);
  console.log(`seed ${seed}: ${figures ? lineOf(figures) : "ended without figures"}${good ? "" : "  BAD"}`);
  for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += figures?.[key] ?? 0;
}
console.log(`${runs} runs: ${countsOf(total)}; ${bad.length} bad`);
for (const seed of bad) console.log(`npm start -- ${folder} --seed ${seed}`);
process.exitCode = bad.length > 0 ? 1 : 0;

async function job(seed: number): Promise<Figures | undefined> {
  const args = [...process.execArgv, main, folder, "--json", "--seed", String(seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await Promise.all([text(child.stdout), once(child, "close")]);
  return said === "" ? undefined : (JSON.parse(said) as { runs: [Figures] }).runs[0];
}

function lineOf(figures: Figures): string {
  const { retries, failovers, failoverMs, callMs, wallMs, faults } = figures;
  const ms = (value = 0) => `${Math.round(value)} ms`;
  return [
    countsOf(figures),
    `${faults.length} faults, ${retries} retries, ${failovers} failovers (p50 ${ms(failoverMs.p50)}, max ${ms(failoverMs.max)})`,
    `a call p50 ${ms(callMs.p50)}, p99 ${ms(callMs.p99)}`,
    `${(wallMs / 1000).toFixed(1)} s`,
  ].join("; ");
}

function countsOf({ documents, delivered, flagged, refused, lost, unchecked }: typeof total): string {
  return `${documents} in, ${delivered} delivered, ${flagged} flagged, ${refused} refused, ${lost} lost, ${unchecked} unchecked`;
}
