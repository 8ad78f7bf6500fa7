// What is known of each component, asked by probes and seen in calls, and what an orchestrator is answered.
import { events, health, healthHandler, nodeHandler, probe, protect } from "holdfast";
import { listen } from "./services/listen.ts";

/** Stand for a database that is asked how it is, and a service that is only called. */
let dbIsUp = true;
async function pingDb(): Promise<void> {
  if (!dbIsUp) throw Object.assign(new Error("connect to db-3 as admin:hunter2"), { code: "ECONNREFUSED" });
}
async function search(_words: string): Promise<string[]> {
  throw Object.assign(new Error("bad gateway"), { status: 502 });
}

events.on("health.changed", ({ component, from, to, reason }) =>
  console.log(`${component}: ${from} → ${to} (${reason})`),
);

// all of it may go before the handler is made: until the first answer the process is not ready
const db = probe("db", pingDb, { every: "10s", timeout: "1s", failureThreshold: 1 });
health.watch("search", { criticality: "sheddable" }); // known by its calls alone; the whole can do without it
const warm = Promise.withResolvers<void>();
health.block(warm.promise, "the cache to be warm");

const server = await listen(nodeHandler(healthHandler()));
async function ask(path: string): Promise<void> {
  const response = await fetch(server.url + path);
  const { status, output = "" } = (await response.json()) as { status: string; output?: string };
  console.log(`${path}: ${response.status} ${status} ${output}`.trim());
}

await ask("/readyz");
warm.resolve();
await warm.promise;
await ask("/readyz");

// an open breaker with a working fallback is degraded, not dead
const find = protect("search", search, {
  breaker: { consecutiveFailures: 1 },
  fallback: [{ name: "empty", operation: async () => [] }],
});
await find("tides");
await ask("/health");

dbIsUp = false;
console.log(await db.now());
for (const path of ["/health", "/readyz", "/livez"]) await ask(path);
dbIsUp = true;
console.log(await db.now());

// the first step of a shutdown: no new work is sent here, and what runs may finish
health.unready("shutting down");
await ask("/readyz");
await ask("/livez");

db.stop();
server.close();

// prints:
// db: unknown → healthy (its check passed)
// /readyz: 503 fail waits for the cache to be warm
// /readyz: 200 pass
// search: unknown → degraded (its breaker is open: too many calls failed in a row; calls are answered all the same)
// /health: 200 warn
// db: healthy → unhealthy (its check failed: network (ECONNREFUSED))
// unhealthy
// /health: 503 fail
// /readyz: 503 fail db: its check failed: network (ECONNREFUSED), since …, last seen … s ago
// /livez: 200 pass
// db: unhealthy → healthy (its check passed)
// healthy
// /readyz: 503 fail shutting down
// /livez: 200 pass
// db: healthy → unknown (nobody looks any more)
