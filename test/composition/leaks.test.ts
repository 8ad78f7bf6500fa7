// Nothing that misbehaves leaves anything behind: no timer, no listener, no unhandled rejection, no connection, no place.
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  breaker,
  defineWrapper,
  type EventBus,
  events,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { collectedUntil, loopback } from "../core/loopback.ts";
import { setup } from "./setup.ts";

/** A layer that counts who is in it: in at `before`, out at the true end; and who has been answered. */
function places() {
  const taken = { running: 0, answered: 0 };
  const layer = defineWrapper("places", z.undefined(), undefined, () => ({
    bracket: {
      before({ input }) {
        taken.running++;
        return input;
      },
      after: () => void taken.answered++,
      ended: () => void taken.running--,
    },
  }));
  return { taken, layer };
}

/** A breaker that is half-open, with one place. */
async function halfOpen(advance: (ms: number) => Promise<void>) {
  const circuit = breaker({ consecutiveFailures: 1, breakTime: 100 });
  await settled(circuit(async () => Promise.reject(new Error("down"))))();
  await advance(100);
  return circuit;
}

interface On {
  readonly clock: ReturnType<typeof setup>["clock"];
  readonly events: EventBus;
  readonly controller: AbortController;
}

interface Case {
  readonly what: string;
  readonly operation: (on: On) => Operation<unknown, unknown>;
  /** What happens while it runs. */
  readonly meanwhile?: (on: On) => void;
  readonly error: unknown;
  /** It never ends: its place is taken as long as it runs. */
  readonly runsOn?: true;
  readonly aborted?: true;
}

const down = new Error("down");
const never = () => new Promise<never>(() => {});

const cases: readonly Case[] = [
  {
    what: "an operation that throws synchronously",
    operation: () => () => {
      throw down;
    },
    error: down,
  },
  ...[undefined, null, "a text", 42, { status: 500 }, Symbol.for("s")].map((reason) => ({
    what: `an operation that rejects with no error: ${String(reason)}`,
    operation: () => () => Promise.reject(reason),
    error: reason,
  })),
  {
    what: "an operation that resolves after the timeout",
    operation:
      ({ clock }) =>
      async () => {
        await clock.sleep(5_000);
        return 1;
      },
    error: expect.objectContaining({ code: "TIMEOUT" }),
  },
  {
    what: "an operation that rejects after the timeout",
    operation:
      ({ clock }) =>
      async () => {
        await clock.sleep(5_000);
        throw down;
      },
    error: expect.objectContaining({ code: "TIMEOUT" }),
  },
  {
    what: "an operation that never settles",
    operation: () => never,
    error: expect.objectContaining({ code: "TIMEOUT" }),
    runsOn: true,
  },
  {
    what: "an operation that never settles, and whose caller leaves",
    operation: () => never,
    meanwhile: ({ controller }) => controller.abort("left"),
    error: "left",
    runsOn: true,
  },
  {
    what: "an operation that is aborted before it starts",
    operation: () => async () => 1,
    error: "before",
    aborted: true,
  },
  {
    what: "an operation that rejects with its signal's reason",
    operation:
      () =>
      (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
    error: expect.objectContaining({ code: "TIMEOUT" }),
  },
  {
    what: "a thenable that throws when it is asked",
    operation: () =>
      (() => ({
        [`${"th"}en`]: () => {
          throw down;
        },
      })) as unknown as () => Promise<never>,
    error: down,
  },
  {
    what: "a listener that throws",
    operation: ({ events }) => {
      events.onAny(() => {
        throw new Error("listener");
      });
      return () => Promise.reject(down);
    },
    error: down,
  },
  {
    what: "a listener whose promise rejects",
    operation: ({ events }) => {
      events.onAny(async () => {
        throw new Error("listener");
      });
      return () => Promise.reject(down);
    },
    error: down,
  },
];

describe.each(cases)("$what", ({ operation, meanwhile, error, runsOn, aborted }) => {
  async function run(
    shape: (
      operation: Operation<unknown, unknown>,
      on: Awaited<ReturnType<typeof stack>>,
    ) => Operation<unknown, unknown>,
  ) {
    const on = await stack();
    const call = shape(operation(on), on);
    if (aborted) on.controller.abort("before");
    const ended = settled(call as never)(undefined as never, { signal: on.controller.signal } as never);
    await setImmediate();
    meanwhile?.(on);
    await on.clock.advance("1m");
    return { on, end: await ended };
  }

  async function stack() {
    const { clock, events, caller } = setup();
    const circuit = await halfOpen((ms) => clock.advance(ms));
    return { clock, events, controller: caller(), circuit, ...places() };
  }

  it("ends the call with that, and leaves no timer, no listener, no unhandled rejection, and no place taken", async () => {
    const { on, end } = await run((operation, { circuit, layer }) =>
      protect("user", pipe(operation, layer, circuit), { timeout: "1s", deadline: "30s" }),
    );
    expect(end).toMatchObject({ ok: false, error });
    expect(on.taken.running).toBe(runsOn ? 1 : 0);
    // a probe that failed has opened it again; one that said nothing has given its place back
    expect(["open", "halfOpen"]).toContain(on.circuit.state.state);
    await on.clock.advance("1m");
    expect(await settled(on.circuit(async () => 1))()).toMatchObject({ ok: true });
  });

  it("is left behind with nothing by retries and tiers too", async () => {
    const { on, end } = await run((operation, { layer }) =>
      protect("user", pipe(operation, layer), {
        timeout: "1s",
        deadline: "30s",
        retry: {},
        fallback: [pipe(operation, layer)],
      }),
    );
    expect(end.ok).toBe(false);
    if (!runsOn) expect(on.taken.running).toBe(0);
  });
});

describe("a body that stalls after the headers", () => {
  it.each<[how: string, options: object, end: (controller: AbortController, advance: () => Promise<void>) => unknown]>([
    ["the deadline ends it", { deadline: "2s" }, (_, advance) => advance()],
    ["the caller ends it", {}, (controller) => controller.abort("left")],
  ])("leaves no connection, no listener, no timer and no place: %s", async (_, options, end) => {
    const { clock, caller } = setup();
    const server = await loopback();
    const { taken, layer } = places();
    const call = protect(
      "get",
      pipe((path: string, { signal }: { signal: AbortSignal }) => fetch(server.origin + path, { signal }), layer),
      options,
    );
    const controller = caller();
    const response = await call("/headers", { signal: controller.signal });
    const reading = response.text().catch(() => "cut");
    expect([taken, server.taken()]).toEqual([{ running: 1, answered: 1 }, 1]);
    await end(controller, () => clock.advance("2s"));
    expect(await reading).toBe("cut");
    expect(taken.running).toBe(0);
    await expect.poll(server.taken).toBe(0);
  });

  it("of an attempt that failed is let go: twenty retried calls leave no connection taken", async () => {
    const { clock } = setup();
    const server = await loopback();
    const call = protect(
      "get",
      async (path: string) => {
        const { body } = await fetch(server.origin + path);
        return new Response(body, { status: 500 });
      },
      { retry: { attempts: 2, base: 0 } },
    );
    const ends = Array.from({ length: 20 }, () => call("/stall"));
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await clock.advance("1s");
    }
    const last = await Promise.all(ends);
    await expect.poll(server.taken).toBe(20);
    await Promise.all(last.map(({ body }) => body?.cancel()));
    await expect.poll(server.taken).toBe(0);
  });
});

describe("ten thousand calls on one signal", () => {
  function watching() {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    return warnings;
  }

  it("one after another leave no listener, and give no MaxListeners warning", async () => {
    const warnings = watching();
    const { signal } = new AbortController();
    const call = protect("user", async (n: number) => n, { timeout: "5s", deadline: "9s", retry: {}, breaker: {} });
    for (let i = 0; i < 10_000; i++) await call(i, { signal });
    await setImmediate();
    expect([getEventListeners(signal, "abort").length, warnings]).toEqual([0, []]);
  });

  it("at the same time need one listener, leave none, and all hear the abort", async () => {
    const warnings = watching();
    const controller = new AbortController();
    const { signal } = controller;
    const call = protect("user", never, { timeout: "5s", deadline: "9s", retry: {} });
    const ends = Array.from({ length: 10_000 }, () => call(undefined, { signal }).catch((error) => error));
    await Promise.resolve();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    controller.abort("stop");
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["stop"]));
    expect([getEventListeners(signal, "abort").length, warnings]).toEqual([0, []]);
  });

  it("a thousand of them retried, leave none", async () => {
    const warnings = watching();
    const { signal } = new AbortController();
    const call = protect(
      "user",
      async (_: number, { attempt }) => {
        if (attempt < 3) throw down;
        return attempt;
      },
      { retry: { base: 0 } },
    );
    for (let i = 0; i < 1_000; i++) expect(await call(i, { signal })).toBe(3);
    expect([getEventListeners(signal, "abort").length, warnings]).toEqual([0, []]);
  });

  it("of which each makes calls of its own with its context, leave none", async () => {
    const warnings = watching();
    const { signal } = new AbortController();
    const inner = protect("inner", async (n: number) => n, { timeout: "5s" });
    const outer = protect("outer", async (n: number, context) => (await inner(n, context)) + (await inner(1, context)));
    for (let i = 0; i < 1_000; i++) await outer(i, { signal });
    expect([getEventListeners(signal, "abort").length, warnings]).toEqual([0, []]);
  });

  it("leave as many listeners on the bus as were there before", async () => {
    const quiet = events.quiet;
    const call = protect("user", async (n: number) => n, { retry: {}, breaker: {} });
    for (let i = 0; i < 1_000; i++) await call(i);
    expect(events.quiet).toBe(quiet);
  });
});

describe("what nobody holds any more is collected", () => {
  async function collected(make: () => object | Promise<object>): Promise<boolean> {
    const ref = await (async () => new WeakRef(await make()))();
    await collectedUntil(() => ref.deref() === undefined);
    return ref.deref() === undefined;
  }

  const options = { timeout: "5s", deadline: "9s", retry: {}, breaker: {}, fallback: [async () => 1] } as const;

  it.each<[what: string, make: () => object | Promise<object>]>([
    ["a wrapper", () => retry()],
    ["a breaker", () => breaker()],
    [
      "a breaker that has opened",
      async () => {
        const circuit = breaker({ consecutiveFailures: 1, breakTime: "1h" });
        await settled(circuit(async () => Promise.reject(down)))();
        expect(circuit.state.state).toBe("open");
        return circuit;
      },
    ],
    [
      "a breaker for each key, of which some are open",
      async () => {
        const circuits = breaker({ key: (key: string) => key, consecutiveFailures: 1 });
        await settled(circuits(async (_: string) => Promise.reject(down)))("a");
        return circuits;
      },
    ],
    ["a protected function that was never called", () => protect("user", async () => 1, options)],
    [
      "a protected function that was",
      async () => {
        const call = protect("user", async () => 1, options);
        for (let i = 0; i < 10; i++) await call();
        return call;
      },
    ],
    [
      "a policy",
      async () => {
        const policy = protect.with("db", { retry: {}, breaker: {} });
        await policy.run(async () => 1);
        return policy;
      },
    ],
    [
      "an operation that still runs though its call was ended by its deadline, once its story is forgotten",
      async () => {
        const operation = () => new Promise<never>(() => {});
        await settled(protect("user", operation, { retry: {}, breaker: {}, deadline: 1 }))();
        reset();
        return operation;
      },
    ],
    [
      "an operation that still runs though its call timed out, once its story is forgotten",
      async () => {
        const operation = () => new Promise<never>(() => {});
        await settled(pipe(operation, timeout(1)))();
        reset();
        return operation;
      },
    ],
  ])("%s", async (_, make) => {
    expect(await collected(make)).toBe(true);
  });
});

describe("a process", () => {
  const repository = join(import.meta.dirname, "../..");

  async function ends(code: string): Promise<string> {
    const program = `import { protect, pipe, retry, timeout, deadline, breaker } from "./src/index.ts";\n${code}`;
    const tsx = join(repository, "node_modules/tsx/dist/cli.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [tsx, "--input-type=module", "-e", program], {
      ...{ cwd: repository, timeout: 20_000 },
    });
    return stdout.trim();
  }

  it.concurrent.each([
    [
      "that settled",
      `const call = protect("user", async () => 1, { timeout: "1h", deadline: "2h", retry: {}, breaker: {} }); console.log(await call());`,
    ],
    [
      "that was aborted, though its operation never settles",
      `const call = protect("user", () => new Promise(() => {}), { timeout: "1h", deadline: "2h" });
       const controller = new AbortController();
       const ended = call(undefined, { signal: controller.signal }).catch(() => console.log(1));
       controller.abort(); await ended;`,
    ],
    [
      "whose breaker is open for an hour",
      `const circuit = breaker({ consecutiveFailures: 1, breakTime: "1h" });
       await circuit(async () => { throw 1; })().catch(console.log);`,
    ],
    [
      "whose body is on its way under a deadline",
      `const call = protect("get", async () => new Response(new ReadableStream({})), { deadline: "1h" });
       console.log((await call()).status === 200 ? 1 : 0);`,
    ],
  ])("is not held by a call %s", { timeout: 30_000 }, async (_, code) => {
    expect(await ends(code)).toBe("1");
  });

  it.concurrent("is held by a call that waits for its next round", { timeout: 30_000 }, async () => {
    const code = `let n = 0;
      const call = protect("user", async () => { if (n++ === 0) throw new Error("down"); return n; }, { retry: { base: 50, jitter: "none" } });
      call().then(console.log);`;
    expect(await ends(code)).toBe("2");
  });
});
