// Design §1: the body is part of the call. Real servers, real fetch.
import { get, type IncomingMessage } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../src/core/clock.ts";
import {
  breaker,
  type CallContext,
  DeadlineExceededError,
  defineWrapper,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { collectedUntil, digest, large, loopback, part, thrownBy } from "../core/loopback.ts";
import { setup } from "./setup.ts";

/** A server, and fetch of one of its paths as an operation; `served`: the server's side of the last request. */
async function website() {
  const server = await loopback();
  const fetched: Response[] = [];
  const operation: Operation<string, Response> = async (path, { signal }) => {
    const response = await fetch(server.origin + path, { signal });
    fetched.push(response);
    return response;
  };
  return { ...setup(), server, fetched, operation };
}

/** A layer that notes when its attempts have truly ended. */
function ending() {
  const ends: number[] = [];
  const layer = defineWrapper("ending", z.undefined(), undefined, () => ({
    bracket: { ended: ({ serial }) => void ends.push(serial) },
  }));
  return { ends, layer };
}

async function read(response: Response): Promise<unknown> {
  return response.text().catch((error) => ({ error }));
}

describe("a delivered Response", () => {
  it("is the same object, so that `url` and identity stay, and reads as ever", async () => {
    const { operation, fetched, caller, server } = await website();
    const call = protect("get", operation, { deadline: "9s", timeout: "5s", retry: {}, breaker: {} });
    const response = await call("/moved", { signal: caller().signal });
    expect(response).toBe(fetched[0]);
    expect(response).toBeInstanceOf(Response);
    expect([response.url, response.redirected, response.status]).toEqual([`${server.origin}/whole`, true, 200]);
    expect(await response.json()).toEqual({ title: "tides", figures: [1, 2, 3] });
  });

  it("of a large body is whole, byte for byte", async () => {
    const { operation, caller } = await website();
    const call = protect("get", operation, { deadline: "9s" });
    const response = await call("/large", { signal: caller().signal });
    expect(digest(await response.bytes())).toBe(digest(large));
  });

  it("of a call that nothing can end from outside is left untouched", async () => {
    const { operation } = await website();
    const response = await protect("get", operation, { timeout: "1s", retry: {} })("/whole");
    expect(Object.getOwnPropertyNames(response)).toEqual(Object.getOwnPropertyNames(new Response("x")));
    await response.text();
  });

  it("answers the caller at the headers: `call.settled` is told then, and latency measured", async () => {
    const { clock, operation, seen, server, caller } = await website();
    const slow: Operation<string, Response> = async (path, context) => {
      await clock.sleep(30);
      return operation(path, context);
    };
    const serving = server.next();
    const ended = settled(protect("get", slow))("/headers", { signal: caller().signal });
    await clock.advance(30);
    const { served } = await serving;
    const end = await ended;
    expect(end).toMatchObject({ ok: true, story: { state: "succeeded", elapsedMs: 30 } });
    expect(seen.of("call.settled")).toMatchObject([{ state: "succeeded", elapsedMs: 30 }]);
    await clock.advance("10s");
    served.end("late");
    expect(await (end as { value: Response }).value.text()).toBe("late");
    expect(seen.of("call.settled")).toHaveLength(1);
  });
});

const ways: ReadonlyArray<
  [how: string, make: (operation: Operation<string, Response>) => Operation<string, Response>]
> = [
  ["a plain call", (operation) => protect("get", operation)],
  ["a whole declaration", (operation) => protect("get", operation, { timeout: "1s", retry: {}, breaker: {} })],
  ["a second attempt", (operation) => protect("get", failingFirst(operation), { timeout: "1s", retry: { base: 0 } })],
  ["a tier", (operation) => protect("get", failing, { fallback: [operation] })],
  ["a call by hand", (operation) => pipe(operation, timeout("1s"), breaker(), retry())],
  [
    "a call inside a call",
    (operation) => {
      const inner = protect("inner", operation);
      return protect("outer", (path: string, context) => inner(path, context));
    },
  ],
  [
    "a call that is the operation of another",
    (operation) => protect("outer", protect("inner", operation, { retry: {} }), { retry: {} }),
  ],
];

async function failing(_: string): Promise<Response> {
  throw new Error("down");
}

function failingFirst(operation: Operation<string, Response>): Operation<string, Response> {
  return (path, context) => (context.attempt === 1 ? failing(path) : operation(path, context));
}

describe.each(ways)("the body of %s", (_, make) => {
  it("is reached by the caller's signal: whoever reads gets the very reason, and the connection closes", async () => {
    const { operation, caller, server } = await website();
    const controller = caller();
    const serving = server.next();
    const response = await (make(operation) as Call)("/stall", { signal: controller.signal });
    const { closed } = await serving;
    const reading = read(response);
    await setImmediate();
    const reason = { why: "the user left" };
    controller.abort(reason);
    expect(await reading).toEqual({ error: reason });
    await closed;
    await expect.poll(server.taken).toBe(0);
  });

  it("is reached by the deadline, and not by `timeout`", async () => {
    const { clock, operation, server } = await website();
    const serving = server.next();
    const response = await (make(operation) as Call)("/stall", { deadline: "9s" });
    const { closed } = await serving;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    const rest = thrownBy(() => reader.read());
    await clock.advance(8_999);
    expect(Buffer.from(first.value as Uint8Array).toString()).toBe(part);
    await clock.advance(1);
    expect(await rest).toBeInstanceOf(DeadlineExceededError);
    await closed;
  });

  it("leaves nothing on the caller's signal when it has been read", async () => {
    const { operation, caller } = await website();
    const { signal } = caller();
    const response = await (make(operation) as Call)("/whole", { signal, deadline: "9s" });
    await response.text();
  });
});

type Call = (path: string, options: object) => Promise<Response>;

describe("a declared deadline", () => {
  it("is that of the body too", async () => {
    const { clock, operation } = await website();
    const response = await protect("get", operation, { deadline: "2s" })("/headers");
    const reading = read(response);
    await clock.advance("2s");
    expect(await reading).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
  });

  it("does not keep the process while only the body is on its way", async () => {
    const { operation } = await website();
    const timers = () => process.getActiveResourcesInfo().filter((what) => what === "Timeout").length;
    const options = { deadline: "7m", seams: { clock: systemClock } } as const;
    const before = timers();
    const answered = protect("get", operation, options)("/headers");
    expect(timers()).toBeGreaterThan(before);
    const response = await answered;
    expect(timers()).toBe(before);
    await response.body?.cancel();
  });

  it("of the call around ends the body of the call inside", async () => {
    const { clock, operation } = await website();
    const inner = protect("inner", operation, { deadline: "1h" });
    const outer = protect("outer", (path: string, context) => inner(path, context), { deadline: "2s" });
    const reading = read(await outer("/headers"));
    await clock.advance("2s");
    expect(await reading).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", operation: "outer" } });
  });

  it("of the call inside ends its body though the call around goes on", async () => {
    const { clock, operation } = await website();
    const inner = protect("inner", operation, { deadline: "2s" });
    const outer = protect("outer", async (path: string, context) => read(await inner(path, context)), {
      deadline: "1h",
    });
    const ended = outer("/headers");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance("2s");
    expect(await ended).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", operation: "inner" } });
  });
});

describe("a cut body", () => {
  it("changes no state: story, breaker and events stay as they were at the headers", async () => {
    const { clock, operation, seen } = await website();
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = protect("get", operation, { deadline: "2s", breaker: circuit, retry: {}, fallback: [failing] });
    const { story, ...end } = await settled(call)("/stall");
    const told = seen.events.length;
    const reading = read((end as { value: Response }).value);
    await clock.advance("2s");
    expect(await reading).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    expect(circuit.state).toMatchObject({ state: "closed", failures: 0 });
    expect([story.state, story.attempts, story.failures]).toEqual(["succeeded", 1, []]);
    expect(seen.events.length).toBe(told);
  });

  it("gives its reason to who reads only later, too", async () => {
    const { operation, caller } = await website();
    const controller = caller();
    const response = await protect("get", operation)("/stall", { signal: controller.signal });
    controller.abort("too late");
    expect(await read(response)).toEqual({ error: "too late" });
  });
});

describe("the true end of a call that delivered a body", () => {
  it.each<[what: string, path: string, end: (response: Response) => unknown]>([
    ["the body's end", "/whole", (response) => response.text()],
    ["its cancel", "/stall", (response) => response.body?.cancel()],
  ])("is %s", async (_, path, end) => {
    const { operation } = await website();
    const { ends, layer } = ending();
    const response = await pipe(operation, layer)(path);
    await setImmediate();
    expect(ends).toEqual([]);
    await end(response);
    expect(ends).toHaveLength(1);
  });

  it("is the cut of it", async () => {
    const { operation, caller } = await website();
    const { ends, layer } = ending();
    const controller = caller();
    await pipe(operation, layer)("/stall", { signal: controller.signal });
    expect(ends).toEqual([]);
    controller.abort();
    expect(ends).toHaveLength(1);
  });

  it("is its collection, when nobody can reach it any more; and nothing stays on the caller's signal", async () => {
    const { server, caller } = await website();
    const { ends, layer } = ending();
    const call = pipe((path: string, { signal }: CallContext) => fetch(server.origin + path, { signal }), layer);
    const { signal } = caller();
    await (async () => void (await call("/stall", { signal })))();
    await collectedUntil(() => ends.length > 0);
    expect(ends).toHaveLength(1);
    await expect.poll(server.taken).toBe(0);
  });

  it("is at once where there is no body", async () => {
    const { operation } = await website();
    const { ends, layer } = ending();
    await pipe(operation, layer)("/none");
    expect(ends).toHaveLength(1);
  });

  it("comes once, whoever else follows the body", async () => {
    const { operation, caller } = await website();
    const { ends, layer } = ending();
    const inner = protect("inner", pipe(operation, layer), { deadline: "9s" });
    const outer = protect(
      "outer",
      pipe((path: string, context: CallContext) => inner(path, context), layer),
      { deadline: "9s" },
    );
    const response = await outer("/whole", { signal: caller().signal });
    await response.text();
    expect(ends).toHaveLength(2);
    expect(new Set(ends).size).toBe(2);
  });
});

describe("a body of another kind", () => {
  it("is a web stream that was delivered", async () => {
    const { operation, caller } = await website();
    const controller = caller();
    const call = protect(
      "stream",
      async (path: string, context) => (await operation(path, context)).body as ReadableStream,
    );
    const reader = (await call("/stall", { signal: controller.signal })).getReader();
    await reader.read();
    const rest = thrownBy(() => reader.read());
    controller.abort("stop");
    expect(await rest).toBe("stop");
  });

  it("is a stream of Node's that was delivered", async () => {
    const { clock, server } = await website();
    const call = protect(
      "get",
      (path: string) => new Promise<IncomingMessage>((resolve) => get(server.origin + path, resolve)),
      { deadline: "2s" },
    );
    const message = await call("/stall");
    const reading = thrownBy(() => textOf(message));
    await setImmediate();
    await clock.advance("2s");
    expect(await reading).toBeInstanceOf(DeadlineExceededError);
    await expect.poll(server.taken).toBe(0);
  });
});
