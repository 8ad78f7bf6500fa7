// npm run bench:load: builds the package, puts it under load beside its peer, prints the tables; fails when a limit is not reached.
// -- --quick: shorter, for CI, where only a clear miss fails. -- --write: also writes its part of docs/benchmarks.md.
import { commandLine, misused } from "../../commandLine.ts";
import { build } from "../library.ts";
import { reached } from "../limits.ts";
import { writePart } from "../written.ts";
import { checks, isBusy, type Results } from "./limits.ts";
import { outages } from "./outage.ts";
import { overloads } from "./overload.ts";
import { page, type Work } from "./page.ts";
import { tails } from "./tail.ts";

const usage = "npm run bench:load -- [--quick | --write]";
const { quick, write } = commandLine(
  { options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } } },
  usage,
).values;
if (quick && write) misused("--write needs a full run.", usage);

const work: Work = quick
  ? { calmMs: 3_000, loadMs: 10_000, beforeMs: 2_000, outageMs: 6_000, afterMs: 4_000, tailMs: 8_000, slack: 1.1 }
  : { calmMs: 10_000, loadMs: 60_000, beforeMs: 5_000, outageMs: 30_000, afterMs: 10_000, tailMs: 60_000, slack: 1 };

const library = await build();
const results: Results = {
  overloads: await overloads(library, work.calmMs, work.loadMs),
  ...(await others()),
};
/** Light enough to run side by side. */
async function others() {
  const [gone, slow] = await Promise.all([outages(library, work), tails(library, work.tailMs)]);
  return { outages: gone, tails: slow };
}

const found = checks(results);
const text = page(results, found, work);
console.log(text);
if (quick) console.log("\nA quick run: short, so a limit may be missed by 10 %.");
if (write) writePart("load", text);

if (isBusy(results))
  console.error("\nThe machine is busy: what nobody protects is uneven too. Run it again when it is idle.");
const failed = found.filter((check) => !reached(check, work.slack));
for (const { what, measured } of failed) console.error(`not reached: ${what}: ${measured.toFixed(2)}`);
process.exit(failed.length > 0 ? 1 : 0);
