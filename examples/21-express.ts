// An Express route: the caller's leaving ends the work, and `problem(error)` is the answer, whatever went wrong.
import { setTimeout as sleep } from "node:timers/promises";
import express, { type ErrorRequestHandler } from "express";
import { events, problem, protect } from "holdfast";
import { z } from "zod";
import { listen } from "./services/listen.ts";

/** Stands for what the service needs, and what may go wrong there. */
async function askModel({ topic }: { topic: string }, signal: AbortSignal): Promise<{ text: string }> {
  if (topic === "busy") throw Object.assign(new Error("slow down"), { status: 429, headers: { "retry-after": "7" } });
  if (topic === "down") throw Object.assign(new Error("connect to db-3 as admin:hunter2"), { code: "ECONNREFUSED" });
  if (topic === "bug") throw new TypeError("cannot read hunter2 of undefined");
  if (topic === "slow") await sleep(60_000, undefined, { signal }).finally(() => console.log("the work has ended"));
  return { text: `On ${topic}.` };
}

const draft = protect("draft", (brief, { signal }) => askModel(brief, signal), {
  input: z.object({ topic: z.string().min(2), password: z.string().max(8).optional() }),
  timeout: "1s",
  breaker: { consecutiveFailures: 3, breakTime: "30s" },
});

const answerProblem: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  if (error?.expose) return void response.sendStatus(error.status); // Express's own: a body that is no JSON
  const { headers, ...body } = problem(error);
  response.status(body.status).set(headers).json(body);
};

const app = express()
  .use(express.json())
  .post("/drafts", async (request, response) => {
    const gone = new AbortController();
    response.on("close", () => response.writableFinished || gone.abort(new Error("the caller has left")));
    response.json(await draft(request.body, { signal: gone.signal, labels: { path: request.path } }));
  })
  .use(answerProblem);

const server = await listen(app);
const post = (body: string, signal: AbortSignal | null = null) =>
  fetch(`${server.url}/drafts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal,
  });

// whoever leaves ends the work that was done for him
const reader = new AbortController();
events.once("attempt.started", () => reader.abort());
const left = new Promise<string>((resolve) => events.once("call.settled", ({ state }) => resolve(state)));
await post('{ "topic": "slow" }', reader.signal).catch((error) => console.log("the reader:", error.name));
console.log("the call:", await left);

const wrong = { topic: "x", password: "hunter2 and more" };
for (const brief of [
  { topic: "tides" },
  wrong,
  ...["busy", "slow", "bug", "down", "tides"].map((topic) => ({ topic })),
]) {
  const answer = await post(JSON.stringify(brief));
  const { text, detail } = (await answer.json()) as { text?: string; detail?: string };
  console.log(brief.topic, answer.status, answer.headers.get("retry-after") ?? "-", text ?? detail);
}
console.log("no JSON", (await post("{ topic }")).status);

server.close();

// prints:
// the reader: AbortError
// the call: cancelled
// the work has ended
// tides 200 - On tides.
// x 422 - The input was not accepted. topic: wanted Too small: expected string to have >=2 characters; password: wanted Too big: expected string to have <=8 characters.
// busy 429 7 There were too many requests. Try again in 7 s.
// the work has ended
// slow 504 - It took too long and was ended.
// bug 500 - Something went wrong here. It is known, and nothing is wrong with the request.
// down 503 - It cannot be done at the moment.
// tides 503 30 It cannot be done at the moment. Try again in 30 s.
// no JSON 400
