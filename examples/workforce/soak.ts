// The main job again and again, each time with other faults: npm run soak -- [RUNS] [FOLDER]
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Figures } from "./table.ts";

const enough = 0.95;
const main = fileURLToPath(new URL("main.ts", import.meta.url));
const [runs = "20", folder = "docs"] = process.argv.slice(2);
if (!(Number(runs) > 0)) throw new Error("npm run soak -- [RUNS] [FOLDER]");

const bad: number[] = [];
const total = { documents: 0, delivered: 0, flagged: 0, lost: 0, unchecked: 0 };
const first = Math.floor(Math.random() * 1_000_000);
for (let seed = first; seed < first + Number(runs); seed++) {
  const figures = await once(seed);
  const { delivered = 0, documents = 0, flagged = 0, lost = 0, unchecked = 0, refused = 0 } = figures ?? {};
  const good = figures !== undefined && lost + unchecked === 0 && figures.deliveredRate >= enough;
  if (!good) bad.push(seed);
  for (const [key, value] of Object.entries({ documents, delivered, flagged, lost, unchecked }))
    total[key as keyof typeof total] += value;
  console.log(
    figures === undefined
      ? `seed ${seed}: ended without figures`
      : `seed ${seed}: ${documents} in, ${delivered} delivered, ${flagged} flagged, ${refused} refused, ${lost} lost, ${unchecked} unchecked; ${figures.retries} retries, ${figures.failovers} failovers, p50 ${Math.round(figures.callMs.p50 ?? 0)} ms, p99 ${Math.round(figures.callMs.p99 ?? 0)} ms, ${(figures.wallMs / 1000).toFixed(1)} s${good ? "" : "  BAD"}`,
  );
}
console.log(
  `${runs} runs: ${total.documents} in, ${total.delivered} delivered, ${total.flagged} flagged, ${total.lost} lost, ${total.unchecked} unchecked; ${bad.length} bad${bad.length > 0 ? `: npm start -- ${folder} --seed ${bad.join(" | ")}` : ""}`,
);
process.exitCode = bad.length > 0 ? 1 : 0;

async function once(seed: number): Promise<Figures | undefined> {
  const args = [...process.execArgv, main, folder, "--json", "--seed", String(seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    return (JSON.parse(await text(child.stdout)) as { runs: [Figures] }).runs[0];
  } catch {
    return undefined;
  }
}
