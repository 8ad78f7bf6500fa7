// Failures of real sockets, as Node, its fetch and the openai client report them.
import { once } from "node:events";
import { get, createServer as httpServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream/promises";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { classifyError } from "../../src/core/classify.ts";
import { mayHaveBeenReceived } from "../../src/core/received.ts";

async function serve(handler: RequestListener) {
  const server = httpServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function thrown(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

function seen(error: unknown) {
  const verdict = classifyError(error);
  return { kind: verdict.kind, retry: verdict.retry, received: mayHaveBeenReceived(error, verdict) };
}

function ask(baseURL: string, options: { signal?: AbortSignal; timeout?: number } = {}): Promise<unknown> {
  const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0 });
  return client.chat.completions.create({ model: "m", messages: [] }, options);
}

const reset: RequestListener = (_, response) => void response.socket?.resetAndDestroy();
const cut: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write("{", () => response.destroy());
};
const network = { kind: "network", retry: true };

describe("`fetch failed` and `terminated` are judged by their cause", () => {
  it("refused: surely not received", async () => {
    const port = await closedPort();
    const error = await thrown(() => fetch(`http://127.0.0.1:${port}/`));
    expect(error).toMatchObject({ name: "TypeError", message: "fetch failed" });
    expect(seen(error)).toEqual({ ...network, received: false });
  });

  it("reset: may have been received", async () => {
    await using server = await serve(reset);
    const error = await thrown(() => fetch(server.url));
    expect(error).toMatchObject({ name: "TypeError", message: "fetch failed" });
    expect(seen(error)).toEqual({ ...network, received: true });
  });

  it("a body that is cut", async () => {
    await using server = await serve(cut);
    const response = await fetch(server.url);
    const error = await thrown(() => response.text());
    expect(error).toMatchObject({ name: "TypeError", message: "terminated" });
    expect(seen(error)).toEqual({ ...network, received: true });
  });

  it.each([
    ["a URL that is none", "nonsense", {}],
    ["a scheme it does not speak", "gopher://127.0.0.1/", {}],
    ["a port it does not speak to", "http://127.0.0.1:1/", {}],
    ["a header that cannot be sent", "http://127.0.0.1:9/", { headers: { "a b": "c" } }],
  ])("a TypeError of a caller's own making is a bug: %s", async (_, url, options) => {
    const error = await thrown(async () => fetch(url, options));
    expect(error).toBeInstanceOf(TypeError);
    expect(classifyError(error).kind).toBe("bug");
  });
});

describe("an operation's own signal", () => {
  it("of AbortSignal.timeout is a timeout", async () => {
    await using server = await serve(() => {});
    const error = await thrown(() => fetch(server.url, { signal: AbortSignal.timeout(20) }));
    expect(seen(error)).toEqual({ kind: "timeout", retry: true, received: true });
  });

  it("that was aborted is a cancellation", async () => {
    const error = await thrown(() => fetch("http://127.0.0.1:9/", { signal: AbortSignal.abort() }));
    expect(seen(error)).toEqual({ kind: "cancelled", retry: false, received: true });
  });
});

describe("Node's own sockets", () => {
  it("a socket that hangs up", async () => {
    await using server = await serve((_, response) => void response.socket?.destroy());
    const error = await thrown(async () => once(get(server.url), "response"));
    expect(error).toMatchObject({ message: "socket hang up" });
    expect(seen(error)).toEqual({ ...network, received: true });
  });

  it("a stream that closes too early", async () => {
    await using server = await serve(cut);
    const [response] = await once(get(server.url), "response");
    const error = await thrown(() => pipeline(response, drain));
    expect(seen(error)).toEqual({ ...network, received: true });
  });

  it("several addresses, all refused, are surely not received", async () => {
    const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    const port = await closedPort();
    const socket = connect({
      ...{ host: "two.example", port, autoSelectFamily: true },
      lookup: (_host, _options, found) => found(null, addresses),
    });
    const error = await thrown(() => once(socket, "connect"));
    expect(error).toBeInstanceOf(AggregateError);
    expect(seen(error)).toEqual({ ...network, received: false });
  });
});

describe("the openai client", () => {
  it("refused", async () => {
    const port = await closedPort();
    const error = await thrown(() => ask(`http://127.0.0.1:${port}`));
    expect(error).toBeInstanceOf(OpenAI.APIConnectionError);
    expect(seen(error)).toEqual({ ...network, received: false });
  });

  it("reset", async () => {
    await using server = await serve(reset);
    expect(seen(await thrown(() => ask(server.url)))).toEqual({ ...network, received: true });
  });

  it("its timeout", async () => {
    await using server = await serve(() => {});
    const error = await thrown(() => ask(server.url, { timeout: 20 }));
    expect(error).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    expect(seen(error)).toEqual({ kind: "timeout", retry: true, received: true });
  });

  it("429 with Retry-After", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(429, { "retry-after": "2", "content-type": "application/json" });
      response.end('{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}');
    });
    const error = await thrown(() => ask(server.url));
    expect(classifyError(error)).toMatchObject({ kind: "rateLimited", retryAfterMs: 2000 });
    expect(seen(error).received).toBe(false);
  });

  it("an error event in a stream that began with 200", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end('data: {"error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}\n\n');
    });
    const client = new OpenAI({ apiKey: "none", baseURL: server.url, maxRetries: 0 });
    const stream = await client.chat.completions.create({ model: "m", messages: [], stream: true });
    const error = await thrown(() => drain(stream));
    expect(classifyError(error)).toMatchObject({ kind: "overloaded", retry: true });
  });
});
