// One model provider, a process of its own: an HTTP server that speaks the chat-completions protocol.
// Its arguments: name, port (0: any), log file. Its parent tells it by message how to misbehave, and it ends with its parent.
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Ending,
  garbage,
  invented,
  json,
  type Misbehaviour,
  type Reply,
  rateLimited,
  slowMs,
} from "./misbehaviour.ts";
import { type Model, roles } from "./roles.ts";

const models: Readonly<Record<string, Model>> = {
  alpha: { damping: 0.85, similarity: "overlap", length: 5, tokensPerSecond: 2500 },
  beta: { damping: 0.8, similarity: "cosine", length: 4, tokensPerSecond: 2000 },
  gamma: { damping: 0.9, similarity: "dice", length: 6, tokensPerSecond: 3000 },
};
const maxBytes = 4_000_000;
const version = "2026-01-01";

const [name = "alpha", port = "0", log] = process.argv.slice(2);
const model = models[name] ?? (models.alpha as Model);
let misbehaviour: Misbehaviour | undefined;
let answers = 0;
/** Answers with a flaw. */
let flawed = 0;

process.on("message", (told: { misbehaviour?: Misbehaviour }) => {
  misbehaviour = told.misbehaviour;
});
process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // a Ctrl-C reaches the whole group: the parent decides

const server = createServer(async (request, response) => {
  const { status, headers, body } = await reply(request).catch((error: Error) => refuse(500, error.message));
  response.writeHead(status, headers).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

async function reply(request: IncomingMessage): Promise<Reply> {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions")
    return refuse(404, `There is no ${request.method} ${request.url}; POST /v1/chat/completions.`);
  const body = await bodyOf(request);
  if (body === undefined) return refuse(413, `A request may have ${maxBytes} bytes.`);
  const now = misbehaviour;
  const asks = request.headers["x-request-id"];
  if (now === "rateLimited") return logged(rateLimited(), asks);

  let asked: Asked;
  let answer: object;
  try {
    asked = JSON.parse(body);
    answer = answerTo(asked);
  } catch (error) {
    return refuse(400, (error as Error).message);
  }
  if (untouchable.test(body)) return logged({ ...refused(asked, body), flaw: "refusal" }, asks);
  const untrue = now === "invented" ? invented(answer, flawed++) : undefined;
  const text = JSON.stringify(untrue?.answer ?? answer);
  await sleep((tokensIn(text) / model.tokensPerSecond) * 1000 + (now === "slow" ? slowMs : 0));
  const complete = (ending: Ending) => completion(asked, tokensIn(body), ending);
  if (now === "garbage") return logged(garbage(text, flawed++, complete), asks);
  return logged({ ...complete({ content: text }), ...(untrue && { flaw: untrue.flaw }) }, asks);
}

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** A policy of content, as all models have one. */
const untouchable = /not to be read by machines/i;
function refused(asked: Asked, body: string): Reply {
  return completion(asked, tokensIn(body), { content: null, refusal: "I'm sorry, but that is not for me to read." });
}

/** The role is named in the system message; the material is the first message of the user. */
function answerTo({ messages, stream }: Asked): object {
  if (stream) throw new Error("This server does not stream.");
  const said = (role: string) => messages.find((message) => message.role === role)?.content ?? "";
  const role = roles[/\b(?:researcher|writer|fact-checker|editor)\b/.exec(said("system"))?.[0] ?? ""];
  if (role === undefined) throw new Error(`The system message names none of: ${Object.keys(roles).join(", ")}.`);
  return role(JSON.parse(said("user")), model);
}

function completion(asked: Asked, prompt_tokens: number, { content, finish, refusal = null }: Ending): Reply {
  const { model: asModel, max_tokens = Infinity } = asked;
  const cut = tokensIn(content ?? "") > max_tokens;
  const written = cut ? (content ?? "").slice(0, max_tokens * charactersPerToken) : content;
  const completion_tokens = tokensIn(written ?? refusal ?? "");
  return json(200, {
    id: `chatcmpl-${name}-${process.pid}-${answers}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: `${asModel}-${version}`, // a dated name, as providers return it
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: written, refusal },
        logprobs: null,
        finish_reason: cut ? "length" : (finish ?? "stop"),
      },
    ],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  });
}

const charactersPerToken = 4;
function tokensIn(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/** Written before it is sent: what was answered can be read there even when the process is killed on the way. */
function logged(sent: Reply, request?: string | string[]): Reply {
  answers++;
  const { status, flaw, body } = sent;
  const line = { at: new Date().toISOString(), pid: process.pid, request, status, flaw, body };
  if (log) appendFileSync(log, `${JSON.stringify(line)}\n`);
  return sent;
}

function refuse(status: number, message: string): Reply {
  return logged(json(status, { error: { message, type: "invalid_request_error", param: null, code: null } }));
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
