// Design rule 5: what goes on after a timer or an abort goes on in the call's own async context.
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  breaker,
  type CallContext,
  cache,
  deadline,
  eventBus,
  fallback,
  pipe,
  protect,
  retry,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, outcome, recovering, setup, turn } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const passing = around((run) => (input, context) => run(input, context));
const steady = { jitter: "none", base: 10, attempts: 3 } as const;

/** Whose call it is, as far as the code that asks can tell. */
function callers() {
  const storage = new AsyncLocalStorage<string>();
  const found: Record<string, (string | undefined)[]> = {};
  return {
    storage,
    found,
    /** Notes who is found there, under the name of who has made the call. */
    note(caller: string) {
      found[caller] ??= [];
      found[caller].push(storage.getStore());
    },
    /** Only its own, each time. */
    expectOwn(times: number) {
      expect(found).not.toEqual({});
      for (const [caller, all] of Object.entries(found))
        expect([caller, all]).toEqual([caller, Array(times).fill(caller)]);
    },
  };
}

const frozen = () => new Promise<never>(() => {});
const names = ["ada", "bob", "cyd"];

describe("AsyncLocalStorage is the caller's own", () => {
  it.each([
    { how: "by an error", first: () => Promise.reject(down) },
    { how: "by its timeout", first: frozen },
  ])("in the second and third attempt, when the one before was ended $how", async ({ first }) => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const operation = (caller: string, { attempt }: CallContext) => {
      note(caller);
      return attempt < 3 ? first() : Promise.resolve(caller);
    };
    const call = pipe(operation, timeout("1s"), breaker(), retry(steady));
    const answers = Promise.all(names.map((name) => storage.run(name, () => call(name))));
    await clock.advance("5s");
    expect(await answers).toEqual(names);
    expectOwn(3);
  });

  it.each([
    { how: "an error", first: () => Promise.reject(down) },
    { how: "a timeout", first: frozen },
  ])("in the next tier, after $how", async ({ first }) => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const tier = async (caller: string): Promise<string> => {
      note(caller);
      return caller;
    };
    const call = protect("x", (_: string) => first() as Promise<string>, { timeout: "1s", fallback: [tier] });
    const answers = Promise.all(names.map((name) => storage.run(name, () => call(name))));
    await clock.advance("1s");
    expect(await answers).toEqual(names);
    expectOwn(1);
  });

  it("in the tier after a tier that timed out, and in `otherwise`", async () => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const noting = (caller: string): Promise<string> => {
      note(caller);
      return frozen();
    };
    const tiers = [
      { name: "b", operation: (caller: string) => noting(caller), timeout: "1s" as const },
      { name: "c", operation: (caller: string) => noting(caller), timeout: "1s" as const },
    ];
    const otherwise = (caller: string) => {
      note(caller);
      return caller;
    };
    const call = pipe(noting, timeout("1s"), fallback(tiers, { otherwise }));
    const answers = Promise.all(names.map((name) => storage.run(name, () => call(name))));
    await clock.advance("3s");
    expect(await answers).toEqual(names);
    expectOwn(4);
  });

  it("inside a promise-style layer and a scope, in each attempt they begin", async () => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const operation = (caller: string, { attempt }: CallContext) => {
      note(caller);
      return attempt < 4 ? frozen() : Promise.resolve(caller);
    };
    const call = pipe(
      operation,
      passing,
      timeout("1s"),
      retry({ ...steady, attempts: 2 }),
      timeout("2500ms"),
      retry(steady),
    );
    const answers = Promise.all(names.map((name) => storage.run(name, () => call(name))));
    await clock.advance("9s");
    expect(await answers).toEqual(names);
    expectOwn(4);
  });

  it("in a user's own recovery and in `when`", async () => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const own = recovering((attempt, _outcome, _verdict, again) => {
      note(attempt.input as string);
      return again({ delayMs: 100 });
    });
    const operation = (caller: string) => {
      note(caller);
      return frozen();
    };
    const when = (outcome: { ok: boolean }) => {
      note(storage.getStore() === undefined ? "nobody" : (storage.getStore() as string));
      return !outcome.ok;
    };
    const call = pipe(operation, timeout("1s"), own, retry({ ...steady, attempts: 2, when }));
    const answers = Promise.all(names.map((name) => storage.run(name, () => outcome(call(name)))));
    await clock.advance("9s");
    await answers;
    expectOwn(7);
  });

  it("in a tier that a stage of urgency begins, be a cache between the two", async () => {
    const { clock } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    const tier = async (caller: string): Promise<string> => {
      note(caller);
      return caller;
    };
    const inside = pipe((_: string): Promise<string> => frozen(), fallback([tier]), cache({ ttl: "1m" }));
    const call = protect("x", inside, { deadline: "1s", urgency: [{ at: 0.5, start: "nextTier" }] });
    const answers = Promise.all(names.map((name) => storage.run(name, () => call(name))));
    await clock.advance("500ms");
    expect(await answers).toEqual(names);
    expectOwn(1);
  });

  it("in a call made inside, whose outer one timed out", async () => {
    const { clock, events } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    onTestFinished(events.on("call.settled", ({ labels }) => note(labels.caller as string)));
    const inner = protect("inner", frozen, { retry: steady });
    const outer = protect("outer", (_: string, context) => inner(undefined, context), { timeout: "1s" });
    const answers = names.map((name) => storage.run(name, () => outcome(outer(name, { labels: { caller: name } }))));
    await clock.advance("1s");
    await Promise.all(answers);
    expectOwn(2);
  });
});

describe("event listeners are in the call's own async context", () => {
  it.each([
    { after: "a timeout", layers: timeout("1s") },
    { after: "the deadline", layers: deadline("1s") },
    { after: "a scope's end", layers: <I, O>(f: (input: I) => Promise<O>) => pipe(f, retry(), timeout("1s")) },
  ])("after $after: three callers on one timer list each find their own", async ({ layers }) => {
    const { clock, events } = setup({ watched: false });
    const { storage, found, note, expectOwn } = callers();
    onTestFinished(events.onAny(({ labels }) => note(labels.caller as string)));
    const call = layers((_: string) => new Promise<never>(() => {}));
    const answers = names.map((name) => storage.run(name, () => outcome(call(name, { labels: { caller: name } }))));
    await clock.advance("1s");
    expect(await Promise.all(answers)).toHaveLength(3);
    const times = found.ada?.length ?? 0;
    expect(times).toBeGreaterThanOrEqual(4);
    expectOwn(times);
  });

  it("after an abort, though all follow one signal and its listener runs in nobody's", async () => {
    const { caller, events } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    onTestFinished(events.on(["attempt.abandoned", "call.settled"], ({ labels }) => note(labels.caller as string)));
    const controller = caller();
    const { signal } = controller;
    const calls = [protect("bare", (_: string) => frozen()), pipe((_: string) => frozen(), retry())];
    const answers = calls.flatMap((call) =>
      names.map((name) => storage.run(name, () => outcome(call(name, { signal, labels: { caller: name } })))),
    );
    await turn();
    storage.run("whoever aborts", () => controller.abort("gone"));
    await Promise.all(answers);
    expectOwn(4);
  });

  it("after a late end", async () => {
    const { clock, events } = setup({ watched: false });
    const { storage, note, expectOwn } = callers();
    onTestFinished(events.on("attempt.ended", ({ labels }) => note(labels.caller as string)));
    const call = pipe((_: string) => clock.sleep(5_000), timeout("1s"));
    const answers = names.map((name) => storage.run(name, () => outcome(call(name, { labels: { caller: name } }))));
    await clock.advance("6s");
    await Promise.all(answers);
    expectOwn(1);
  });
});

describe("on the system's own clock too", () => {
  it("three callers on one timer list each find their own, in the next attempt, the next tier and every event", async () => {
    const { storage, found, note, expectOwn } = callers();
    const events = eventBus();
    events.onAny(({ labels }) => note(labels.caller as string));
    const operation = (caller: string): Promise<string> => {
      note(caller);
      return new Promise(() => {});
    };
    const tier = async (caller: string) => {
      note(caller);
      return caller;
    };
    const call = protect("x", operation, {
      ...{ seams: { events }, timeout: 5, retry: { attempts: 2, base: 0 }, fallback: [tier] },
    });
    const answers = await Promise.all(
      names.map((name) => storage.run(name, () => call(name, { labels: { caller: name } }))),
    );
    expect(answers).toEqual(names);
    expectOwn(found.ada?.length ?? 0);
    expect(found.ada?.length).toBeGreaterThanOrEqual(12);
  });

  it("what waits for the answer is where it was, as with any promise", async () => {
    const { storage } = callers();
    const call = pipe(script({ error: down }, { value: 1 }), retry({ base: 0 }));
    await storage.run("ada", async () => {
      await call(undefined);
      expect(storage.getStore()).toBe("ada");
    });
  });
});
