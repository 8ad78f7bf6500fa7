// A real server on the loopback whose bodies stall, end, break or are large, and a garbage collector that can be waited for.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { onTestFinished } from "vitest";

export const part = "the first part";
export const report = { title: "tides", figures: [1, 2, 3] };
export const large = Buffer.alloc(3_000_000, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
const largeChunk = 65_521;

/** The server's side of a request, and the end of its answer, whole or broken off. */
export interface Serving {
  readonly served: ServerResponse;
  readonly closed: Promise<unknown>;
}

export async function loopback() {
  const arrived: Array<(serving: Serving) => void> = [];
  const taken = new Set<unknown>();
  const server = createServer((request, response) => {
    taken.add(response);
    response.once("close", () => taken.delete(response));
    const closed = once(response, "close");
    answer(request.url ?? "/", response);
    arrived.shift()?.({ served: response, closed });
  });
  let opened = 0;
  server.on("connection", () => opened++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    /** How many connections are taken by an answer that is not over. The client may keep others open, free for its next request. */
    taken: () => taken.size,
    /** How many connections there have been. */
    opened: () => opened,
    /** The server's side of the next request. */
    next: () => new Promise<Serving>((resolve) => arrived.push(resolve)),
    /** A response, with the server's side of it. */
    async get(path: string) {
      const [{ served, closed }, response] = await Promise.all([this.next(), fetch(origin + path)]);
      return { response, served, closed };
    },
  };
}

function answer(path: string, response: ServerResponse): void {
  response.setHeader("set-cookie", ["a=1", "b=2"]);
  if (path === "/stall") response.write(part);
  else if (path === "/headers") response.flushHeaders();
  else if (path === "/whole")
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(report));
  else if (path === "/form")
    response.writeHead(200, { "content-type": "application/x-www-form-urlencoded" }).end("a=1&b=2");
  else if (path === "/strange") response.writeHead(799, "Strange").end("strange");
  else if (path === "/empty") response.writeHead(200, { "content-length": 0 }).end();
  else if (path === "/none") response.writeHead(204).end();
  else if (path === "/moved") response.writeHead(302, { location: "/whole" }).end();
  else if (path === "/large") sendLarge(response, 0);
}

function sendLarge(response: ServerResponse, from: number): void {
  for (let at = from; at < large.length; at += largeChunk)
    if (!response.write(large.subarray(at, at + largeChunk))) {
      response.once("drain", () => sendLarge(response, at + largeChunk));
      return;
    }
  response.end();
}

export function digest(bytes: Uint8Array | ArrayBuffer): string {
  return createHash("sha256").update(new Uint8Array(bytes)).digest("hex");
}

/** Collects garbage until this is so. */
export async function collectedUntil(so: () => boolean): Promise<void> {
  for (let tries = 0; !so() && tries < 200; tries++) {
    // what a WeakRef was asked for stays until the turn is over
    await setImmediate();
    (globalThis as { gc?: () => void }).gc?.();
    await setImmediate();
  }
}

/** What was thrown, or a word that tells that nothing was. */
export async function thrownBy(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return "nothing was thrown";
}
