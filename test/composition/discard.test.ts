// Design §2: `discard`: what is done with a result nobody wants any more.
import { describe, expect, it } from "vitest";
import { type CallContext, fallback, type Operation, pipe, protect, retry, settled, timeout } from "../../src/index.ts";
import { loopback } from "../core/loopback.ts";
import { around, setup } from "./setup.ts";

/** An operation whose n-th call settles when the test says so; it hears nothing of its signal. */
function deaf<O>() {
  const calls: PromiseWithResolvers<O>[] = [];
  const operation = (): Promise<O> => {
    const call = Promise.withResolvers<O>();
    calls.push(call);
    return call.promise;
  };
  return { calls, operation };
}

/** Whether it was let go. */
function mark() {
  let gone = false;
  return {
    set(): void {
      gone = true;
    },
    gone: () => gone,
  };
}

/** Everything that by default is let go, each with how to see that it was. */
const kinds: ReadonlyArray<[what: string, make: (set: () => void) => object]> = [
  ["a Response: its body is cancelled", (cancel) => new Response(new ReadableStream({ cancel }))],
  ["a web stream: it is cancelled", (cancel) => new ReadableStream({ cancel })],
  [
    "an iterator: it is returned",
    (set) => ({ next: async () => ({ done: false, value: 1 }), return: async () => set() }),
  ],
  [
    "a generator that has begun: its `finally` runs",
    (set) => {
      const items = (async function* () {
        try {
          yield 1;
        } finally {
          set();
        }
      })();
      items.next();
      return items;
    },
  ],
  ["a disposable: it is disposed", (set) => ({ [Symbol.dispose]: set })],
  ["an async disposable: it is disposed", (set) => ({ [Symbol.asyncDispose]: async () => set() })],
];

function marked(make: (set: () => void) => object) {
  const { set, gone } = mark();
  return { value: make(set), gone };
}

describe.each(kinds)("%s", (_, make) => {
  it("when it comes after its attempt's timeout", async () => {
    const { clock } = setup();
    const { calls, operation } = deaf<object>();
    const call = protect("get", operation, { timeout: "1s", retry: { attempts: 2, base: 0 } });
    const answer = call();
    await clock.advance("1s");
    const { value, gone } = marked(make);
    calls[0]?.resolve(value);
    calls[1]?.resolve({ second: true });
    expect(await answer).toEqual({ second: true });
    await clock.advance(0);
    expect(gone()).toBe(true);
  });

  it("when it comes after the caller's abort, or after the deadline", async () => {
    const { clock, caller } = setup();
    const { calls, operation } = deaf<object>();
    const controller = caller();
    const call = protect("get", operation);
    const ends = [
      settled(call)(undefined, { signal: controller.signal }),
      settled(call)(undefined, { deadline: "1s" }),
    ];
    controller.abort();
    await clock.advance("1s");
    await Promise.all(ends);
    const late = [marked(make), marked(make)];
    for (const [i, { value }] of late.entries()) calls[i]?.resolve(value);
    await clock.advance(0);
    expect(late.map(({ gone }) => gone())).toEqual([true, true]);
  });

  it("when a promise-style layer drops it", async () => {
    const { clock } = setup();
    const { calls, operation } = deaf<object>();
    const race = around((inner) => (input, context) => Promise.race([inner(input, context), inner(input, context)]));
    const answer = pipe(operation, race)();
    const { value, gone } = marked(make);
    calls[1]?.resolve({ winner: true });
    expect(await answer).toEqual({ winner: true });
    calls[0]?.resolve(value);
    await clock.advance(0);
    expect(gone()).toBe(true);
  });

  it("never when it is delivered", async () => {
    const { clock, caller } = setup();
    const { value, gone } = marked(make);
    const call = protect("get", async () => value, { timeout: "1s", retry: {}, fallback: [async () => ({})] });
    const delivered = await call(undefined, { signal: caller().signal });
    await clock.advance("1h");
    expect(delivered).toBe(value);
    expect(gone()).toBe(false);
    if (value instanceof Response) await value.body?.cancel();
    if (value instanceof ReadableStream) await value.cancel();
  });
});

describe("a late response of a real server", () => {
  it("leaves no connection taken, though the operation ignores its signal", async () => {
    const { clock } = setup();
    const server = await loopback();
    const call = protect("get", (path: string) => fetch(server.origin + path), { timeout: "1s" });
    const serving = server.next();
    const ended = settled(call)("/slow");
    const { served } = await serving;
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
    served.writeHead(200).write("a part of it");
    await expect.poll(server.taken).toBe(0);
  });
});

describe("a `discard` of one's own", () => {
  it("is called in place of ours, with the very value, whatever it is", async () => {
    const { clock } = setup();
    const discarded: unknown[] = [];
    const { calls, operation } = deaf<unknown>();
    const call = protect("get", operation, { timeout: "1s", discard: (value) => void discarded.push(value) });
    const disposed = mark();
    const values = [{ [Symbol.dispose]: disposed.set }, "a text", undefined];
    for (const value of values) {
      const ended = settled(call)();
      await clock.advance("1s");
      await ended;
      calls.at(-1)?.resolve(value);
      await clock.advance(0);
    }
    expect(discarded).toEqual(values);
    expect(disposed.gone()).toBe(false);
  });

  it("gets the value that told of a failure, when the next attempt starts, and a tier's late one", async () => {
    const { clock } = setup();
    const discarded: unknown[] = [];
    const bad = { error: { message: "overloaded" } };
    const tier = deaf<object>();
    const operation: Operation<void, object> = async () => bad;
    const call = protect("ai", operation, {
      retry: { attempts: 2, base: 0 },
      fallback: [{ name: "t", operation: tier.operation, timeout: "1s" }],
      discard: (value) => void discarded.push(value),
    });
    const ended = settled(call)();
    await clock.advance("1s");
    await ended;
    const late = { late: true };
    tier.calls[0]?.resolve(late);
    await clock.advance(0);
    expect(discarded).toEqual([bad, bad, late]);
  });

  it("is never called for an error that comes late: that is nobody's, and no unhandled rejection", async () => {
    const { clock } = setup();
    const discarded: unknown[] = [];
    const { calls, operation } = deaf<unknown>();
    const call = protect("get", operation, { timeout: "1s", discard: (value) => void discarded.push(value) });
    const ended = settled(call)();
    await clock.advance("1s");
    await ended;
    calls[0]?.reject(new Error("late"));
    await clock.advance(0);
    expect(discarded).toEqual([]);
  });
});

describe("what a cache has given", () => {
  function disposable() {
    return {
      gone: false,
      [Symbol.dispose]() {
        this.gone = true;
      },
    };
  }

  function cached() {
    const given: { gone: boolean }[] = [];
    const inner = protect(
      "user",
      async (_: string) => {
        const value = disposable();
        given.push(value);
        return value;
      },
      { cache: { ttl: "1m" } },
    );
    return { given, inner };
  }

  it("is closed by no call that asked for it in its operation: not when that is cut in the same turn, or gives it late", async () => {
    const { clock } = setup();
    const { given, inner } = cached();
    await inner("a");
    const stop = new AbortController();
    const cutting = protect("outer", async (input: string, context) => {
      const value = await inner(input, context);
      stop.abort();
      return value;
    });
    await expect(cutting("a", { signal: stop.signal })).rejects.toThrow();
    const late = deaf<void>();
    const overtaken = protect("outer", async (input: string) => late.operation().then(() => inner(input)), {
      timeout: "1s",
    });
    const ended = settled(overtaken)("a");
    await clock.advance("1s");
    await ended;
    late.calls[0]?.resolve();
    await clock.advance(0);
    expect(given).toEqual([expect.objectContaining({ gone: false })]);
    expect(await inner("a")).toBe(given[0]);
  });

  it("nor by one that tries again when what several have told of a failure, with a `discard` of its own or without", async () => {
    setup();
    const bad = Object.assign(disposable(), { error: { message: "overloaded" } });
    const inner = protect("ai", async (_: string) => bad, { cache: { ttl: "1m" } });
    const discarded: unknown[] = [];
    const again = { retry: { attempts: 2, base: 0 } } as const;
    const ask = (input: string, context: CallContext) => inner(input, context);
    const one = protect("one", ask, again);
    const two = protect("two", ask, { ...again, discard: (value) => void discarded.push(value) });
    await Promise.all([one("a"), two("a"), inner("a")]);
    expect([bad.gone, discarded]).toEqual([false, []]);
  });

  it("nor by one with a `discard` of its own where that is plain data, of which there is nothing else to be closed", async () => {
    setup();
    const bad = { error: { message: "overloaded" } };
    const inner = protect("ai", async (_: string) => bad, { cache: { ttl: "1m" } });
    const discarded: unknown[] = [];
    const outer = protect("outer", (input: string, context) => inner(input, context), {
      ...{ retry: { attempts: 2, base: 0 }, discard: (value) => void discarded.push(value) },
    });
    await Promise.all([outer("a"), inner("a")]);
    expect(discarded).toEqual([]);
  });

  it("is closed where it was asked for past the cache, and is nobody else's", async () => {
    const { clock } = setup();
    const { given, inner } = cached();
    const late = deaf<void>();
    const overtaken = protect(
      "outer",
      async (input: string) => late.operation().then(() => inner(input, { accept: "uncached" })),
      { timeout: "1s" },
    );
    const ended = settled(overtaken)("a");
    await clock.advance("1s");
    await ended;
    late.calls[0]?.resolve();
    await clock.advance(0);
    expect(given).toEqual([expect.objectContaining({ gone: true })]);
  });
});

describe("a late result", () => {
  it("is told to the bus: that the attempt still ran when it was abandoned, and when it truly ended", async () => {
    const { clock, seen } = setup();
    const { calls, operation } = deaf<number>();
    const ended = settled(pipe(operation, timeout("1s"), retry({ attempts: 1 }), fallback([async () => 2])))();
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: true, value: 2 });
    await clock.advance("4s");
    calls[0]?.resolve(1);
    await clock.advance(0);
    expect(seen.of("attempt.abandoned")).toMatchObject([
      { attempt: 1, tier: 0, reason: "timeout", stillRunning: true },
    ]);
    expect(seen.of("attempt.ended")).toMatchObject([{ attempt: 1, tier: 0, lateMs: 4_000, ok: true }]);
  });

  it("of a primary that succeeds after its tier answered is reported: its effect happened", async () => {
    const { clock, seen } = setup();
    const { calls, operation } = deaf<number>();
    const answer = protect("write", operation, {
      timeout: "1s",
      fallback: [async (_: void, { tier }: CallContext) => tier],
    })();
    await clock.advance("1s");
    expect(await answer).toBe(1);
    calls[0]?.resolve(0);
    await clock.advance(0);
    expect(seen.of("attempt.ended")).toMatchObject([{ tier: 0, ok: true }]);
  });
});
