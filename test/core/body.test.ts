import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { PassThrough, Readable, Writable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Body, bodyOf } from "../../src/core/body.ts";
import { collectedUntil, digest, large, loopback, part, report, thrownBy } from "./loopback.ts";

const reason = new Error("the deadline is over");

function bodyIn(value: unknown): Body {
  const body = bodyOf(value);
  if (body === undefined) throw new Error("It has no body on its way.");
  return body;
}

/** The bodies that a test can cut, each with what it is. */
async function setup(path: string) {
  const server = await loopback();
  const got = await server.get(path);
  const body = bodyIn(got.response);
  const ends: string[] = [];
  body.onEnd(() => ends.push("end"));
  return { server, ...got, body, ends };
}

/** A web stream of these chunks, as a value of its own; how often it was asked, and what it was cancelled with. */
function streamOf(chunks: readonly Uint8Array[], options: { type?: "bytes"; stalls?: boolean } = {}) {
  const left = chunks.slice();
  const seen = { pulls: 0, cancelled: [] as unknown[] };
  const over: UnderlyingSource<Uint8Array> = {
    pull(controller) {
      seen.pulls++;
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(Uint8Array.from(chunk));
      if (options.stalls) return new Promise<void>(() => {});
      controller.close();
      (controller as ReadableByteStreamController).byobRequest?.respond(0);
    },
    cancel: (why) => void seen.cancelled.push(why),
  };
  const stream = new ReadableStream(options.type ? { ...over, type: "bytes" } : over, { highWaterMark: 0 });
  return { stream: stream as ReadableStream<Uint8Array>, seen };
}

async function drained(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function drainedInto(stream: ReadableStream<Uint8Array>, size: number): Promise<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(size));
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
  }
}

async function pipedTo(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await stream.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
  return Buffer.concat(chunks);
}

async function readByNode(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Readable.fromWeb(stream as never).toArray());
}

type Read = (stream: ReadableStream<Uint8Array>) => Promise<Uint8Array>;
const waysToReadAStream: ReadonlyArray<[way: string, read: Read]> = [
  ["for await", drained],
  ["a reader into buffers of one's own", (stream) => drainedInto(stream, 1_000)],
  ["pipeTo", pipedTo],
  ["pipeThrough", (stream) => drained(stream.pipeThrough(new TransformStream()))],
  ["one half of tee", (stream) => drained(stream.tee()[1])],
  ["Readable.fromWeb", readByNode],
];
const waysToReadAResponse: ReadonlyArray<[way: string, read: (response: Response) => Promise<Uint8Array>]> = [
  ...waysToReadAStream.map(([way, read]): [string, (response: Response) => Promise<Uint8Array>] => [
    `response.body by ${way}`,
    (response) => read(response.body as ReadableStream<Uint8Array>),
  ]),
  ["new Response(response.body)", (response) => new Response(response.body).bytes()],
  ["text()", async (response) => Buffer.from(await response.text())],
  ["json()", async (response) => Buffer.from(JSON.stringify(await response.json()))],
  ["arrayBuffer()", async (response) => new Uint8Array(await response.arrayBuffer())],
  ["bytes()", (response) => response.bytes()],
  ["blob()", async (response) => (await response.blob()).bytes()],
  ["a clone", (response) => response.clone().bytes()],
  ["the original of a clone", (response) => [response, response.clone()][0]?.bytes() as Promise<Uint8Array>],
];

class Plain {
  readonly status = 200;
}

describe("bodyOf", () => {
  const used = new Response("used");
  used.text();
  const locked = new Response("locked");
  locked.body?.getReader();
  const lockedStream = streamOf([]).stream;
  lockedStream.getReader();
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const destroyed = new PassThrough().destroy();
  const cases: ReadonlyArray<[what: string, value: unknown]> = [
    ["a number", 1],
    ["a text", "body"],
    ["null", null],
    ["undefined", undefined],
    ["a function", () => new Response("x")],
    ["a plain object", { status: 200, body: "x", text: () => "x" }],
    ["a plain object that is read like a stream", { getReader() {}, cancel() {}, locked: false }],
    ["an object without prototype", Object.create(null)],
    ["an array", [new Response("x")]],
    ["a map", new Map()],
    ["an object of a class", new Plain()],
    ["a response without a body", new Response(null)],
    ["a response that has been read", used],
    ["a response whose body somebody reads", locked],
    ["a response with an empty body", new Response("", { headers: { "content-length": "0" } })],
    ["a frozen response, which cannot be followed", Object.freeze(new Response("x"))],
    ["a web stream that somebody reads", lockedStream],
    ["a destroyed stream of Node's", destroyed],
    ["a stream that can only be written", new Writable()],
    ["a request", new Request("http://127.0.0.1", { method: "POST", body: "x" })],
    ["a proxy that throws", revoked.proxy],
  ];
  it.each(cases)("finds no body on its way in %s", (_, value) => {
    expect(bodyOf(value)).toBeUndefined();
  });

  it.each(["/none", "/empty"])("finds none in what a server answers with no body (%s)", async (path) => {
    const server = await loopback();
    expect(bodyOf(await fetch(server.origin + path))).toBeUndefined();
  });

  it("finds none in a stream of Node's that was read to its end", async () => {
    const stream = Readable.from(["a"]);
    await textOf(stream);
    expect(bodyOf(stream)).toBeUndefined();
  });

  it("takes no socket for a body: a connection outlives the call that made it", async () => {
    const server = await loopback();
    const { Socket } = await import("node:net");
    const socket = new Socket().connect(Number(new URL(server.origin).port), "127.0.0.1");
    await once(socket, "connect");
    expect(bodyOf(socket)).toBeUndefined();
    socket.destroy();
  });

  it("gives the same body for the same value each time, so that nested calls can each follow it", () => {
    for (const value of [new Response("x"), streamOf([]).stream, new PassThrough()]) {
      expect(bodyIn(value)).toBe(bodyIn(value));
    }
  });

  it("gives none any more once the body has ended", async () => {
    const response = new Response("x");
    bodyIn(response);
    await response.text();
    expect(bodyOf(response)).toBeUndefined();
  });
});

describe("a body's end", () => {
  it("is told once to each listener, and at once to one that comes later", async () => {
    const { body, response, ends } = await setup("/whole");
    body.onEnd(() => ends.push("another"));
    expect(ends).toEqual([]);
    await response.text();
    body.cut(reason);
    expect(ends).toEqual(["end", "another"]);
    body.onEnd(() => ends.push("late"));
    expect(ends).toEqual(["end", "another", "late"]);
  });

  it("is not there while a part is still to come", async () => {
    const { body, response, served } = await setup("/stall");
    const reader = response.body?.getReader();
    await reader?.read();
    await setImmediate();
    expect(body.ended).toBe(false);
    served.end();
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
    expect(body.ended).toBe(true);
  });

  it.each(waysToReadAResponse)("comes when it has been read by %s, and what was read is whole", async (_, read) => {
    const { body, response } = await setup("/whole");
    expect(Buffer.from(await read(response)).toString()).toBe(JSON.stringify(report));
    expect(body.ended).toBe(true);
  });

  it.each(waysToReadAResponse.filter(([way]) => way !== "json()" && way !== "text()"))(
    "comes with a large body in many chunks, byte for byte, read by %s",
    async (_, read) => {
      const { body, response } = await setup("/large");
      expect(digest(await read(response))).toBe(digest(large));
      expect(body.ended).toBe(true);
    },
  );

  it("comes when the reader cancels, and the connection closes", async () => {
    const { body, response, closed } = await setup("/stall");
    await response.body?.cancel("enough");
    expect(body.ended).toBe(true);
    await closed;
  });

  it("comes when a loop over it is left early", async () => {
    const { body, response, closed } = await setup("/stall");
    for await (const _ of response.body as ReadableStream) break;
    expect(body.ended).toBe(true);
    await closed;
  });

  it("comes with an error of the source, which passes through as it is", async () => {
    const { body, response, served } = await setup("/stall");
    const reader = response.body?.getReader();
    await reader?.read();
    const read = thrownBy(() => reader?.read());
    served.socket?.resetAndDestroy();
    expect(await read).toMatchObject({ name: "TypeError", message: "terminated", cause: { code: "ECONNRESET" } });
    expect(body.ended).toBe(true);
  });

  it("comes with a reset that nobody was reading for, once it was opened", async () => {
    const { body, response, served } = await setup("/stall");
    await response.body?.getReader().read();
    const ended = new Promise<void>((resolve) => body.onEnd(resolve));
    served.socket?.resetAndDestroy();
    await ended;
  });
});

describe("a cut", () => {
  it.each(waysToReadAResponse)("in mid-body reaches who reads by %s with the very reason", async (_, read) => {
    const { body, response, closed, ends } = await setup("/stall");
    const thrown = thrownBy(() => read(response));
    await setImmediate();
    body.cut(reason);
    expect(await thrown).toBe(reason);
    expect(ends).toEqual(["end"]);
    await closed;
  });

  it.each(waysToReadAResponse)("reaches who reads only later by %s with the very reason", async (_, read) => {
    const { body, response, closed } = await setup("/stall");
    body.cut(reason);
    await closed;
    expect(await thrownBy(() => read(response))).toBe(reason);
  });

  it.each(waysToReadAResponse)("reaches who touched it before and reads later by %s", async (_, read) => {
    const { body, response, closed } = await setup("/stall");
    expect(response.body).toBe(response.body);
    body.cut(reason);
    await closed;
    expect(await thrownBy(() => read(response))).toBe(reason);
  });

  it.each([
    ["an abort", AbortSignal.abort().reason],
    ["a text", "stop"],
    ["undefined", undefined],
  ])("hands on %s as it is", async (_, why) => {
    const { body, response } = await setup("/stall");
    const thrown = thrownBy(() => response.text());
    body.cut(why);
    expect(await thrown).toBe(why);
  });

  it("ends a body that stalls after the headers, and its connection closes", async () => {
    const { body, response, closed } = await setup("/headers");
    const thrown = thrownBy(() => response.text());
    await setImmediate();
    body.cut(reason);
    expect(await thrown).toBe(reason);
    await closed;
  });

  it("does not take back what was read before it", async () => {
    const { body, response } = await setup("/stall");
    const reader = response.body?.getReader();
    const first = await reader?.read();
    body.cut(reason);
    expect(Buffer.from(first?.value as Uint8Array).toString()).toBe(part);
    expect(await thrownBy(() => reader?.read())).toBe(reason);
    expect(await thrownBy(() => reader?.closed)).toBe(reason);
  });

  it("does nothing after the end, nor does a second one", async () => {
    const { body, response, ends } = await setup("/whole");
    const reader = response.body?.getReader();
    while (!(await reader?.read())?.done);
    body.cut(reason);
    await reader?.closed;
    expect(ends).toEqual(["end"]);

    const { body: stalled, response: other } = await setup("/stall");
    stalled.cut(reason);
    stalled.cut(new Error("another"));
    expect(await thrownBy(() => other.text())).toBe(reason);
  });

  it("reaches both halves of a clone, and a clone of that", async () => {
    const { body, response, closed } = await setup("/stall");
    const first = response.clone();
    const thrown = [response, first, first.clone()].map((half) => thrownBy(() => half.text()));
    await setImmediate();
    body.cut(reason);
    expect(await Promise.all(thrown)).toEqual([reason, reason, reason]);
    await closed;
  });

  it("leaves no rejection that nobody handles, read or not", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    for (const touch of [() => {}, (r: Response) => r.body, (r: Response) => r.body?.getReader()]) {
      const { body, response, closed } = await setup("/stall");
      touch(response);
      body.cut(reason);
      await closed;
      await setImmediate();
    }
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("of a source that fails or hangs in closing ends the body all the same", async () => {
    for (const cancel of [() => Promise.reject(new Error("no")), () => new Promise<void>(() => {})]) {
      const response = new Response(new ReadableStream({ cancel }));
      const body = bodyIn(response);
      const thrown = thrownBy(() => response.text());
      await setImmediate();
      body.cut(reason);
      expect(body.ended).toBe(true);
      expect(await thrown).toBe(reason);
    }
  });
});

describe("a response that is followed", () => {
  it("stays itself: object, class, url, status, headers, and nothing more to be seen", async () => {
    const server = await loopback();
    const response = await fetch(`${server.origin}/moved`);
    const before = { keys: Object.keys(response), spread: { ...response } };
    bodyIn(response);
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ url: `${server.origin}/whole`, redirected: true, status: 200, ok: true });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect({ keys: Object.keys(response), spread: { ...response } }).toEqual(before);
  });

  it("says as before whether it was used", async () => {
    const { response } = await setup("/whole");
    expect(response.bodyUsed).toBe(false);
    expect(response.body?.locked).toBe(false);
    expect(response.bodyUsed).toBe(false);
    await response.text();
    expect(response.bodyUsed).toBe(true);
  });

  it("refuses a second read as every response does", async () => {
    const { response } = await setup("/whole");
    const plain = new Response("x");
    await Promise.all([response.text(), plain.text()]);
    const [ours, theirs] = await Promise.all([thrownBy(() => response.json()), thrownBy(() => plain.json())]);
    expect(ours).toEqual(theirs);
    expect(await thrownBy(async () => response.clone())).toBeInstanceOf(TypeError);
  });

  it("gives a blob its type and a form its fields", async () => {
    const { response } = await setup("/whole");
    expect((await response.blob()).type).toBe("application/json");
    const form = await (await setup("/form")).response.formData();
    expect([...form]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  it.each(["untouched", "touched"])("has clones that are as it is (%s), and both can be read", async (touched) => {
    const { server, response, body } = await setup("/strange");
    if (touched === "touched") expect(response.body).not.toBeNull();
    const clone = response.clone();
    const second = clone.clone();
    for (const twin of [clone, second]) {
      expect(twin).toBeInstanceOf(Response);
      expect(twin).toMatchObject({ url: `${server.origin}/strange`, status: 799, statusText: "Strange", ok: false });
      expect(twin.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    }
    expect(await clone.text()).toBe("strange");
    expect(body.ended).toBe(true);
    expect(await response.text()).toBe("strange");
    expect(await second.text()).toBe("strange");
  });

  it.each([200, 299, 404, 599])(
    "has clones whose status is seen by what reads internal slots too, where the platform can hold it: %i",
    async (status) => {
      const { stream } = streamOf([]);
      const response = new Response(stream, { status, statusText: "Gone Fishing" });
      bodyIn(response);
      const clone = response.clone();
      const slots = (name: string) => Reflect.get(Response.prototype, name, clone);
      expect([slots("status"), slots("statusText"), slots("ok")]).toEqual([status, "Gone Fishing", status < 300]);
    },
  );

  it("still serves what reads its internal slots", async () => {
    const { response } = await setup("/whole");
    expect(await Response.prototype.json.call(response)).toEqual(report);
    expect(response.bodyUsed).toBe(true);
  });

  it("can be handed to another holder of its methods", async () => {
    const { response } = await setup("/whole");
    const { json } = response;
    expect(await json()).toEqual(report);
    const { response: replaced } = await setup("/whole");
    replaced.text = async () => "another";
    expect(await replaced.text()).toBe("another");
  });

  it("is read from its source only when it is read itself", async () => {
    const { stream, seen } = streamOf([Buffer.from("a"), Buffer.from("b"), Buffer.from("c")]);
    const response = new Response(stream);
    bodyIn(response);
    const reader = response.body?.getReader();
    await setImmediate();
    expect(seen.pulls).toBe(0);
    await reader?.read();
    await setImmediate();
    expect(seen.pulls).toBe(1);
  });

  it("gives the same bytes however they are cut into chunks and read", async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 60 }), async (given, size) => {
        const whole = Buffer.concat(given);
        const response = new Response(streamOf(given, { type: "bytes" }).stream);
        const body = bodyIn(response);
        const [one, other] = (response.body as ReadableStream<Uint8Array>).tee() as [
          ReadableStream<Uint8Array>,
          ReadableStream<Uint8Array>,
        ];
        const [byParts, byChunks] = await Promise.all([drainedInto(one, size), drained(other)]);
        expect(Buffer.compare(byParts, whole)).toBe(0);
        expect(Buffer.compare(byChunks, whole)).toBe(0);
        expect(body.ended).toBe(true);
        const { stream } = streamOf(given, { type: "bytes" });
        bodyIn(stream);
        expect(Buffer.compare(await drainedInto(stream, size), whole)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a body that nobody can reach any more", () => {
  it("ends, and its connection closes, whether it was touched or not", async () => {
    const server = await loopback();
    for (const touch of [() => {}, (r: Response) => r.body, async (r: Response) => void r.clone()]) {
      let ends = 0;
      const lose = async () => {
        const { response, closed } = await server.get("/stall");
        bodyIn(response).onEnd(() => ends++);
        await touch(response);
        return { closed };
      };
      const { closed } = await lose();
      await collectedUntil(() => ends > 0);
      expect(ends).toBe(1);
      await closed;
    }
  });

  it("lets the response go though somebody still holds the body to cut it", async () => {
    const server = await loopback();
    const lose = async () => bodyIn((await server.get("/stall")).response);
    const body = await lose();
    await collectedUntil(() => body.ended);
    expect(body.ended).toBe(true);
  });

  it("is not taken for lost while its stream is held without the response", async () => {
    const server = await loopback();
    const keep = async () => {
      const { response, served } = await server.get("/stall");
      return { body: bodyIn(response), served, stream: response.body, lost: new WeakRef(response) };
    };
    const { body, served, stream, lost } = await keep();
    await collectedUntil(() => lost.deref() === undefined);
    expect(lost.deref()).toBeUndefined();
    expect(body.ended).toBe(false);
    served.end();
    expect(Buffer.from(await drained(stream as ReadableStream<Uint8Array>)).toString()).toBe(part);
    expect(body.ended).toBe(true);
  });

  it("is not taken for lost while its text is awaited, and a cut still reaches who awaits it", async () => {
    const server = await loopback();
    const ask = async () => {
      const { response } = await server.get("/stall");
      return { body: bodyIn(response), thrown: thrownBy(() => response.text()) };
    };
    const { body, thrown } = await ask();
    for (let i = 0; i < 5; i++) {
      (globalThis as { gc?: () => void }).gc?.();
      await setImmediate();
    }
    expect(body.ended).toBe(false);
    body.cut(reason);
    expect(await thrown).toBe(reason);
  });

  it("ends when it was a stream delivered as the value itself", async () => {
    for (const make of [() => streamOf([], { stalls: true }).stream, () => new PassThrough()]) {
      const lose = () => bodyIn(make());
      const body = lose();
      await collectedUntil(() => body.ended);
      expect(body.ended).toBe(true);
    }
  });

  it("leaves nothing behind, neither a connection nor itself, however often", { timeout: 30_000 }, async () => {
    const server = await loopback();
    const responses: WeakRef<Response>[] = [];
    let ends = 0;
    const use = async (path: string, close: (response: Response, body: Body) => unknown) => {
      const response = await fetch(server.origin + path);
      const body = bodyIn(response);
      body.onEnd(() => ends++);
      await close(response, body);
      responses.push(new WeakRef(response));
    };
    for (let i = 0; i < 100; i++) {
      await use("/stall", (_, body) => body.cut(reason));
      await use("/stall", (response) => response.body?.cancel());
      await use("/whole", (response) => response.json());
    }
    expect(ends).toBe(300);
    const left = () => responses.filter((response) => response.deref() !== undefined).length;
    await collectedUntil(() => server.taken() === 0 && left() === 0);
    expect({ taken: server.taken(), left: left() }).toEqual({ taken: 0, left: 0 });
  });
});

describe("a web stream that is itself the value", () => {
  const text = Buffer.from("of several chunks");
  const chunks = [text.subarray(0, 4), text.subarray(4, 9), text.subarray(9)];

  it.each(waysToReadAStream)("can be read by %s, and has ended then", async (_, read) => {
    const { stream } = streamOf(chunks, { type: "bytes" });
    const body = bodyIn(stream);
    expect(Buffer.from(await read(stream)).toString()).toBe(text.toString());
    expect(body.ended).toBe(true);
  });

  it.each(waysToReadAStream)("cut, errors with the very reason for who reads by %s, now or later", async (_, read) => {
    for (const cutFirst of [false, true]) {
      const { stream, seen } = streamOf(chunks, { type: "bytes", stalls: true });
      const body = bodyIn(stream);
      if (cutFirst) body.cut(reason);
      const thrown = thrownBy(() => read(stream));
      await setImmediate();
      if (!cutFirst) body.cut(reason);
      expect(await thrown).toBe(reason);
      expect(seen.cancelled).toEqual([reason]);
    }
  });

  it("carries anything, not only bytes, and is pulled only when read", async () => {
    let pulls = 0;
    const items = [{ token: "a" }, { token: "b" }];
    const stream = new ReadableStream(
      {
        pull(controller) {
          pulls++;
          const item = items.shift();
          if (item === undefined) controller.close();
          else controller.enqueue(item);
        },
      },
      { highWaterMark: 0 },
    );
    const body = bodyIn(stream);
    expect(stream.locked).toBe(false);
    const reader = stream.getReader();
    expect(stream.locked).toBe(true);
    await setImmediate();
    expect(pulls).toBe(0);
    expect(await reader.read()).toEqual({ done: false, value: { token: "a" } });
    await setImmediate();
    expect(pulls).toBe(1);
    reader.releaseLock();
    const rest: unknown[] = [];
    for await (const item of stream.values({ preventCancel: true })) rest.push(item);
    expect(rest).toEqual([{ token: "b" }]);
    expect(body.ended).toBe(true);
  });

  it("cancelled by its reader, hands the reason to the source and has ended", async () => {
    const { stream, seen } = streamOf(chunks);
    const body = bodyIn(stream);
    await stream.cancel("enough");
    expect(seen.cancelled).toEqual(["enough"]);
    expect(body.ended).toBe(true);
  });

  it("passes an error of its source through as it is", async () => {
    const broken = new Error("broken");
    const stream = new ReadableStream({ pull: () => Promise.reject(broken) });
    const body = bodyIn(stream);
    expect(await thrownBy(() => drained(stream))).toBe(broken);
    expect(body.ended).toBe(true);
  });

  it("still serves what reads its internal slots", async () => {
    const { stream } = streamOf(chunks);
    bodyIn(stream);
    expect(await new Response(stream).text()).toBe(text.toString());
  });

  it("can be the body of a response that is followed too", async () => {
    const { stream, seen } = streamOf(chunks, { stalls: true });
    const inner = bodyIn(stream);
    const response = new Response(stream);
    const outer = bodyIn(response);
    const thrown = thrownBy(() => response.text());
    await setImmediate();
    outer.cut(reason);
    expect(await thrown).toBe(reason);
    expect([inner.ended, outer.ended, seen.cancelled]).toEqual([true, true, [reason]]);
  });
});

describe("a stream of Node's", () => {
  async function message(path: string) {
    const server = await loopback();
    const serving = server.next();
    const [incoming] = (await once(get(server.origin + path), "response")) as [IncomingMessage];
    const before = listeners(incoming);
    return { incoming, ...(await serving), before, body: bodyIn(incoming) };
  }
  const listeners = (stream: Readable) =>
    Object.fromEntries(stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]));

  it("ends when it has been read, and no listener of ours stays", async () => {
    const { incoming, body, before } = await message("/whole");
    expect(listeners(incoming)).not.toEqual(before);
    incoming.resume();
    await once(incoming, "end");
    expect(body.ended).toBe(true);
    await setImmediate();
    expect(incoming.closed).toBe(true);
    expect(listeners(incoming)).toEqual(before);
  });

  it("ends when it is destroyed", async () => {
    const { incoming, body, closed } = await message("/stall");
    incoming.destroy();
    await closed;
    expect(body.ended).toBe(true);
  });

  it("ends when it errors though it never closes", () => {
    const stream = new Readable({ read() {}, autoDestroy: false, emitClose: false });
    const body = bodyIn(stream);
    stream.once("error", () => {});
    stream.emit("error", new Error("broken"));
    expect(body.ended).toBe(true);
    expect(stream.eventNames()).toEqual([]);
  });

  const ways: ReadonlyArray<[way: string, read: (stream: Readable) => Promise<unknown>]> = [
    ["for await", (stream) => textOf(stream)],
    ["pipeline", (stream) => pipeline(stream, new PassThrough(), new Writable({ write: (_c, _e, done) => done() }))],
    ["toArray", (stream) => stream.toArray()],
    ["finished", (stream) => finished(stream)],
    ["an error listener", async (stream) => Promise.reject((await once(stream, "error").catch((e) => [e]))[0])],
  ];
  it.each(ways)("cut, errors with the very reason for who reads by %s", async (_, read) => {
    const { incoming, body, closed } = await message("/stall");
    const thrown = thrownBy(() => read(incoming));
    await setImmediate();
    body.cut(reason);
    expect(await thrown).toBe(reason);
    expect(body.ended).toBe(true);
    await closed;
  });

  it.each(ways.slice(0, 4))("cut before, errors with the very reason for who reads later by %s", async (_, read) => {
    const { incoming, body, closed } = await message("/stall");
    body.cut(reason);
    await closed;
    expect(await thrownBy(() => read(incoming))).toBe(reason);
  });

  it("cut, does not end the process of who listens for no error, and no listener of ours stays", async () => {
    const { incoming, body, closed, before } = await message("/stall");
    const request = (incoming as IncomingMessage & { req: ClientRequest }).req;
    const ofRequest = request.listenerCount("error");
    body.cut(reason);
    await closed;
    await setImmediate();
    expect(incoming.errored).toBe(reason);
    expect(listeners(incoming)).toEqual(before);
    expect(request.listenerCount("error")).toBe(ofRequest);
  });

  it("that says nothing when it is destroyed keeps no listener of ours either", async () => {
    const stream = new PassThrough({ destroy: (_, done) => done() });
    bodyIn(stream).cut(reason);
    await once(stream, "close");
    expect(stream.listenerCount("error")).toBe(0);
  });

  it("cut with a reason that is no error, gives an error with it as its cause", async () => {
    const { incoming, body } = await message("/stall");
    const thrown = thrownBy(() => textOf(incoming));
    await setImmediate();
    body.cut("stop");
    expect(await thrown).toMatchObject({ cause: "stop" });
  });

  it("followed, still tells the user of its own error, as loudly as before", () => {
    const stream = new PassThrough();
    const body = bodyIn(stream);
    expect(stream.listenerCount("error")).toBe(0);
    const broken = new Error("broken");
    expect(() => stream.emit("error", broken)).toThrow(broken);
    expect(body.ended).toBe(true);
  });

  it("already on its way to its own end is not given another error", async () => {
    const stream = new PassThrough();
    const body = bodyIn(stream);
    const broken = new Error("broken");
    const told = once(stream, "error").catch((error) => [error]);
    stream.destroy(broken);
    body.cut(reason);
    expect(await told).toEqual([broken]);
    expect(body.ended).toBe(true);
  });

  it("as the body of a response in the manner of node-fetch, makes its readers reject with the reason", async () => {
    // node-fetch 3: the body is Node's, and its readers wrap what the stream says
    class FetchedByNode {
      readonly status = 200;
      readonly headers = new Headers();
      readonly bodyUsed = false;
      readonly body: Readable;
      constructor(body: Readable) {
        this.body = body;
      }
      async text() {
        try {
          return await textOf(this.body);
        } catch (error) {
          throw new Error(`Invalid response body: ${(error as Error).message}`);
        }
      }
    }
    const whole = new FetchedByNode(Readable.from(["a", "b"]));
    const wholeBody = bodyIn(whole);
    expect(await whole.text()).toBe("ab");
    expect(wholeBody.ended).toBe(true);

    const stalled = new FetchedByNode(new PassThrough());
    const body = bodyIn(stalled);
    const thrown = thrownBy(() => stalled.text());
    await setImmediate();
    body.cut(reason);
    expect(await thrown).toBe(reason);

    const broken = new FetchedByNode(new PassThrough());
    bodyIn(broken);
    const wrapped = thrownBy(() => broken.text());
    await setImmediate();
    broken.body.destroy(new Error("broken"));
    expect(await wrapped).toMatchObject({ message: "Invalid response body: broken" });
  });
});
