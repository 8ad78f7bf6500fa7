// A process that is asked to end: not ready, then nothing new, then what runs has time to finish, then all is closed.
import { createServer } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { drain, events, healthHandler, nodeHandler, problem, protect } from "holdfast";

const render = protect("render", (page: string) => after(2_000, `<p>${page}</p>`), { deadline: "10s" });
const askHealth = nodeHandler(healthHandler());

const server = createServer(async (request, response) => {
  if (request.url?.endsWith("z")) return askHealth(request, response);
  try {
    response.end(await render(request.url ?? ""));
  } catch (error) {
    const { status, headers, ...rest } = problem(error);
    response.writeHead(status, { ...headers, connection: "close" }).end(JSON.stringify(rest));
  }
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };
const ask = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await response.text();
  return `${path} ${response.status} ${response.ok && !path.endsWith("z") ? text : ""}`.trim();
};

const drained = Promise.withResolvers<string>();
// not `once`: a second signal would kill the process in the middle of it
process.on("SIGTERM", async () => {
  // grace: as long as the load balancer takes to see that /readyz says no
  const { finished, cancelled } = await drain({ within: "10s", grace: "800ms" });
  server.close(() => drained.resolve(`${finished} finished, ${cancelled} cancelled, closed`));
  server.closeIdleConnections();
});

console.log(await ask("/readyz"));
const begun = Promise.withResolvers<void>();
events.once("call.started", () => begun.resolve());
const inFlight = ask("/slow");
await begun.promise;
const down = Promise.withResolvers<void>();
events.once("shutdown.started", () => down.resolve());
process.kill(process.pid, "SIGTERM");
await down.promise;
const inGrace = ask("/in-grace");
console.log(await ask("/readyz"));
console.log(await ask("/livez"));
await after(1_000);
console.log(await ask("/new"));
for (const answer of [inFlight, inGrace, drained.promise]) console.log(await answer);

// prints:
// /readyz 200
// /readyz 503
// /livez 200
// /new 503
// /slow 200 <p>/slow</p>
// /in-grace 200 <p>/in-grace</p>
// 2 finished, 0 cancelled, closed
