import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Stream } from "openai/core/streaming";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { bodyOf } from "../../src/core/body.ts";
import { discard, holdInCommon, letsGoItsOwnWay } from "../../src/core/discard.ts";
import { reset } from "../../src/testing/index.ts";
import { loopback, part, thrownBy } from "./loopback.ts";

/** What reaches the process, where nothing should. */
function watched() {
  const seen: unknown[] = [];
  const note = (error: unknown) => void seen.push(error);
  for (const event of ["unhandledRejection", "uncaughtException"]) {
    process.on(event, note);
    onTestFinished(() => void process.off(event, note));
  }
  return seen;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await setImmediate();
}

describe("a result nobody wants", () => {
  it("that is a response has its body cancelled: its connection does not stay taken", async () => {
    const server = await loopback();
    for (const path of ["/stall", "/headers"]) {
      const { response, closed } = await server.get(path);
      discard(response, undefined);
      await closed;
      expect(response.bodyUsed).toBe(true);
    }
  });

  it("that is a response that has arrived whole gives its connection back to the next request", async () => {
    const server = await loopback();
    for (let i = 0; i < 10; i++) {
      const { response, closed } = await server.get("/whole");
      await closed;
      discard(response, undefined);
    }
    // the client opens a second one when it asks again in the very turn
    expect(server.opened()).toBeLessThanOrEqual(2);
  });

  it("that is a response followed to its end has ended", async () => {
    const server = await loopback();
    const { response, closed } = await server.get("/stall");
    const body = bodyOf(response);
    discard(response, undefined);
    expect(body?.ended).toBe(true);
    await closed;
  });

  it("is left alone where somebody reads it", async () => {
    const server = await loopback();
    const { response, served } = await server.get("/stall");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    discard(response, undefined);
    discard(response.body, undefined);
    const { value } = await reader.read();
    expect(Buffer.from(value as Uint8Array).toString()).toBe(part);
    served.end();
    expect((await reader.read()).done).toBe(true);
  });

  it("that is a response without a body, or one that was read, costs nothing and breaks nothing", async () => {
    const seen = watched();
    const read = new Response("x");
    await read.text();
    discard(read, undefined);
    discard(new Response(null), undefined);
    await turns();
    expect(seen).toEqual([]);
  });

  it("that is a response in the manner of node-fetch has its stream destroyed", () => {
    const body = new PassThrough();
    discard({ status: 503, headers: new Headers(), text: async () => "", bodyUsed: false, body }, undefined);
    expect(body.destroyed).toBe(true);
  });

  it("that is a web stream is cancelled, and one that fails in closing troubles nobody", async () => {
    const seen = watched();
    let cancelled = 0;
    const cancel = () => {
      cancelled++;
      throw new Error("no");
    };
    discard(new ReadableStream({ cancel }), undefined);
    await turns();
    expect(cancelled).toBe(1);
    expect(seen).toEqual([]);
  });

  it("that is a stream of Node's is destroyed, and what it says in closing does not end the process", async () => {
    const seen = watched();
    const server = await loopback();
    const serving = server.next();
    const [incoming] = (await once(get(`${server.origin}/stall`), "response")) as [IncomingMessage];
    const { closed } = await serving;
    discard(incoming, undefined);
    await closed;
    const broken = new PassThrough({ destroy: (_, done) => done(new Error("broken in closing")) });
    discard(broken, undefined);
    expect(broken.destroyed).toBe(true);
    discard(broken, undefined);
    await turns();
    expect(seen).toEqual([]);
  });

  it("that is an iterator is returned, so that what it holds is let go", async () => {
    const closed: string[] = [];
    function* numbers() {
      try {
        yield 1;
      } finally {
        closed.push("sync");
      }
    }
    async function* lines() {
      try {
        yield "a";
      } finally {
        closed.push("async");
      }
    }
    const [sync, async] = [numbers(), lines()];
    sync.next();
    await async.next();
    discard(sync, undefined);
    discard(async, undefined);
    await turns();
    expect(closed).toEqual(["sync", "async"]);
  });

  it("that is a stream of a model client is aborted, though nobody has begun to read it", async () => {
    const server = await loopback();
    const controller = new AbortController();
    const serving = server.next();
    const response = await fetch(`${server.origin}/stall`, { signal: controller.signal });
    const { closed } = await serving;
    discard(Stream.fromSSEResponse(response, controller), undefined);
    await closed;
  });

  it("that is a disposable is disposed, in its asynchronous way where it has both", async () => {
    const disposed: string[] = [];
    discard({ [Symbol.dispose]: () => disposed.push("sync") }, undefined);
    class Both {
      [Symbol.dispose]() {
        disposed.push("not this one");
      }
      async [Symbol.asyncDispose]() {
        disposed.push(this instanceof Both ? "async" : "of nobody");
      }
    }
    discard(new Both(), undefined);
    discard(
      Object.assign(() => {}, { [Symbol.dispose]: () => disposed.push("a function") }),
      undefined,
    );
    await turns();
    expect(disposed).toEqual(["sync", "async", "a function"]);
  });

  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const no = () => {
    throw new Error("no");
  };
  const hostile: ReadonlyArray<[what: string, value: unknown]> = [
    ["an iterator that throws", { next: no, return: no }],
    ["an iterator that rejects", { next: no, return: () => Promise.reject(new Error("no")) }],
    ["a disposable that throws", { [Symbol.dispose]: no }],
    ["a disposable that rejects", { [Symbol.asyncDispose]: () => Promise.reject(new Error("no")) }],
    ["a disposable whose promise throws", { [Symbol.asyncDispose]: () => ({ [`${"th"}en`]: no }) }],
    ["a proxy that throws", revoked.proxy],
    ["an object whose getters throw", Object.defineProperty({}, "pipe", { get: no })],
    ["a response whose body throws", Object.defineProperty(new Response("x"), "body", { get: no })],
  ];
  it.each(hostile)("never throws nor rejects: %s", async (_, value) => {
    const seen = watched();
    expect(await thrownBy(() => discard(value, undefined))).toBe("nothing was thrown");
    await turns();
    expect(seen).toEqual([]);
  });

  it.each([["pipe", "on"], ["pipe", "destroy"], ["on", "destroy"], ["getReader"], ["cancel"]])(
    "that has no more of a stream than this is none, and is disposed: %s %s",
    (...names) => {
      const seen: string[] = [];
      const methods = names.map((name) => [name, () => seen.push(name)] as const);
      discard({ ...Object.fromEntries(methods), [Symbol.dispose]: () => seen.push("disposed") }, undefined);
      expect(seen).toEqual(["disposed"]);
    },
  );

  it("that is a plain value, a list or a map stays as it is", async () => {
    const seen = watched();
    const values = [1, "text", null, undefined, Symbol("s"), [1, 2], new Map([[1, 2]]), new Set([1]), { a: [1] }];
    for (const value of values) discard(value, undefined);
    await turns();
    expect(values[5]).toEqual([1, 2]);
    expect(seen).toEqual([]);
  });
});

describe("a discard of the user's own", () => {
  beforeEach(() => reset());

  it("is not called with a text or number that several have, until everything is as new", () => {
    letsGoItsOwnWay();
    const given: unknown[] = [];
    const own = (value: unknown) => given.push(value);
    for (const value of ["connection 7", 7]) {
      holdInCommon(value);
      discard(value, own);
    }
    expect(given).toEqual([]);
    reset();
    for (const value of ["connection 7", 7]) discard(value, own);
    expect(given).toEqual(["connection 7", 7]);
  });

  it("is called in place of ours, with any value", () => {
    const given: unknown[] = [];
    const stream = new PassThrough();
    for (const value of [stream, 7, undefined]) discard(value, (value) => given.push(value));
    expect(given).toEqual([stream, 7, undefined]);
    expect(stream.destroyed).toBe(false);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("no"))],
  ])("that %s troubles nobody", async (_, own) => {
    const seen = watched();
    expect(await thrownBy(() => discard(1, own))).toBe("nothing was thrown");
    await turns();
    expect(seen).toEqual([]);
  });
});
