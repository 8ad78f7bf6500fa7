// A service's own process: so many slots, and a service time that is a wait, so capacity is slots ÷ service time. What
// finds no slot waits, first come first served, as long as it takes. It counts what reaches it, whatever becomes of it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Conduct, type Declared, partMs } from "./protocol.ts";

let conduct: Conduct = { mode: "up", slowPercent: 0, slowFactor: 1 };
const arrivals = new Map<number, number>();
const waiting: (() => void)[] = [];
let running = 0;

const declared = JSON.parse(process.argv[2] ?? "{}") as Declared;
const server = createServer((request, response) => arrive(request, response, declared));
server.keepAliveTimeout = 0; // an idle connection is not closed under a request that is on its way
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
process.on("message", (message: Partial<Conduct> | "arrivals") => {
  if (message === "arrivals") process.send?.([...arrivals]);
  else conduct = { ...conduct, ...message };
});
process.once("disconnect", () => process.exit());

function arrive(request: IncomingMessage, response: ServerResponse, { slots, serviceMs }: Declared): void {
  const part = Math.floor(Date.now() / partMs);
  arrivals.set(part, (arrivals.get(part) ?? 0) + 1);
  if (conduct.mode === "closed") return void request.socket.destroy();
  if (conduct.mode === "busy") return void response.writeHead(503).end();
  const own = Number(new URLSearchParams(request.url?.split("?")[1]).get("ms") ?? serviceMs);
  const { slowFactor, slowPercent } = conduct;
  const ms = Math.random() * 100 < slowPercent ? own * slowFactor : own;
  const serve = () => {
    running++;
    setTimeout(() => {
      response.end("done");
      running--;
      waiting.shift()?.();
    }, ms);
  };
  if (running < slots) serve();
  else waiting.push(serve); // also for callers that have gone: most services learn of that too late
}
