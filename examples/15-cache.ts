// A cache: one load for all who ask at once, stale where the source is down, and what is stale says so.
import { cache, events, pipe, protect, settled } from "holdfast";
import { seams, testClock } from "holdfast/testing";

const clock = testClock();
using _ = seams({ clock }); // so that this file needs no minutes

let up = true;
let reads = 0;
async function readRates(currency: string) {
  reads++;
  await clock.sleep(50);
  if (!up) throw Object.assign(new Error("the bank does not answer"), { status: 503 });
  return { currency, rate: 1.07 };
}

const rates = protect("rates", readRates, {
  cache: { ttl: "1m", staleOnError: "1h", negative: "5s" },
  deadline: "2s",
});
events.on("cache.hit", ({ ageMs, stale }) => console.log(`hit: ${ageMs} ms old${stale ? ", stale" : ""}`));

const together = Promise.all([rates("EUR"), rates("EUR"), rates("EUR")]);
await clock.advance("50ms");
const [first, second] = await together;
console.log(reads, first === second);

await clock.advance("30s");
await rates("EUR");

// the source is down: what is known stands in, and is told as what it is
up = false;
await clock.advance("10m");
const asked = settled(rates)("EUR");
await clock.advance("50ms");
const { story } = await asked;
console.log(story.state, story.degraded);

// who must have it fresh gets the error
const strict = settled(rates)("EUR", { accept: "fresh" });
await clock.advance("50ms");
console.log((await strict).ok);

// stale at once, renewed meanwhile; each answer says how long it is good for
up = true;
const quick = pipe(readRates, cache({ ttl: ({ rate }) => (rate > 1 ? "10s" : 0), whileRevalidating: "1m" }));
const begun = quick("CHF");
await clock.advance("50ms");
await begun;
await clock.advance("20s");
console.log(await quick("CHF"));
await clock.advance("50ms");
console.log(await quick("CHF"));

// prints:
// 1 true
// hit: 30000 ms old
// hit: 630050 ms old, stale
// degraded { reason: 'overloaded', ageMs: 630050 }
// false
// hit: 20000 ms old, stale
// { currency: 'CHF', rate: 1.07 }
// hit: 0 ms old
// { currency: 'CHF', rate: 1.07 }
