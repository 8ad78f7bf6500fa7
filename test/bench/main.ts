// npm run bench: builds the package, measures it beside its peers, prints the tables; fails when a limit is not reached.
// -- --quick: fewer rounds, for CI, where only a clear miss fails. -- --write: also writes docs/benchmarks.md.
import { commandLine, misused } from "../commandLine.ts";
import { engines } from "./cases/peers.ts";
import { measure, type Work } from "./figures.ts";
import { unsteadiness } from "./harness/time.ts";
import { build } from "./library.ts";
import { checks, found, reached } from "./limits.ts";
import { page } from "./page.ts";
import { writePart } from "./written.ts";

const usage = "npm run bench -- [--quick | --write]";
const { quick, write } = commandLine(
  { options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } } },
  usage,
).values;
if (quick && write) misused("--write needs a full run.", usage);

const work: Work = quick
  ? { rounds: 15, warmup: 8, slotMs: 8, memoryRounds: 1, startRounds: 100, failoverMs: 2000, slack: 1.15 }
  : { rounds: 61, warmup: 6, slotMs: 15, memoryRounds: 5, startRounds: 500, failoverMs: 12_000, slack: 1 };

const figures = await measure(await build(), work);
const results = checks(figures);
const text = page(figures, results, work);
console.log(text);
if (quick)
  console.log("\nA quick run: few rounds, rough figures, so a limit may be missed by 15 %, on a busy machine by more.");
if (write) writePart("cost", text);

const unsteady = unsteadiness(found(figures.times, engines));
const isBusy = unsteady > 0.3;
// two speeds of one machine in one run: a median may be of either
const slack = quick && isBusy ? 2 : work.slack;
if (isBusy)
  console.error(
    `\nThe machine is busy: half of the rounds lie ${Math.round(unsteady * 100)} % apart. Run it again when it is idle.`,
  );
const failed = results.filter((check) => !reached(check, slack));
for (const { what, measured } of failed) console.error(`not reached: ${what}: ${measured.toFixed(2)}`);
process.exit(failed.length > 0 ? 1 : 0);
