// A PostgreSQL pool: SQLSTATEs say what may be tried again, a write has a key, and a server that is down is left alone until it is back.
import { setTimeout as sleep } from "node:timers/promises";
import { events, HoldfastError, protect, settled } from "holdfast";
import pg from "pg";
import { startPostgres } from "./services/postgres.ts";

await using server = await startPostgres();
const pool = new pg.Pool({
  ...server.connection,
  connectionTimeoutMillis: 1_000,
  statement_timeout: 4_500, // pg takes no signal: the server itself ends what nobody waits for any more
});
pool.on("error", () => {}); // an idle connection was closed: the next query opens another

const db = protect.with("db", {
  timeout: "5s",
  retry: { attempts: 3, base: "20ms", jitter: "none" },
  breaker: { consecutiveFailures: 5, breakTime: "1500ms" },
});

const balance = db("balance", async (account: string) => {
  const { rows } = await pool.query("select coalesce(sum(cents), 0)::int as cents from payments where account = $1", [
    account,
  ]);
  return rows[0].cents as number;
});

/** The key makes it safe to send it again when nobody knows whether it was done: the table takes each key once. */
let cuts = 1;
const pay = db(
  "pay",
  async ({ account, cents }: { order: string; account: string; cents: number }, { idempotencyKey }) => {
    const sql = "insert into payments (key, account, cents) values ($1, $2, $3) on conflict (key) do nothing";
    await pool.query(sql, [idempotencyKey, account, cents]);
    if (cuts-- > 0) await pool.query("select pg_terminate_backend(pg_backend_pid())"); // done, and the answer is lost
  },
  { idempotent: false, idempotencyKey: ({ order }) => order },
);

events.on("attempt.failed", ({ name, kind }) => console.log(`${name}: ${kind}`), { name: "pay" });
events.on(["breaker.opened", "breaker.closed"], ({ type, component }) => console.log(`${component}: ${type}`));

await pool.query("create table payments (key text primary key, account text, cents int check (cents > 0))");

// SQLSTATE 57P01, the connection was closed: sent twice, done once
await pay({ order: "o-1", account: "ada", cents: 500 });
console.log("ada has", await balance("ada"));

// SQLSTATE 23514, a check of the table: the caller's mistake, no second try, and nothing against the database's health
console.log((await settled(pay)({ order: "o-2", account: "ada", cents: -1 })).story.attempts, "attempt");

// the server is stopped: two calls find out, the third is refused at once
await server.stop();
for (let i = 0; i < 3; i++)
  await balance("ada").catch((error) => console.log(HoldfastError.is(error) ? error.message : "no answer"));

// and started again: the first call after the break is the probe
await server.start();
await sleep(1_500);
console.log("ada has", await balance("ada"));

await pool.end();

// prints:
// pay: network
// ada has 500
// pay: invalid
// 1 attempt
// no answer
// db: breaker.opened
// no answer
// "balance" is not being called: it failed too often in a row (breaker "db"). Next probe in … ms.
// db: breaker.closed
// ada has 500
