// A model service's own process: so many slots, and a service time that comes of the tokens. What finds no slot waits.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Faults } from "./faults.ts";

export interface Declared {
  readonly name: string;
  readonly slots: number;
  /** Ms for a token of the context, and for one that is generated; the latter come one by one. */
  readonly contextTokenMs: number;
  readonly generatedTokenMs: number;
  readonly faults: Pick<Faults, "errors" | "slow">;
}

const { name, slots, contextTokenMs, generatedTokenMs, faults } = JSON.parse(process.argv[2] ?? "{}") as Declared;
const waiting: (() => void)[] = [];
let running = 0;
let isGone = false;

const server = createServer((request, response) => {
  if (isGone) return void request.socket.destroy();
  const asked = new URL(request.url ?? "/", "http://localhost").searchParams;
  const [context, generated] = [Number(asked.get("context")), Number(asked.get("generated"))];
  const ms = (context * contextTokenMs + generated * generatedTokenMs) * (hits(faults.slow) ? 10 : 1);
  const serve = () => {
    running++;
    setTimeout(() => {
      running--;
      waiting.shift()?.();
      response.statusCode = hits(faults.errors) ? 500 : 200;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ model: name, usage: { input: context, output: generated } }));
    }, ms);
  };
  // who has gone away while it waited is not served
  const wait = () => (request.socket.destroyed ? waiting.shift()?.() : serve());
  if (running < slots) serve();
  else waiting.push(wait);
});
server.keepAliveTimeout = 0;
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
process.on("message", (message: { isGone: boolean }) => {
  isGone = message.isGone;
});
process.once("disconnect", () => process.exit());

function hits(percent: number): boolean {
  return Math.random() * 100 < percent;
}
