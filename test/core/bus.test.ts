import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { type About, type EventBus, eventBus, events } from "../../src/core/bus.ts";
import { OptionsInvalidError } from "../../src/core/errors.ts";
import type { AnyEvent } from "../../src/core/events.ts";
import { replaceSeams } from "../../src/core/seams.ts";
import { named } from "../../src/core/wrapper.ts";
import { testClock } from "../../src/testing/clock.ts";

const about: About = { name: "draft", component: "writer", call: "c-1" };

function setup() {
  const bus = eventBus();
  const heard: AnyEvent[] = [];
  return {
    bus,
    heard,
    hear: (event: AnyEvent) => void heard.push(event),
    miss: (type: "cache.missed" | "call.started" = "cache.missed", of = about) => bus.emit(type, {}, of),
    types: () => heard.map(({ type }) => type),
  };
}

function fail(error: unknown): never {
  throw error;
}

describe("an event", () => {
  it("is frozen, and says what happened to whom, when, and how much it matters", () => {
    const { bus, heard, hear } = setup();
    const restore = replaceSeams({ clock: testClock(1_000) });
    bus.onAny(hear);
    bus.emit("cache.hit", { ageMs: 5, stale: true }, { ...about, labels: { tenant: "a" } });
    restore();
    expect(heard).toEqual([
      {
        ...{ type: "cache.hit", name: "draft", component: "writer", call: "c-1", at: 1_000, severity: "info" },
        ...{ labels: { tenant: "a" }, ageMs: 5, stale: true },
      },
    ]);
    expect(Object.isFrozen(heard[0])).toBe(true);
  });

  it("of no call, without labels, says so", () => {
    const { bus, heard, hear } = setup();
    bus.on("health.changed", hear);
    bus.emit("health.changed", { from: "healthy", to: "degraded", reason: "slow" }, { name: "db", component: "db" });
    expect(heard).toMatchObject([{ call: undefined, labels: {}, severity: "warning" }]);
  });

  it("of one's own is told like the others, as info", () => {
    const { bus, heard, hear } = setup();
    const ours = bus as unknown as { emit(type: string, facts: object, about: About): void };
    bus.onAny(hear);
    ours.emit("invoice.sent", { cents: 12 }, about);
    expect(heard).toMatchObject([{ type: "invoice.sent", cents: 12, severity: "info", name: "draft" }]);
  });

  it("cannot pass for another by its facts", () => {
    const { bus, heard, hear } = setup();
    bus.onAny(hear);
    bus.emit("cache.hit", { ageMs: 5, stale: true, name: "x", call: "y", severity: "critical" } as never, about);
    expect(heard).toMatchObject([{ name: "draft", call: "c-1", severity: "info" }]);
  });
});

describe("a listener", () => {
  it("hears the types it asked for, each once, however often it named them", () => {
    const { bus, hear, miss, types } = setup();
    bus.on(["cache.missed", "cache.missed", "call.settled"], hear);
    miss("call.started");
    miss();
    expect(types()).toEqual(["cache.missed"]);
  });

  it("hears only of one call, or of one component, where it says so", () => {
    const { bus, heard, hear, miss } = setup();
    bus.on("cache.missed", hear, { name: "draft" });
    bus.on("cache.missed", hear, { component: "writer" });
    bus.on("cache.missed", hear, { name: "draft", component: "other" });
    miss("cache.missed", { name: "draft", component: "else" });
    miss("cache.missed", { name: "else", component: "writer" });
    miss("cache.missed", { name: "else", component: "else" });
    expect(heard.map(({ name, component }) => `${name}/${component}`)).toEqual(["draft/else", "else/writer"]);
  });

  it("of everything hears everything, after those of the type", () => {
    const { bus, miss } = setup();
    const order: string[] = [];
    bus.onAny(() => void order.push("any"));
    bus.on("cache.missed", () => void order.push("type"));
    miss();
    miss("call.started");
    expect(order).toEqual(["type", "any", "any"]);
  });

  it("is called at once, in the async context of what happened", () => {
    const { bus, miss } = setup();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    bus.on("cache.missed", () => void seen.push(storage.getStore()));
    storage.run("mine", miss);
    expect(seen).toEqual(["mine"]);
  });

  it("can ask to hear a thing once, also when hearing makes it happen again", () => {
    const { bus, miss, hear, types } = setup();
    let again = true;
    bus.on("cache.missed", () => {
      if (again) {
        again = false;
        miss();
      }
    });
    bus.once("cache.missed", hear);
    miss();
    miss();
    expect(types()).toEqual(["cache.missed"]);
  });

  it("that asked to hear a thing once can be undone before", () => {
    const { bus, hear, miss, heard } = setup();
    bus.once("cache.missed", hear)();
    miss();
    expect(heard).toEqual([]);
  });

  it("that comes while an event is told does not hear it; one that goes does not either", () => {
    const { bus, miss, hear, heard } = setup();
    const order: string[] = [];
    bus.on("cache.missed", () => {
      order.push("first");
      second();
      if (order.length === 1) bus.on("cache.missed", hear);
    });
    const second = bus.on("cache.missed", () => void order.push("second"));
    bus.onAny(() => third());
    const third = bus.onAny(() => void order.push("third"));
    miss();
    expect([order, heard]).toEqual([["first"], []]);
    miss();
    expect(heard).toHaveLength(1);
  });
});

describe("every subscription can be undone", () => {
  it.each<[string, (bus: EventBus, hear: (event: AnyEvent) => void) => () => void]>([
    ["to a type", (bus, hear) => bus.on("cache.missed", hear)],
    ["to several types", (bus, hear) => bus.on(["cache.missed", "call.started"], hear)],
    ["to the next one", (bus, hear) => bus.once("cache.missed", hear)],
    ["to everything", (bus, hear) => bus.onAny(hear)],
    [
      "by a stream",
      (bus) => {
        const iterator = bus.stream(["cache.missed", "call.started"])[Symbol.asyncIterator]();
        return () => void iterator.return?.();
      },
    ],
  ])("%s, twice without harm, and leaves nothing", (_, subscribe) => {
    const { bus, miss, hear, heard } = setup();
    const other = bus.on("cache.missed", () => {});
    expect([bus.quiet, bus.wants("call.started")]).toEqual([false, false]);
    const undo = subscribe(bus, hear);
    undo();
    undo();
    miss();
    expect(heard).toEqual([]);
    expect([bus.wants("cache.missed"), bus.wants("call.started")]).toEqual([true, false]);
    other();
    expect([bus.quiet, bus.wants("cache.missed")]).toEqual([true, false]);
  });
});

describe("a subscription to everything that is undone", () => {
  it("leaves the others", () => {
    const { bus, miss, hear, heard } = setup();
    bus.onAny(hear);
    bus.onAny(() => {})();
    miss();
    expect(heard).toHaveLength(1);
  });
});

describe("nothing is built that nobody wants", () => {
  it("as long as nobody listens to its type, or to everything", () => {
    const { bus, miss } = setup();
    const facts = vi.fn();
    const costly = Object.defineProperty({}, "reason", { enumerable: true, get: facts }) as never;
    bus.on("cache.missed", () => {});
    bus.emit("health.changed", costly, about);
    expect(facts).not.toHaveBeenCalled();
    bus.onAny(() => {});
    bus.emit("health.changed", costly, about);
    expect(facts).toHaveBeenCalledTimes(1);
    miss();
  });
});

describe("a listener that fails", () => {
  it("changes neither result nor counts; it becomes listener.failed and the others still hear", async () => {
    const { bus, heard, hear, types } = setup();
    const restore = replaceSeams({ events: bus });
    const broken = new Error("broken");
    bus.on("attempt.started", () => {
      throw broken;
    });
    bus.onAny(hear);
    const answer = await named("draft", async (n: number) => n + 1)(1);
    restore();
    expect(answer).toBe(2);
    expect(types()).toEqual(["call.started", "listener.failed", "attempt.started", "call.settled"]);
    expect(heard[1]).toMatchObject({
      heard: "attempt.started",
      error: broken,
      name: "draft",
      call: heard[0]?.call,
      severity: "warning",
    });
    expect(heard[3]).toMatchObject({ state: "succeeded", attempts: 1 });
  });

  it("by a rejected promise is told too, and is no unhandled rejection", async () => {
    const { bus, heard, hear, miss } = setup();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    bus.on("listener.failed", hear);
    bus.on("cache.missed", async () => {
      throw "late";
    });
    bus.on("cache.missed", () => {
      return new Proxy({}, { get: () => fail("no promise") }) as never;
    });
    miss();
    await turn();
    process.off("unhandledRejection", unhandled);
    expect(heard.map((event) => (event as { error?: unknown }).error)).toEqual(["no promise", "late"]);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("in hearing of failures is not told of for ever", async () => {
    const { bus, hear, miss, types } = setup();
    bus.on("listener.failed", () => {
      throw new Error("again");
    });
    bus.on("listener.failed", async () => {
      throw new Error("again, later");
    });
    bus.on("cache.missed", () => {
      throw new Error("first");
    });
    bus.onAny(hear);
    miss();
    await turn();
    expect(types()).toEqual(["listener.failed", "cache.missed"]);
  });

  it("once is heard once all the same", () => {
    const { bus, miss, hear, types } = setup();
    bus.once("cache.missed", () => {
      throw new Error("x");
    });
    bus.on("listener.failed", hear);
    miss();
    miss();
    expect(types()).toEqual(["listener.failed"]);
  });
});

describe("a stream", () => {
  it("gives what happens, in order, what came before it was asked too", async () => {
    const { bus, miss } = setup();
    const stream = bus.stream(["cache.missed", "call.started"]);
    miss();
    const iterator = stream[Symbol.asyncIterator]();
    const [first, second, third] = [iterator.next(), iterator.next(), iterator.next()];
    miss("call.started");
    miss();
    const types = (await Promise.all([first, second, third])).map(({ value }) => value?.type);
    expect(types).toEqual(["cache.missed", "call.started", "cache.missed"]);
    expect(stream.dropped).toBe(0);
  });

  it("ends its subscription when the loop is left", async () => {
    const { bus, miss } = setup();
    const stream = bus.stream("cache.missed");
    miss();
    for await (const event of stream) {
      expect(event.type).toBe("cache.missed");
      break;
    }
    expect(bus.quiet).toBe(true);
    const next = await stream[Symbol.asyncIterator]().next();
    expect(next.done).toBe(true);
  });

  it("lets whoever waits for the next one go when it ends", async () => {
    const { bus } = setup();
    const iterator = bus.stream("cache.missed")[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("drops the oldest of what is not read in time, and counts it", async () => {
    const { bus } = setup();
    const stream = bus.stream("retry.exhausted", { max: 2 });
    for (let attempts = 1; attempts <= 5; attempts++) bus.emit("retry.exhausted", { attempts, kind: "network" }, about);
    const iterator = stream[Symbol.asyncIterator]();
    const kept = [await iterator.next(), await iterator.next()].map(({ value }) => value?.attempts);
    expect([kept, stream.dropped]).toEqual([[4, 5], 3]);
  });

  it("holds 1000 by default", () => {
    const { bus, miss } = setup();
    const stream = bus.stream("cache.missed");
    for (let i = 0; i < 1_001; i++) miss();
    expect(stream.dropped).toBe(1);
  });

  it.each([0, -1, 1.5, Number.NaN, "10"])("cannot hold %s", (max) => {
    const { bus } = setup();
    expect(() => bus.stream("cache.missed", { max: max as number })).toThrow(OptionsInvalidError);
    expect(bus.quiet).toBe(true);
  });
});

describe("the bus that calls share", () => {
  it("is one for two copies of the package in a process", async () => {
    vi.resetModules();
    const copy = await import("../../src/core/bus.ts");
    expect(copy.eventBus).not.toBe(eventBus);
    expect(copy.events).toBe(events);
  });

  it("has after 10,000 calls the listeners it had, no MaxListeners warning came, and the last call hears like the first", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    const heard: string[] = [];
    const { quiet } = events; // tests of other files in this process may have left somebody who listens
    const undo = events.on("call.settled", (event) => heard.push(event.name), { name: "many" });
    const call = named("many", async () => 1);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    for (let i = 0; i < 10_000; i++) await call(undefined as never, { signal });
    undo();
    await turn();
    process.off("warning", warned);
    expect(heard).toHaveLength(10_000);
    expect(events.quiet).toBe(quiet);
    expect(warned).not.toHaveBeenCalled();
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  });

  it("holds no call, and no list in the package does: one that nobody refers to any more is collected", async () => {
    const undo = events.onAny(() => {});
    const held = await (async () => {
      const call = named("dropped", async () => 1);
      await call(undefined as never, { signal: new AbortController().signal, deadline: "1h" });
      return new WeakRef(call);
    })();
    for (let i = 0; i < 20 && held.deref() !== undefined; i++) {
      await turn();
      globalThis.gc?.();
    }
    undo();
    expect(held.deref()).toBeUndefined();
  });

  it("says of a call made inside another whose it is", async () => {
    const heard: AnyEvent[] = [];
    const undo = events.on("call.started", (event) => heard.push(event));
    const inner = named("inner", async (n: number) => n);
    const outer = named(
      "outer",
      async (n: number, context) => (await inner(n, context)) + (await inner(n, { ...context })),
    );
    await outer(1);
    await inner(1);
    undo();
    const [first] = heard;
    expect(heard.map((event) => [event.name, "parent" in event ? event.parent : "none"])).toEqual([
      ["outer", "none"],
      ["inner", first?.call],
      ["inner", first?.call],
      ["inner", "none"],
    ]);
  });

  it("tells overlapping calls apart: every event names the call it belongs to", async () => {
    const heard: AnyEvent[] = [];
    // the health of a component is of no call: it is told where a test of another file in this process asked for it
    const undo = events.onAny((event) => event.type !== "health.changed" && heard.push(event));
    const call = named("twice", async (n: number) => {
      await turn();
      if (n === 2) throw new Error("no");
      return n;
    });
    const [, second] = await Promise.allSettled([call(1), call(2)]);
    undo();
    expect(second.status).toBe("rejected");
    const byCall = Map.groupBy(heard, (event) => event.call);
    expect([...byCall.values()].map((of) => of.map(({ type }) => type))).toEqual([
      ["call.started", "attempt.started", "call.settled"],
      ["call.started", "attempt.started", "attempt.failed", "call.settled"],
    ]);
  });
});
