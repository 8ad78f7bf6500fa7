// npm run simulate -- --calls 20000 --seed 1: random plans on a clock that nobody waits for; exit code 1 on a violation.
import { Trace } from "../../src/testing/simulation/trace.ts";
import { commandLine, misused } from "../commandLine.ts";
import { accountOf } from "./account.ts";
import { search } from "./search.ts";

const usage = "npm run simulate -- [--calls <how many, at least 1>] [--seed <a whole number>]";
const { values } = commandLine(
  { options: { calls: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } } },
  usage,
);
const [calls, seed] = [Number(values.calls), Number(values.seed)];
if (!(Number.isSafeInteger(calls) && calls >= 1)) misused(`--calls: got ${values.calls}.`, usage);
if (!Number.isSafeInteger(seed)) misused(`--seed: got ${values.seed}.`, usage);

const parts = 20;
const began = performance.now();
const sum = { plans: 0, calls: 0, runs: 0, steps: 0 };
const trace = new Trace(false);
let found: Awaited<ReturnType<typeof search>>["found"];
for (let part = 0; found === undefined && sum.calls < calls; part++) {
  const share = Math.min(Math.ceil(calls / parts), calls - sum.calls);
  const searched = await search({ seed: seed * 1_000 + part, calls: share, played: ({ hash }) => trace.add(hash) });
  sum.plans += searched.plans;
  sum.calls += searched.calls;
  sum.runs += searched.runs;
  sum.steps += searched.steps;
  found = searched.found;
  progress(`${sum.calls} of ${calls} calls, ${seconds()} s`);
}
progress("");
if (found !== undefined) console.log(`${accountOf(found.plan, found.violations)}\n`);
console.log(
  `seed ${seed}: ${sum.calls} calls of ${sum.plans} stacks, ${sum.runs} runs of services, ${sum.steps} steps, ` +
    `${found === undefined ? "no violation" : "a violation"}, trace ${trace.hash}, in ${seconds()} s`,
);
process.exitCode = found === undefined ? 0 : 1;

function seconds(): string {
  return ((performance.now() - began) / 1_000).toFixed(1);
}

/** One line that changes, where somebody looks at it. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
