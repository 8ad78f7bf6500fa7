// One component, many calls: a policy holds what they share. When it fails too often for one, it is left alone by all.
import { HoldfastError, protect } from "holdfast";

let isUp = true;
async function query(sql: string): Promise<string> {
  if (!isUp) throw Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  return `rows of ${sql}`;
}

const db = protect.with("db", {
  timeout: "1s",
  retry: { attempts: 2, base: "1ms" },
  breaker: { consecutiveFailures: 4, breakTime: "30s" },
});

const users = db("users", () => query("select * from users"));
const orders = db("orders", () => query("select * from orders"), { retry: { attempts: 4 } });
const ping = db("ping", () => query("select 1"), { retry: false, breaker: false });

console.log(await users());
console.log(await db.run(({ component }) => query(`one on ${component}`)));

isUp = false;
await orders().catch((error) => console.log(error.message));
for (const call of [users, orders, ping])
  await call().catch((error) => console.log(HoldfastError.is(error) ? error.code : error.message));
await db.run(() => query("another")).catch((error) => console.log(error.message));

// prints:
// rows of select * from users
// rows of one on db
// connection refused
// BREAKER_OPEN
// BREAKER_OPEN
// connection refused
// "db" is not being called: it failed too often in a row. Next probe in … ms.
