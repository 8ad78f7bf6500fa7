import { bulkheads, crowds, full } from "./cases/bulkhead.ts";
import { peers, rotate } from "./cases/peers.ts";
import { stacks } from "./cases/stacks.ts";
import { time } from "./harness/time.ts";

const library = await import(new URL("../../dist/index.js", import.meta.url).href);
const p = peers().filter(({ name }) => /p-retry alone|bare/.test(name));
const s = stacks(library).filter(({ name }) => /pipe$|protect$/.test(name));
const out = await time(
  [...p, ...s, ...bulkheads(library), ...full(library), ...crowds(library)],
  { rounds: 25, warmup: 6, slotMs: 10 },
  rotate,
);
for (const [n, t] of out) console.log(n.padEnd(50), Math.round(t.median), Math.round(t.low), Math.round(t.high));
process.exit(0);
