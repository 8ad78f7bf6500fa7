// A fetch-style handler behind node:http2, whose response is told of its end otherwise than that of node:http.
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventBus } from "../../src/index.ts";
import { record, reset, seams } from "../../src/testing/index.ts";
import { onHttp2 } from "./servers.ts";

/** A bus of its own, on the real clock: sockets know no other. */
function setup() {
  const events = eventBus();
  const restore = seams({ events });
  onTestFinished(() => {
    restore[Symbol.dispose]();
    reset();
  });
  return { seen: record(events) };
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

const bytes = (text: string) => new TextEncoder().encode(text);

it("is asked and answered", async () => {
  setup();
  const { origin, client } = await onHttp2(async (request) =>
    Response.json({ method: request.method, url: request.url, text: await request.text() }),
  );
  const request = client.request({ ":path": "/a?b", ":method": "POST" });
  request.end("body");
  expect(JSON.parse(await textOf(request))).toEqual({ method: "POST", url: `${origin}/a?b`, text: "body" });
});

describe("a body that breaks off", () => {
  it.each([
    ["a while after its first part", 20],
    ["at once", 0],
  ])("%s is an error to the client, not the end of a whole answer", async (_, wait) => {
    const { seen } = setup();
    const { client } = await onHttp2(
      async () =>
        new Response(
          new ReadableStream(
            {
              start: (controller) => controller.enqueue(bytes("first")),
              pull: () =>
                wait === 0
                  ? Promise.reject(new Error("hunter2"))
                  : new Promise((_, no) => setTimeout(no, wait, new Error("hunter2"))),
            },
            { highWaterMark: 0 },
          ),
        ),
    );
    await expect(textOf(client.request({ ":path": "/" }))).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
    expect(seen.of("request.failed").length).toBe(1);
  });

  it("before its first part is a problem, with nothing of the answer that it was to be", async () => {
    setup();
    const { client } = await onHttp2(
      async () =>
        new Response(
          new ReadableStream({
            pull() {
              throw new Error("down");
            },
          }),
          { headers: { "content-length": "1000", "cache-control": "public", "set-cookie": "session=abc" } },
        ),
    );
    const stream = client.request({ ":path": "/" });
    const [{ date, ...headers }] = await once(stream, "response");
    expect(Object.fromEntries(Object.entries(headers))).toEqual({
      ":status": 500,
      "content-type": "application/problem+json",
    });
    expect(date).toBeDefined();
    expect(JSON.parse(await textOf(stream))).toMatchObject({ status: 500 });
  });

  it("leaves the session's other streams alone", async () => {
    setup();
    const { client } = await onHttp2(async (request) =>
      request.url.endsWith("/half")
        ? new Response(
            new ReadableStream({
              start: (controller) => controller.enqueue(bytes("first")),
              pull: () => new Promise((_, no) => setTimeout(no, 5, new Error("down"))),
            }),
          )
        : new Response("whole"),
    );
    await expect(textOf(client.request({ ":path": "/half" }))).rejects.toThrow();
    expect(await textOf(client.request({ ":path": "/whole" }))).toBe("whole");
  });
});

describe("a client that goes away", () => {
  const goes: ReadonlyArray<[string, (stream: ClientHttp2Stream, client: ClientHttp2Session) => void]> = [
    ["cancels its stream", (stream) => stream.close(constants.NGHTTP2_CANCEL)],
    ["destroys its session", (_, client) => client.destroy()],
    ["loses its socket", (_, client) => void client.socket.destroy()],
  ];

  it.each(goes)("because it %s aborts the request's signal, which is no failure", async (_, go) => {
    const { seen } = setup();
    const began = Promise.withResolvers<AbortSignal>();
    const ended = Promise.withResolvers<void>();
    const { client } = await onHttp2(async ({ signal }) => {
      began.resolve(signal);
      if (!signal.aborted) await once(signal, "abort");
      ended.resolve();
      throw signal.reason;
    });
    client.on("error", () => {});
    const stream = client.request({ ":path": "/" }).on("error", () => {});
    const signal = await began.promise;
    go(stream, client);
    await ended.promise;
    expect(signal.reason).toMatchObject({ name: "AbortError" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.of("request.failed")).toEqual([]);
  });

  it.each(goes)("because it %s has the source of its answer closed, also one that comes later", async (_, go) => {
    setup();
    const began = Promise.withResolvers<AbortSignal>();
    const closed = Promise.withResolvers<unknown>();
    const { client } = await onHttp2(async ({ signal }) => {
      began.resolve(signal);
      if (!signal.aborted) await once(signal, "abort");
      return new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(bytes("part")), cancel: closed.resolve }),
      );
    });
    client.on("error", () => {});
    const stream = client.request({ ":path": "/" }).on("error", () => {});
    await began.promise;
    go(stream, client);
    expect(await closed.promise).toMatchObject({ name: "AbortError" });
  });

  it("after its answer has come whole aborts nothing", async () => {
    setup();
    const signals: AbortSignal[] = [];
    const { client } = await onHttp2(async ({ signal }) => {
      signals.push(signal);
      return new Response("well");
    });
    expect(await textOf(client.request({ ":path": "/" }))).toBe("well");
    client.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});
