// A deadline from one service to the next, over real servers.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { deadlineHeaders, fromHeaders, OptionsInvalidError, protect, within } from "holdfast";
import { seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";

async function serve(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

describe("two servers in a chain", () => {
  it("the outer deadline reaches the inner one, which begins nothing that has no time", async () => {
    const left: number[] = [];
    const work = protect("work", async (_: void, { remainingMs }) => left.push(remainingMs()));
    await using inner = await serve((request, response) => {
      work(undefined, fromHeaders(request.headers)).then(
        () => response.end("done"),
        (error) => response.writeHead(504).end(error.code),
      );
    });
    const ask = protect("inner", async (late: boolean, context) => {
      const headers = deadlineHeaders(late ? { remainingMs: () => 0 } : context);
      return (await fetch(inner.url, { signal: context.signal, headers })).text();
    });
    await using outer = await serve((request, response) => {
      ask(request.url === "/late", fromHeaders(request.headers)).then(
        (text) => response.end(text),
        (error) => response.writeHead(504).end(error.code),
      );
    });
    const headers = { "x-deadline-ms": "20000" };
    expect(await (await fetch(outer.url, { headers })).text()).toBe("done");
    expect(left).toEqual([expect.any(Number)]);
    expect(left[0]).toBeLessThanOrEqual(20_000);
    expect(left[0]).toBeGreaterThan(0);
    expect(await (await fetch(`${outer.url}/late`, { headers })).text()).toBe("DEADLINE_EXCEEDED");
    expect(left.length).toBe(1);
  });
});

describe("the header", () => {
  it("has whole milliseconds, none below 0, and is not there without a deadline", () => {
    const of = (ms: number) => deadlineHeaders({ remainingMs: () => ms });
    expect([of(250.9), of(-3), of(Infinity)]).toEqual([{ "x-deadline-ms": "250" }, { "x-deadline-ms": "0" }, {}]);
  });

  it("is read from a Request's headers and from node's", () => {
    expect(fromHeaders(new Headers({ "X-Deadline-Ms": "250" }))).toEqual({ deadline: 250 });
    expect(fromHeaders({ "x-deadline-ms": "0" })).toEqual({ deadline: 0 });
  });

  it.each(["", "-1", "1e9", "1.5", "9999999999", "NaN", "Infinity", "20s", "1, 2", "1 2", " "])(
    "%j is ignored",
    (said) => {
      expect(fromHeaders({ "x-deadline-ms": said })).toEqual({});
    },
  );

  it("is found in a plain object whatever its case, and read with spaces around its value", () => {
    expect(fromHeaders({ "X-Deadline-Ms": "500" })).toEqual({ deadline: 500 });
    expect(fromHeaders({ "x-deadline-ms": " 500\t" })).toEqual({ deadline: 500 });
    expect(fromHeaders({ "X-Deadline-Ms": "1", "x-deadline-ms": "2" })).toEqual({});
  });

  it("has what `within` has left, where there is no context; outside of it there is none", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    expect(deadlineHeaders()).toEqual({});
    const sent = within({ deadline: "1s" }, async () => {
      await clock.sleep(400);
      return deadlineHeaders();
    });
    await clock.advance(400);
    expect(await sent).toEqual({ "x-deadline-ms": "600" });
    expect(await within({ labels: { a: "1" } }, async () => deadlineHeaders())).toEqual({});
    expect(deadlineHeaders()).toEqual({});
  });

  it.each([null, {}, 5, { remainingMs: 5 }])("is not made of %j: it is no context", (junk) => {
    const made = () => deadlineHeaders(junk as never);
    expect(made).toThrow(OptionsInvalidError);
    expect(made).toThrow(/context.*a call's context/);
  });

  it.each([undefined, null, "x-deadline-ms: 5", [[]]])("is not read from %j: they are no headers", (junk) => {
    const read = () => fromHeaders(junk as never);
    expect(read).toThrow(OptionsInvalidError);
    expect(read).toThrow(/headers.*a request's headers/);
  });

  it("that is missing or there twice is ignored", () => {
    expect([fromHeaders({}), fromHeaders({ "x-deadline-ms": ["1", "2"] }), fromHeaders(new Headers())]).toEqual([
      {},
      {},
      {},
    ]);
  });
});
