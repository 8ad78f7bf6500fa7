// What caches cost that nobody asks, and what is left of flights that are over.
import { getEventListeners } from "node:events";
import { reset } from "holdfast/testing";
import { describe, expect, it, vi } from "vitest";
import { cache, explain, named, pipe, protect, settled } from "../../src/index.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;

/** Whether all are gone after a while. */
async function collected(dropped: readonly WeakRef<object>[]): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    await settled(async () => Promise.reject(new Error("whatever keeps the last one keeps this")))();
    await new Promise((resolve) => setTimeout(resolve, 5));
    reset();
    gc();
    if (dropped.every((one) => one.deref() === undefined)) return true;
  }
  return false;
}

const heap = () => {
  gc();
  return process.memoryUsage().heapUsed;
};

describe("ten thousand idle caches", () => {
  it("hold no timer, also those that have an answer", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const many = Array.from({ length: 10_000 }, (_, i) =>
      pipe(
        async (id: string) => id.length,
        cache({ ttl: 60_000 + i, staleOnError: "1h", whileRevalidating: "1h", negative: 5 }),
      ),
    );
    for (const call of many.slice(0, 100)) expect([await call("a"), await call("a")]).toEqual([1, 1]);
    expect(set.mock.calls).toEqual([]);
    set.mockRestore();
  });

  it("are cheap: they take no room for answers until there is one", () => {
    const many = new Array<unknown>(10_000);
    const before = heap();
    for (let i = 0; i < many.length; i++) many[i] = cache({ ttl: "1m", max: 100_000 });
    const bytes = (heap() - before) / many.length;
    expect(bytes).toBeLessThan(1_024);
    expect(many[9_999]).toBeTypeOf("function");
  });

  it("are less than four kilobytes each, the call round which they are laid aside", () => {
    const count = 10_000;
    const each = (make: () => unknown) => {
      const many = new Array<unknown>(count);
      const before = heap();
      for (let i = 0; i < count; i++) many[i] = make();
      const bytes = (heap() - before) / count;
      expect(many[count - 1]).toBeTypeOf("function");
      return bytes;
    };
    const operation = async (id: string) => id.length;
    const bare = each(() => named("bare", operation));
    expect(each(() => pipe(operation, cache({ ttl: "1m" }))) - bare).toBeLessThan(4_096);
  });

  it("are cheap with an answer too: room grows with what is kept, up to `max`", async () => {
    const many = Array.from({ length: 1_000 }, () => pipe(async (id: string) => id.length, cache({ ttl: "1m" })));
    await Promise.all(many.map((call) => call("warm")));
    const fresh = Array.from({ length: 1_000 }, () => pipe(async (id: string) => id.length, cache({ ttl: "1m" })));
    const before = heap() + process.memoryUsage().arrayBuffers;
    for (const call of fresh) await call("a");
    expect((heap() + process.memoryUsage().arrayBuffers - before) / fresh.length).toBeLessThan(6_000);
    expect(many).toHaveLength(1_000);
  });

  it("are collected when nobody holds them, with their answers, failures and calls", async () => {
    const drop = async () => {
      const answer = { big: "answer" };
      const gone = new Error("gone");
      const wrapper = cache<string>({ ttl: "1h", key: (text) => text, staleOnError: "1h", negative: "1h" });
      const call = pipe(
        async (id: string) => (id === "a" ? answer : Promise.reject(Object.assign(gone, { status: 404 }))),
        wrapper,
      );
      const ended = await Promise.all(["a", "a", "b", "b"].map((id) => settled(call)(id)));
      expect(ended.map(({ ok }) => ok)).toEqual([true, true, false, false]);
      expect(explain(call)[0]?.state).toEqual({ entries: 2, loading: 0 });
      return [wrapper, call, answer, gone].map((one) => new WeakRef<object>(one));
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("a cache that outlives the calls it was laid round keeps none of them", async () => {
    const wrapper = cache<string>({ ttl: "1h", key: (text) => text });
    const drop = async () => {
      const operation = async (id: string) => ({ id });
      const call = pipe(operation, wrapper);
      const answer = await call("a");
      return [operation, call, answer].map((one) => new WeakRef<object>(one));
    };
    const dropped = [...(await drop()), ...(await drop())];
    expect(await collected(dropped)).toBe(true);
    wrapper.clear();
  });
});

describe("after ten thousand flights", () => {
  it("nothing is left: no load, no listener, no memory that grows", async () => {
    const signal = new AbortController().signal;
    const call = protect("x", async (n: number) => ({ n }), { cache: { ttl: "1h", max: 10 }, deadline: "1h" });
    const fly = async (from: number) => {
      for (let n = from; n < from + 10_000; n += 10)
        await Promise.all(Array.from({ length: 30 }, (_, i) => call(n + (i % 10), { signal })));
    };
    await fly(0);
    const before = heap();
    await fly(10_000);
    expect(heap() - before).toBeLessThan(500_000);
    expect(explain(call).at(-1)?.state).toEqual({ entries: 10, loading: 0 });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("an aborted one leaves its value to nobody", async () => {
    const drop = async () => {
      const value = { late: true };
      const gone = new AbortController();
      const late = { deliver: (_: object) => {} };
      const call = pipe(
        (_: string) =>
          new Promise<object>((resolve) => {
            late.deliver = resolve;
          }),
        cache({ ttl: "1h" }),
      );
      const ended = settled(call)("a", { signal: gone.signal });
      gone.abort("gone");
      await ended;
      late.deliver(value);
      late.deliver = () => {};
      return { call, refs: [new WeakRef<object>(value)] };
    };
    const { call, refs } = await drop();
    expect(await collected(refs)).toBe(true);
    expect(explain(call)[0]?.state).toEqual({ entries: 0, loading: 0 });
  });
});
