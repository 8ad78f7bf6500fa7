// A Hono app: a route that passes on an upstream's `Response`, and one place where every error becomes an answer.
import { getRequestListener } from "@hono/node-server";
import { events, problem, protect } from "holdfast";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { listen } from "./services/listen.ts";

let isUp = true;
const upstream = await listen((request, response) => {
  if (!isUp) return response.writeHead(503, { "retry-after": "30" }).end("db-3 is being moved");
  if (request.url === "/today") return response.end("high water at 4:12");
  response.on("close", left.resolve);
  reader.abort();
});
const reader = new AbortController();
const left = Promise.withResolvers<void>();

const tides = protect("tides", (path: string, { signal }) => fetch(upstream.url + path, { signal }), {
  deadline: "5s",
  breaker: { consecutiveFailures: 1 },
});

const app = new Hono();
app.get("/:day", (c) => tides(c.req.path, { signal: c.req.raw.signal, labels: { day: c.req.param("day") } }));
app.onError((error, c) => {
  const { headers, ...body } = problem(error);
  return c.body(JSON.stringify(body), body.status as ContentfulStatusCode, headers);
});

const server = await listen(getRequestListener(app.fetch));

events.on("call.settled", ({ labels, state }) => console.log(`${labels.day}: ${state}`));

console.log(await (await fetch(`${server.url}/today`)).text());

// a reader who leaves while upstream still thinks: the call ends, and so does the request upstream
await fetch(`${server.url}/forever`, { signal: reader.signal }).catch((error) => console.log("reader:", error.name));
await left.promise;
console.log("upstream: nobody waits any more");

// the upstream's own 503 is passed on; then the breaker answers, for as long as the upstream asked
isUp = false;
for (let i = 0; i < 2; i++) {
  const answer = await fetch(`${server.url}/today`);
  console.log(answer.status, answer.headers.get("retry-after"), await answer.text());
}

server.close();
upstream.close();

// prints:
// today: succeeded
// high water at 4:12
// reader: AbortError
// forever: cancelled
// upstream: nobody waits any more
// today: failed
// 503 30 db-3 is being moved
// today: notAdmitted
// 503 30 {"status":503,"title":"Service Unavailable","detail":"It cannot be done at the moment. Try again in 30 s."}
