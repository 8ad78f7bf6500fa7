// A bulkhead lets so many operations run at a time; others wait, the more critical first. What nobody waits for any more still counts while it runs.
import { setTimeout as sleep } from "node:timers/promises";
import { bulkhead, events, HoldfastError, named, pipe, protect } from "holdfast";

const connections = { used: 0, most: 0 };
async function query(what: string, ms = 20): Promise<string> {
  connections.most = Math.max(connections.most, ++connections.used);
  await sleep(ms); // looks at no signal, as many a driver does
  connections.used--;
  return what;
}

// ten connections for all, of which reports may never have more than two: eight are kept for what matters
const database = bulkhead({ concurrency: 10, queue: 20, queueTimeout: "1s" });
const twoOfThem = bulkhead({ concurrency: 2, queue: 100 });

const checkout = protect("checkout", (id: string) => query(id), { bulkhead: database, criticality: "critical" });
const report = pipe(
  named("report", (id: string) => query(id)),
  database,
  twoOfThem,
);

const night = Array.from({ length: 50 }, (_, i) => report(`report ${i}`));
console.log(`50 reports: ${database.running} run, ${twoOfThem.queued} wait`);
console.log(
  `${await checkout("order 1")} is done, ${twoOfThem.queued > 0 ? "reports still wait" : "after all reports"}`,
);
await Promise.all(night);

events.once("bulkhead.refused", ({ name, running, queued }) =>
  console.log(`${name} is refused: ${running} run, ${queued} wait`),
);
const rush = await Promise.all(Array.from({ length: 40 }, (_, i) => checkout(`${i}`).catch((error) => error)));
const refused = rush.filter((end) => HoldfastError.is(end, "BULKHEAD_FULL"));
console.log(`of 40 orders at once ${refused.length} were refused; never more than ${connections.most} connections`);

// a caller that gives up frees no connection: the query still runs
const slow = protect("slow", () => query("late", 200), { bulkhead: database, timeout: "10ms" });
await slow().catch((error) => console.log(error.message, `${database.running} still runs.`));
await sleep(300);
console.log(`${database.running} run`);

// prints:
// 50 reports: 2 run, 48 wait
// order 1 is done, reports still wait
// checkout is refused: 10 run, 20 wait
// of 40 orders at once 10 were refused; never more than 10 connections
// "slow" took longer than the 10 ms that one attempt may take. 1 still runs.
// 0 run
