// A consumer of a queue in a PostgreSQL table: at least once, the message's id as its key; what is poison goes aside; it stops cleanly.
import { setTimeout as sleep } from "node:timers/promises";
import { classify, events, protect } from "holdfast";
import pg from "pg";
import { startPostgres } from "./services/postgres.ts";

interface Message {
  readonly id: number;
  readonly order: string;
  readonly tries: number;
}

await using server = await startPostgres();
const pool = new pg.Pool(server.connection);
pool.on("error", () => {}); // an idle connection was closed
pool.on("connect", (client) => client.on("error", () => {})); // one in use: whoever uses it hears of it
await pool.query(`
  create table messages (id int primary key, "order" text, tries int not null default 0);
  create table dead_letters (id int primary key, "order" text, reason text);
  insert into messages (id, "order") values (1, 'o-1'), (2, 'to nowhere'), (3, 'o-3'), (4, 'o-4');
`);

/** Takes one message that no other consumer has. It is locked while it is worked on, and free again if this process dies. */
async function consumeOne(work: (message: Message) => Promise<void>): Promise<boolean> {
  const client = await pool.connect();
  let committed = false;
  try {
    await client.query("begin");
    const found = await client.query("select * from messages order by tries, id limit 1 for update skip locked");
    const message: Message | undefined = found.rows[0];
    if (message) await settle(client, message, await work(message).catch((error: Error) => error));
    await client.query("commit");
    committed = true;
    return message !== undefined;
  } finally {
    client.release(!committed);
  }
}

async function settle(client: pg.PoolClient, { id, order, tries }: Message, failed: Error | void): Promise<void> {
  if (failed && classify(failed)?.retry && tries < 4) {
    await client.query("update messages set tries = tries + 1 where id = $1", [id]); // after all others
    return;
  }
  if (failed) await client.query("insert into dead_letters values ($1, $2, $3)", [id, order, failed.message]);
  await client.query("delete from messages where id = $1", [id]);
}

const stop = new AbortController(); // process.on("SIGTERM", () => stop.abort())
async function consume(work: (message: Message) => Promise<void>): Promise<void> {
  while (!stop.signal.aborted) {
    const took = await consumeOne(work).catch(() => console.log("taken back: the connection is lost"));
    if (!took) await sleep(100, undefined, { signal: stop.signal }).catch(() => {});
  }
}

// the receiver takes each key once: with at least once here, that is what "exactly once" is made of
const shipped = new Map<string | undefined, string>();
let deliveries = 0;
const ship = protect(
  "ship",
  async ({ order }: Message, { idempotencyKey }) => {
    deliveries++;
    if (order === "to nowhere") throw Object.assign(new Error("no such order"), { status: 404 });
    if (deliveries === 4) throw Object.assign(new Error("busy"), { status: 503 });
    shipped.set(idempotencyKey, order);
    if (deliveries === 1) await cutOff(); // the work is done, and the consumer dies before it can say so
    if (order === "o-3") stop.abort(); // the service is stopped: what is begun is finished, nothing more is taken
  },
  {
    idempotent: false,
    idempotencyKey: ({ id }) => `message-${id}`,
    timeout: "5s",
    retry: { attempts: 2, base: "10ms" },
  },
);
const cutOff = () =>
  pool.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where state = 'idle in transaction'");

events.on("call.settled", ({ state, attempts, labels }) =>
  console.log(`${labels.message}: ${state}, attempts: ${attempts}`),
);

await consume((message) => ship(message, { labels: { message: `${message.id}` } }));

console.log(shipped, `${deliveries} deliveries`);
console.log("left:", (await pool.query("select id from messages")).rows);
console.log("aside:", (await pool.query("select id, reason from dead_letters")).rows);
await pool.end();

// prints:
// 1: succeeded, attempts: 1
// taken back: the connection is lost
// 1: succeeded, attempts: 1
// 2: failed, attempts: 1
// 3: succeeded, attempts: 2
// Map(2) { 'message-1' => 'o-1', 'message-3' => 'o-3' } 5 deliveries
// left: [ { id: 4 } ]
// aside: [ { id: 2, reason: 'no such order' } ]
