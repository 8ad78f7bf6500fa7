// A fetch-style handler behind node:http, node:http2, Express and Hono, with real servers and real requests.
import { once } from "node:events";
import { connect } from "node:net";
import express from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { BreakerOpenError, eventBus, health, healthHandler, nodeHandler, probe, protect } from "../../src/index.ts";
import { record, reset, seams } from "../../src/testing/index.ts";
import { type Handler, onExpress, onHono, onHttp } from "./servers.ts";
import { down, fails } from "./setup.ts";

/** A bus of its own, on the real clock: sockets know no other. */
function setup() {
  const events = eventBus();
  const restore = seams({ events });
  onTestFinished(() => {
    restore[Symbol.dispose]();
    reset();
  });
  return { events, seen: record(events) };
}

const echo: Handler = async (request) =>
  Response.json({
    method: request.method,
    url: request.url,
    cookie: request.headers.get("cookie"),
    text: await request.text(),
  });

/** Raw bytes to a server, and all that comes back until it closes or nothing comes for a while. */
async function raw(origin: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.end(text);
  let got = "";
  for await (const chunk of socket) got += chunk;
  return got;
}

describe.each([
  ["node:http", () => onHttp(healthHandler())],
  ["Express", () => onExpress((app) => app.use(nodeHandler(healthHandler())))],
  [
    "Express, under a path",
    async () => `${await onExpress((app) => app.use("/ops", nodeHandler(healthHandler())))}/ops`,
  ],
  ["Hono", () => onHono((app) => app.mount("/", healthHandler()))],
  ["Hono, under a path", async () => `${await onHono((app) => app.mount("/ops", healthHandler()))}/ops`],
  [
    "Hono, by a route",
    async () => {
      const handler = healthHandler({ base: "/ops" });
      return `${await onHono((app) => app.all("/ops/*", (c) => handler(c.req.raw)))}/ops`;
    },
  ],
] as ReadonlyArray<[string, () => Promise<string>]>)("the health handler on %s", (_, serve) => {
  it("answers its four paths, and says 503 when it is not so", async () => {
    setup();
    const origin = await serve();
    const statuses = async () =>
      Promise.all(
        ["/livez", "/readyz", "/startupz", "/health"].map(async (path) => (await fetch(origin + path)).status),
      );
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    const undo = health.unready("shutting down");
    const started = probe("migrations", async () => Promise.reject(down()), { kind: "startup" });
    await started.now();
    expect(await statuses()).toEqual([200, 503, 503, 503]);
    const response = await fetch(`${origin}/readyz`);
    expect(response.headers.get("content-type")).toBe("application/health+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ status: "fail", output: expect.stringContaining("shutting down") });
    undo();
    started.stop();
  });

  it("answers HEAD without a body, refuses POST with what is allowed, and knows no other path", async () => {
    setup();
    const origin = await serve();
    const head = await fetch(`${origin}/livez`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await fetch(`${origin}/livez`, { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await fetch(`${origin}/elsewhere`)).status).toBe(404);
  });
});

describe("in Express", () => {
  it("a path that is none of its own goes on to what stands behind it, untouched", async () => {
    setup();
    const origin = await onExpress((app) => {
      app.use(nodeHandler(healthHandler()));
      app.use(express.json());
      app.post("/orders", (request, response) => void response.json({ got: request.body }));
    });
    const response = await fetch(`${origin}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"cents":5}',
    });
    expect(await response.json()).toEqual({ got: { cents: 5 } });
  });

  it("a 404 of a handler of one's own is an answer, and goes nowhere else", async () => {
    setup();
    const origin = await onExpress((app) => {
      app.use(nodeHandler(async () => new Response("no such order", { status: 404 })));
      app.use((_, response) => void response.send("what stands behind"));
    });
    expect(await (await fetch(origin)).text()).toBe("no such order");
  });

  it("a body that was read before fails by a sentence that says where to stand, not by an empty body", async () => {
    const { seen } = setup();
    const origin = await onExpress((app) => {
      app.use(express.json());
      app.use(nodeHandler(echo));
    });
    const response = await fetch(origin, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(response.status).toBe(500);
    expect(seen.of("request.failed")).toMatchObject([
      { error: { message: expect.stringContaining("before what parses it") } },
    ]);
  });
});

describe("a request", () => {
  it("comes with its method, address, headers and body", async () => {
    setup();
    const origin = await onHttp(echo);
    const response = await fetch(`${origin}/a%20b?c=d`, {
      method: "PATCH",
      headers: { cookie: "a=1; b=2" },
      body: "ü".repeat(100_000),
    });
    expect(await response.json()).toEqual({
      method: "PATCH",
      url: `${origin}/a%20b?c=d`,
      cookie: "a=1; b=2",
      text: "ü".repeat(100_000),
    });
  });

  it("with a path that looks like a host keeps the host it was sent to", async () => {
    setup();
    const origin = await onHttp(echo);
    expect(
      await raw(origin, "GET //evil.example/x HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n"),
    ).toContain('"url":"http://api.example//evil.example/x"');
  });

  it.each([
    ["a host that is none", "GET / HTTP/1.1\r\nHost: a/b?c\r\nConnection: close\r\n\r\n", "400 Bad Request"],
    [
      "a method that fetch does not know",
      "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "501 Not Implemented",
    ],
  ])("with %s is answered, and no failure of the handler", async (_, text, status) => {
    const { seen } = setup();
    const origin = await onHttp(echo);
    expect(await raw(origin, text)).toContain(`HTTP/1.1 ${status}`);
    expect(seen.of("request.failed")).toEqual([]);
  });

  it("streams in: the handler reads the first part before the last is sent", async () => {
    setup();
    const read = Promise.withResolvers<string>();
    const origin = await onHttp(async (request) => {
      const reader = (request.body as ReadableStream<Uint8Array>).getReader();
      read.resolve(new TextDecoder().decode((await reader.read()).value));
      let bytes = 0;
      for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length;
      return new Response(String(bytes));
    });
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    void writer.write(new TextEncoder().encode("first"));
    const answer = fetch(origin, { method: "POST", body: body.readable, duplex: "half" } as RequestInit);
    expect(await read.promise).toBe("first");
    await writer.write(new Uint8Array(1_000));
    await writer.close();
    expect(await (await answer).text()).toBe("1000");
  });

  it("that nobody reads does not stand in the way of the connection's next one", async () => {
    setup();
    const origin = await onHttp(async (request) => {
      if (request.url.endsWith("/some")) await request.body?.getReader().read();
      if (request.url.endsWith("/cancel")) await request.body?.cancel();
      return new Response("enough");
    });
    for (let i = 0; i < 3; i++)
      for (const path of ["/none", "/some", "/cancel"]) {
        const response = await fetch(origin + path, { method: "POST", body: new Uint8Array(2_000_000) });
        expect(await response.text()).toBe("enough");
      }
  });

  it.each([
    ["not at all", async () => {}],
    ["in part", async (reader: ReadableStreamDefaultReader<Uint8Array>) => void (await reader.read())],
  ])(
    "that was read %s when it was answered says so to who reads on, and does not end as if it were whole",
    async (_, first) => {
      setup();
      const answered = Promise.withResolvers<void>();
      const late = Promise.withResolvers<unknown>();
      const origin = await onHttp(async (request) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        await first(reader);
        void answered.promise
          .then(async () => {
            while (!(await reader.read()).done);
            return "whole";
          })
          .then(late.resolve, late.resolve);
        return new Response("enough");
      });
      await (await fetch(origin, { method: "POST", body: new Uint8Array(2_000_000) })).text();
      answered.resolve();
      expect(await late.promise).toMatchObject({ message: expect.stringContaining("had been answered") });
    },
  );

  it("of a client that goes away is aborted, and the abort is no failure", async () => {
    const { seen } = setup();
    const began = Promise.withResolvers<AbortSignal>();
    const origin = await onHttp(async ({ signal }) => {
      began.resolve(signal);
      await once(signal, "abort");
      throw signal.reason;
    });
    const client = new AbortController();
    const answer = fetch(origin, { signal: client.signal }).catch((error) => error.name);
    const signal = await began.promise;
    client.abort();
    expect(await answer).toBe("AbortError");
    if (!signal.aborted) await once(signal, "abort");
    expect(signal.reason).toMatchObject({ name: "AbortError" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.of("request.failed")).toEqual([]);
  });

  it("that was answered is never aborted", async () => {
    setup();
    const signals: AbortSignal[] = [];
    const origin = await onHttp(async ({ signal }) => {
      signals.push(signal);
      return new Response("well");
    });
    await (await fetch(origin, { headers: { connection: "close" } })).text();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});

describe("a response", () => {
  it("goes out with status, headers and every cookie", async () => {
    setup();
    const headers = new Headers({ "x-a": "b", "content-length": "3" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    const origin = await onHttp(async () => new Response("yes", { status: 201, headers }));
    const response = await fetch(origin);
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([201, "b", "yes"]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("without a body is one, and so is that to HEAD, whose body is closed", async () => {
    setup();
    const cancelled = Promise.withResolvers<void>();
    const origin = await onHttp(async (request) =>
      request.method === "HEAD"
        ? new Response(new ReadableStream({ cancel: () => cancelled.resolve() }))
        : new Response(null, { status: 204 }),
    );
    expect((await fetch(origin)).status).toBe(204);
    expect((await fetch(origin, { method: "HEAD" })).status).toBe(200);
    await cancelled.promise;
  });

  it("sends its head at once where the body takes its time, and each part when it comes", async () => {
    setup();
    const parts = new TransformStream<Uint8Array, Uint8Array>();
    const writer = parts.writable.getWriter();
    const origin = await onHttp(async () => new Response(parts.readable));
    const response = await fetch(origin); // answered with the head
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    void writer.write(new TextEncoder().encode("one"));
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("one");
    void writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  it("is read no faster than the client takes it", async () => {
    setup();
    let sent = 0;
    const chunk = new Uint8Array(64 * 1_024);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const origin = await onHttp(async () => new Response(endless));
    const client = new AbortController();
    const response = await fetch(origin, { signal: client.signal });
    expect(response.status).toBe(200);
    let before = -1;
    for (let still = 0; still < 5; still = sent === before ? still + 1 : 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(sent).toBeLessThan(64 * 1_024 * 1_024); // what buffers and the socket hold, and not more
    client.abort();
  });

  it("whose client goes away has its source closed", async () => {
    setup();
    const closed = Promise.withResolvers<unknown>();
    const origin = await onHttp(
      async () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
            cancel: (reason) => closed.resolve(reason),
          }),
        ),
    );
    const client = new AbortController();
    const response = await fetch(origin, { signal: client.signal });
    await response.body?.getReader().read();
    client.abort();
    expect(await closed.promise).toMatchObject({ name: "AbortError" });
  });
});

describe("an error", () => {
  it.each([
    ["rejects", async () => Promise.reject(new Error("password=hunter2"))],
    [
      "throws",
      () => {
        throw new Error("password=hunter2");
      },
    ],
    ["gives no response", async () => ({ password: "hunter2" }) as never],
    [
      "gives a response that was read",
      async () => {
        const read = new Response("hunter2");
        await read.text();
        return read;
      },
    ],
  ] as ReadonlyArray<[string, Handler]>)(
    "of a handler that %s is a 500 without secrets, and told on the bus",
    async (_, handler) => {
      const { seen } = setup();
      const response = await fetch(await onHttp(handler));
      expect(response.status).toBe(500);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ status: 500, title: "Internal Server Error" });
      expect(text).not.toContain("hunter2");
      expect(seen.of("request.failed")).toMatchObject([
        { method: "GET", severity: "warning", error: expect.anything() },
      ]);
    },
  );

  const breaksAtOnce = () =>
    new Response(
      new ReadableStream({
        pull() {
          throw new Error("down");
        },
      }),
      {
        headers: {
          "content-length": "1000",
          "content-type": "text/html",
          "content-encoding": "gzip",
          "cache-control": "public, max-age=31536000",
          date: "Wed, 25 Nov 2020 00:00:00 GMT",
          etag: '"a"',
          "set-cookie": "session=abc",
          "x-request-id": "of the answer",
        },
      },
    );

  it("of a body that fails before anything of it was sent leaves nothing of the answer that it was to be", async () => {
    setup();
    const response = await fetch(await onHttp(async () => breaksAtOnce()));
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ status: 500 });
    const { date, ...rest } = Object.fromEntries(response.headers);
    expect(Date.parse(date as string)).toBeGreaterThan(Date.parse("2026-01-01"));
    expect(Object.keys(rest).filter((name) => !/^(connection|keep-alive|transfer-encoding)$/.test(name))).toEqual([
      "content-type",
    ]);
    expect(rest["content-type"]).toBe("application/problem+json");
  });

  it("leaves what others had set before, as they had set it", async () => {
    setup();
    const origin = await onExpress((app) => {
      app.use((_, response, next) => {
        response.setHeader("x-request-id", "7");
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.setHeader("strict-transport-security", "max-age=1");
        next();
      });
      app.use(nodeHandler(async () => breaksAtOnce()));
    });
    const { status, headers } = await fetch(origin);
    expect([status, headers.get("x-request-id"), headers.get("strict-transport-security")]).toEqual([
      500,
      "7",
      "max-age=1",
    ]);
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect([headers.get("cache-control"), headers.get("etag")]).toEqual([null, null]);
  });

  it("of holdfast's own is answered as `problem` has it", async () => {
    setup();
    const response = await fetch(
      await onHttp(async () => Promise.reject(new BreakerOpenError("a", "a", "why", 1_500))),
    );
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  });

  it("in the middle of a body cuts the connection: nobody takes half an answer for a whole one", async () => {
    const { seen } = setup();
    const origin = await onHttp(
      async () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
            pull: () => new Promise((_, reject) => setTimeout(reject, 20, new Error("hunter2"))),
          }),
        ),
    );
    const response = await fetch(origin);
    await expect(response.text()).rejects.toThrow("terminated");
    expect(seen.of("request.failed").length).toBe(1);
  });
});

it("status calls are answered under pressure: while calls hang and fail by the thousand", async () => {
  const { seen } = setup();
  seen.stop();
  const origin = await onHttp(healthHandler());
  const [hanging, failing] = [protect("hanging", () => new Promise<never>(() => {})), protect("failing", fails)];
  let calls = 0;
  const load = setInterval(() => {
    for (let i = 0; i < 100; i++) for (const call of [hanging, failing]) void call().catch(() => {});
    calls += 200;
  }, 5);
  onTestFinished(() => clearInterval(load));
  for (let i = 0; calls < 5_000 || i < 10; i++)
    for (const path of ["/livez", "/readyz", "/health"]) expect((await fetch(origin + path)).status).toBe(200);
}, 20_000);
