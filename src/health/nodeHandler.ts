// A fetch-style handler where node:http, node:http2 or Express hand over a request and a response of their own.
import { problem } from "../core/problem.ts";
import { LiveSeams } from "../core/seams.ts";
import { BadRequest, IncomingBody, type NodeRequest, requestOf } from "./nodeRequest.ts";
import { cut, isWhole, type NodeResponse, send } from "./nodeResponse.ts";
import { isPassedOn } from "./passedOn.ts";

const about = { name: "nodeHandler", component: "nodeHandler" };

/**
 * Any fetch-style handler for `node:http`, `node:http2` and Express. Bodies stream both ways, no faster than they are
 * read; a client that goes away aborts `request.signal`; an error is told as `request.failed` and answered as `problem`
 * has it, with nothing that is a secret, or cuts an answer that has begun. What `healthHandler` finds to be none of its
 * paths goes to `next`, where there is one. In Express it stands before `express.json()`, or the body is read already.
 * @example
 * const handle = nodeHandler(async ({ method }) => new Response(`${method} is understood`));
 * // createServer(handle).listen(8080), or in Express app.use(handle)
 * console.log(handle.length); // → 3
 */
export function nodeHandler(
  handler: (request: Request) => Promise<Response>,
): (request: unknown, response: unknown, next?: (error?: unknown) => void) => void {
  return (request, response, next) => void serve(handler, request as NodeRequest, response as NodeResponse, next);
}

/** Never rejects. */
async function serve(
  handler: (request: Request) => Promise<Response>,
  request: NodeRequest,
  response: NodeResponse,
  next: (() => void) | undefined,
): Promise<void> {
  const client = new AbortController();
  const closed = () => {
    if (!isWhole(response)) client.abort(new DOMException("The client has gone away.", "AbortError"));
  };
  response.on("close", closed);
  response.on("error", nothing); // of a client that has gone: its end is told by "close"
  const body = new IncomingBody(request);
  try {
    const answer = await handler(requestOf(request, body, client.signal));
    if (next !== undefined && isPassedOn(answer)) {
      response.off("close", closed);
      response.off("error", nothing);
      return next();
    }
    await send(answer, response, request.method === "HEAD");
  } catch (error) {
    fail(error, request, response, client.signal);
  }
  await body.letGo();
}

function fail(error: unknown, request: NodeRequest, response: NodeResponse, client: AbortSignal): void {
  if (client.aborted) return; // nobody is there to be told, and it need not be a failure
  const bad = error instanceof BadRequest;
  const { events } = new LiveSeams();
  if (!bad && events.wants("request.failed"))
    events.emit("request.failed", { method: request.method ?? "", error }, about);
  if (response.headersSent) return cut(response);
  const { status, title, detail, headers } = bad ? error.problem : problem(error);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(request.method === "HEAD" ? undefined : JSON.stringify({ status, title, detail }));
}

function nothing(): void {}
