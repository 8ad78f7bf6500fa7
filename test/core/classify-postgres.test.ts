// Failures of the connection to a PostgreSQL that have no SQLSTATE, as node-postgres reports them.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { classifyError } from "../../src/core/classify.ts";
import { mayHaveBeenReceived } from "../../src/core/received.ts";

/** What a query gives against a server that does this with every connection. */
async function seen(
  handle: (socket: Socket) => void,
  options: pg.PoolConfig = {},
  before: (pool: pg.Pool) => unknown = () => {},
) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    handle(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const pool = new pg.Pool({ host: "127.0.0.1", port, user: "u", database: "d", ...options });
  pool.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await before(pool);
  const error = await pool.query("select 1").catch((error) => error);
  const { kind, retry, counts, fallBack } = classifyError(error);
  const received = mayHaveBeenReceived(error, classifyError(error));
  return { message: error.message, kind, retry, counts, fallBack, received };
}

const goes = { retry: true, counts: true, fallBack: true };
/** Authentication accepted, and ready. */
const ready = Buffer.from("5200000008000000005a0000000549", "hex");

describe("node-postgres", () => {
  it("a connection that the server closes is of the network; it may have been received", async () => {
    expect(await seen((socket) => socket.end())).toEqual({
      ...{ message: "Connection terminated unexpectedly", kind: "network", ...goes, received: true },
    });
  });

  it("a connection that is not made in time is a time-out, and nothing was received", async () => {
    expect(await seen(() => {}, { connectionTimeoutMillis: 20 })).toEqual({
      ...{ message: "Connection terminated due to connection timeout", kind: "timeout", ...goes, received: false },
    });
  });

  it("so is a wait for one that all others hold", async () => {
    const answers = (socket: Socket) => void socket.once("data", () => socket.write(ready));
    const held = (pool: pg.Pool) => pool.connect();
    expect(await seen(answers, { connectionTimeoutMillis: 200, max: 1 }, held)).toEqual({
      ...{ message: "timeout exceeded when trying to connect", kind: "timeout", ...goes, received: false },
    });
  });

  it("a query whose answer does not come in time is a time-out; it may have been received", async () => {
    const answers = (socket: Socket) => void socket.once("data", () => socket.write(ready));
    expect(await seen(answers, { query_timeout: 20 })).toEqual({
      ...{ message: "Query read timeout", kind: "timeout", ...goes, received: true },
    });
  });
});
