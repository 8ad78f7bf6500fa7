// A fetch: the `Response` is the value, may tell of a failure, and says itself when to come back.
import { events, HoldfastError, protect, settled } from "holdfast";
import { listen } from "./services/listen.ts";

let requests = 0;
const server = await listen((request, response) => {
  requests++;
  if (request.url === "/gone") response.writeHead(404).end("no such harbour");
  else if (request.url === "/endless") response.write("high water at 4:12, then at ");
  else if (requests === 1) response.writeHead(503, { "retry-after": "1" }).end();
  else response.end("high water at 4:12");
});

const get = protect("tides", (path: string, { signal }) => fetch(server.url + path, { signal }), {
  timeout: "5s", // until the headers are there
  retry: { attempts: 3, base: "10ms" },
  breaker: {},
});

events.on("retry.scheduled", ({ kind, delayMs }) => console.log(`${kind}: again in ${delayMs} ms, as it asked`));

console.log(await (await get("/tides")).text(), `(${requests} requests)`);

// what no other try can help is delivered as it came, unread; only the story calls it a failure
const { story, ...ended } = await settled(get)("/gone");
console.log(
  ended.ok && ended.value.status,
  ended.ok && (await ended.value.text()),
  story.state,
  story.failures[0]?.kind,
);

// the body is part of the call: the caller's deadline holds until it has been read
const endless = await get("/endless", { deadline: "300ms" });
console.log(endless.status);
await endless.text().catch((error) => console.log(HoldfastError.is(error) && error.code));

server.close();

// prints:
// overloaded: again in 1000 ms, as it asked
// high water at 4:12 (2 requests)
// 404 no such harbour failed invalid
// 200
// DEADLINE_EXCEEDED
