// An adaptive limit finds out how many may run at once: no number to guess. Here a service that works at four at a time, and far more callers.
import { setTimeout as sleep } from "node:timers/promises";
import { events, HoldfastError, protect } from "holdfast";

let running = 0;
const line: (() => void)[] = [];
/** Four at a time, 40 ms each; the others stand in a line. */
async function serve(): Promise<string> {
  if (running >= 4) await new Promise<void>((resolve) => line.push(resolve));
  running++;
  await sleep(40);
  running--;
  line.shift()?.();
  return "served";
}

const search = protect("search", serve, { adaptiveLimit: { reserve: { critical: 0.2 } } });

const changes: number[] = [];
events.on("limit.changed", ({ to }) => changes.push(to));

let [served, refused] = [0, 0];
const until = Date.now() + 3_000;
const calls: Promise<void>[] = [];
while (Date.now() < until) {
  for (let i = 0; i < 5; i++)
    calls.push(
      search().then(
        () => void served++,
        (error) => {
          if (HoldfastError.is(error, "LOAD_SHED")) refused++;
        },
      ),
    );
  await sleep(8);
}
await Promise.all(calls);

const found = changes.at(-1) ?? 10;
console.log(`found: ${found >= 3 && found <= 12 ? "between 3 and 12" : found}`);
console.log(`${served > 100 ? "more than 100" : served} served, ${refused > served ? "more" : "fewer"} refused`);

// prints:
// found: between 3 and 12
// more than 100 served, more refused
