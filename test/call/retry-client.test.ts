// Who retries: we do. The real client of a model service against a real server that counts the requests.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CallContext, eventBus, type ProtectOptions, protect, settled } from "../../src/index.ts";
import { record } from "../../src/testing/index.ts";

type Answer = number | "hangs" | "resets" | { status: number; headers?: Record<string, string>; error?: object };

const completion = {
  id: "c",
  object: "chat.completion",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "ok" } }],
};

function answerWith(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  if (answer === "hangs") return;
  if (answer === "resets") return void request.socket.destroy();
  const {
    status,
    headers = {},
    error = { message: `status ${status}` },
  } = typeof answer === "number" ? { status: answer } : answer;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(status === 200 ? completion : { error }));
}

/** A provider that gives these answers in turn, the last one for ever. */
async function provider(...answers: Answer[]) {
  const requests: { model: string; key: string | undefined; retryCount: unknown }[] = [];
  const sockets = new Set<unknown>();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { model } = JSON.parse(body) as { model: string };
    const { authorization, "x-stainless-retry-count": retryCount } = request.headers;
    requests.push({ model, key: authorization, retryCount });
    answerWith(answers[Math.min(requests.length, answers.length) - 1] as Answer, request, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  /** `maxRetries` is ours to switch off: the client's default is 2. */
  const client = (maxRetries = 0, name = "small") => {
    const openai = new OpenAI({ baseURL, apiKey: `key of ${name}`, maxRetries });
    return async (question: string, { signal }: CallContext) => {
      const messages = [{ role: "user" as const, content: question }];
      const answer = await openai.chat.completions.create({ model: name, messages }, { signal });
      return answer.choices[0]?.message.content;
    };
  };
  return { requests, client, sockets, url: baseURL };
}

type Answered = string | null | undefined;
type Options = ProtectOptions<undefined, undefined, string, Answered>;

function declare(ask: (question: string, context: CallContext) => Promise<Answered>, options: Options) {
  const events = eventBus();
  const call = protect("model", ask, { ...options, seams: { events } });
  return { call: settled(call), seen: record(events) };
}

const three = { attempts: 3, base: 1 };

describe("requests counted at the server equal attempts told by events", () => {
  it.each<{ told: string; answers: Answer[]; requests: number; timeout?: number }>([
    { told: "503 for ever", answers: [503], requests: 3 },
    { told: "503, then an answer", answers: [503, 200], requests: 2 },
    { told: "a connection that breaks, then an answer", answers: ["resets", 200], requests: 2 },
    {
      told: "a plain 429 that asks for a moment",
      answers: [{ status: 429, headers: { "retry-after-ms": "5" } }, 200],
      requests: 2,
    },
    { told: "an answer", answers: [200], requests: 1 },
    { told: "400", answers: [400], requests: 1 },
    { told: "401", answers: [401], requests: 1 },
    {
      told: "429 of a spent quota",
      answers: [{ status: 429, error: { code: "insufficient_quota", message: "You exceeded your current quota" } }],
      requests: 1,
    },
    {
      told: "500 with x-should-retry: false",
      answers: [{ status: 500, headers: { "x-should-retry": "false" } }],
      requests: 1,
    },
    {
      told: "400 with x-should-retry: true",
      answers: [{ status: 400, headers: { "x-should-retry": "true" } }, 200],
      requests: 2,
    },
    { told: "no answer within the time-out", answers: ["hangs"], requests: 3, timeout: 500 },
  ])("where the provider gives $told", async ({ answers, requests, timeout = 10_000 }) => {
    const server = await provider(...answers);
    const { call, seen } = declare(server.client(), { retry: three, timeout });
    const { story } = await call("x");
    expect(server.requests).toHaveLength(requests);
    expect(seen.of("attempt.started")).toHaveLength(requests);
    expect([story.attempts, seen.of("call.settled")[0]?.attempts]).toEqual([requests, requests]);
    expect(server.requests.every(({ retryCount }) => retryCount === "0")).toBe(true);
  });

  it("through a whole chain: each provider its declared attempts, never their square", async () => {
    const [first, second] = [await provider(503), await provider(503)];
    const backup = protect("backup", second.client(0, "large"), { retry: three });
    const { call, seen } = declare(first.client(), { retry: three, fallback: [backup] });
    const { ok, story } = await call("x");
    expect([ok, first.requests.length, second.requests.length]).toEqual([false, 3, 3]);
    // the backup is a call of its own, and tells of its own attempts
    expect(seen.of("attempt.started").filter(({ tier }) => tier === 0)).toHaveLength(3);
    expect(story.children.map((child) => child.attempts)).toEqual([3]);
  });

  it("what the client's own retries would make of it: its default is why ours is the only one", async () => {
    const server = await provider({ status: 503, headers: { "retry-after-ms": "1" } });
    const { call, seen } = declare(server.client(2), { retry: three });
    await call("x");
    expect([server.requests.length, seen.of("attempt.started").length]).toEqual([9, 3]);
  });
});

describe("a call that opts out of retry", () => {
  it("is sent once, whatever the defaults", async () => {
    const server = await provider(503);
    const policy = protect.with("provider", { retry: three });
    const ask = server.client();
    await settled(policy("asked", ask))("x", { retry: false });
    await settled(policy("declared", ask, { retry: false }))("x");
    await settled(protect("x", ask, { retry: three }))("x", { retry: false });
    expect(server.requests).toHaveLength(3);
  });
});

describe("without any fallback", () => {
  it("the declared retries still happen", async () => {
    const server = await provider(503, 503, 200);
    const { call } = declare(server.client(), { retry: three });
    expect(await call("x")).toMatchObject({ ok: true, value: "ok" });
    expect(server.requests).toHaveLength(3);
  });
});

describe("when our attempt timeout fires while the SDK backs off", () => {
  it("no request reaches the server afterwards", async () => {
    // the client waits 900 ms of its own accord; our attempt is over before
    const server = await provider({ status: 503, headers: { "retry-after-ms": "900" } });
    const { call } = declare(server.client(2), { timeout: 400 });
    expect(await call("x")).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
    expect(server.requests).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 800)); // the client's wait is on the real clock
    expect(server.requests).toHaveLength(1);
  });
});

describe("a provider that accepts and never answers", () => {
  it("costs at most `deadline`, not timeout × attempts", async () => {
    const server = await provider("hangs");
    const { call } = declare(server.client(), { timeout: 100, retry: { attempts: 50, base: 0 }, deadline: 350 });
    const { ok, story } = await call("x");
    expect([ok, story.state]).toEqual([false, "timedOut"]);
    expect(story.elapsedMs).toBeGreaterThanOrEqual(350);
    expect(story.elapsedMs).toBeLessThan(1_500);
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });
});

describe("nothing of one tier's options (key, URL, parameters)", () => {
  it("reaches the next", async () => {
    const [first, second] = [await provider(503), await provider(200)];
    const { call } = declare(first.client(0, "small"), {
      retry: { attempts: 2, base: 1 },
      timeout: "5s",
      fallback: [{ name: "large", operation: second.client(0, "large"), timeout: "10s" }],
    });
    expect(await call("x")).toMatchObject({ ok: true, value: "ok", story: { state: "degraded", tierName: "large" } });
    expect(first.requests.map(({ model, key }) => [model, key])).toEqual(
      Array(2).fill(["small", "Bearer key of small"]),
    );
    expect(second.requests.map(({ model, key }) => [model, key])).toEqual([["large", "Bearer key of large"]]);
  });
});

describe("bodies of failed attempts are drained or cancelled", () => {
  it("sockets do not grow: a hundred attempts by fetch take a handful", async () => {
    const server = await provider({ status: 503, error: { message: "x".repeat(100_000) } });
    let most = 0;
    const ask = protect(
      "fetch",
      async (_: string, { signal }) => {
        most = Math.max(most, server.sockets.size);
        return fetch(server.url, { method: "POST", body: '{"model":"m"}', signal });
      },
      { retry: { attempts: 100, base: 1, cap: 2 } },
    );
    const response = await ask("x");
    expect([response.status, server.requests.length]).toEqual([503, 100]);
    await response.body?.cancel();
    expect(most).toBeLessThanOrEqual(3);
  });
});
