// Real servers on a free port of the loopback: node:http, node:http2 and Express with nodeHandler, and Hono, which takes a fetch-style handler as it is.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type ClientHttp2Session, connect, createServer as createHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express, { type Express } from "express";
import { Hono } from "hono";
import { onTestFinished } from "vitest";
import { nodeHandler } from "../../src/index.ts";

export type Handler = (request: Request) => Promise<Response>;

export async function onHttp(handler: Handler): Promise<string> {
  return listening(createServer(nodeHandler(handler)));
}

/** A client with a session to it; `http://…` is what the handler is asked by. */
export async function onHttp2(
  handler: Handler,
): Promise<{ readonly origin: string; readonly client: ClientHttp2Session }> {
  const server = createHttp2(nodeHandler(handler));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = connect(origin);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { origin, client };
}

export async function onExpress(prepare: (app: Express) => void): Promise<string> {
  const app = express();
  prepare(app);
  return listening(createServer(app));
}

export async function onHono(prepare: (app: Hono) => void): Promise<string> {
  const app = new Hono();
  prepare(app);
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    ) as Server;
    closing(server);
  });
}

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closing(server: Server): void {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}
