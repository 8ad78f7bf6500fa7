// Design §2: the order in which `protect` lays its layers, a row a place; docs/order.md tells the same rows to users.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  adaptiveLimit,
  type Breaker,
  breaker,
  bulkhead,
  type CallContext,
  explain,
  pipe,
  protect,
  rateLimit,
  settled,
  standard,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { outcome, queue, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const word = z.string().transform((text) => text.trim());
const kinds = (call: unknown) => explain(call).map(({ kind }) => kind);

/** Outermost first; each proves that it stands outside what comes after it, and inside what comes before. */
const rows: { place: string; because: string; proof: () => Promise<void> }[] = [
  {
    place: "record",
    because: "whatever becomes of the call, it has one story and one `call.settled`: also when its input is refused",
    async proof() {
      const { seen } = setup();
      const call = protect("x", async (_: string) => 1, { input: z.string().min(3), deadline: "1s" });
      const { story } = await settled(call)("");
      expect(story.state).toBe("rejected");
      expect(seen.of("call.settled")).toHaveLength(1);
    },
  },
  {
    place: "deadline",
    because: "it covers everything that takes time: checks of the input, every attempt, every wait, every tier",
    async proof() {
      const { clock } = setup();
      const slowCheck = { checks: [() => clock.sleep(60_000) as Promise<undefined>] };
      const inCheck = watch(protect("x", async (_: string) => 1, { guard: slowCheck, deadline: "1s" })("x"));
      const hangs = () => new Promise<number>(() => {});
      const inTier = watch(
        protect("x", async (_: string) => Promise.reject(down) as Promise<number>, {
          fallback: [hangs],
          deadline: "1s",
        })("x"),
      );
      const inRetry = watch(protect("x", hangs, { timeout: 300, retry: { attempts: 99, base: 0 }, deadline: "1s" })());
      await clock.advance("1s");
      const overdue = { error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) };
      expect([inCheck.at, inTier.at, inRetry.at]).toEqual([overdue, overdue, overdue]);
      await clock.advance("1m");
    },
  },
  {
    place: "input",
    because:
      "a refused input reaches no tier and counts nowhere, and a transforming schema runs once, however many attempts and tiers follow",
    async proof() {
      setup();
      let parsed = 0;
      const counting = z.string().transform((text) => {
        parsed++;
        return `${text}!`;
      });
      const operation = script<unknown>({ error: down }, { error: down });
      const tier = script<unknown>({ value: 1 });
      const circuit = breaker({ consecutiveFailures: 9 });
      const call = protect("x", operation, {
        ...{ input: counting, retry: { attempts: 2, base: 0 }, breaker: circuit, fallback: [tier] },
      });
      expect(await settled(call)(5 as never)).toMatchObject({ ok: false, error: { code: "INPUT_REJECTED" } });
      expect([operation.calls.length, tier.calls.length, circuit.state.calls]).toEqual([0, 0, 0]);
      await call("a");
      expect([...operation.calls, ...tier.calls].map(({ input }) => input)).toEqual(["a!", "a!", "a!"]);
      expect(parsed).toBe(1);
    },
  },
  {
    place: "cache",
    because:
      "what is known needs nothing of what is inside it, a refused input is asked of nobody, and what a lower tier gave is not kept",
    async proof() {
      const { seen } = setup();
      const circuit = breaker({ consecutiveFailures: 9 });
      const operation = script<string>({ error: down }, { value: "first" });
      const call = protect("x", operation, {
        ...{
          input: word.pipe(z.string().min(1)),
          cache: { ttl: "1m" },
          breaker: circuit,
          fallback: [async () => "second"],
        },
      });
      expect(await outcome(call(" "))).toMatchObject({ error: { code: "INPUT_REJECTED" } });
      expect(seen.of("cache.missed")).toEqual([]);
      expect([await call("a"), await call(" a"), await call("a ")]).toEqual(["second", "first", "first"]);
      expect([circuit.state.calls, operation.calls.length]).toEqual([2, 2]);
    },
  },
  {
    place: "shed",
    because:
      "what is known is given under any pressure, and what is refused takes nothing of what is inside, no tier neither",
    async proof() {
      setup();
      let pressure = 0;
      const seen: string[] = [];
      const call = protect("x", async (name: string) => seen.push(name), {
        cache: { ttl: "1m" },
        shed: { measure: () => pressure },
        fallback: [async (name) => seen.push(`tier ${name}`)],
      });
      await call("known");
      pressure = 1;
      for (let i = 0; i < 40; i++) await settled(call)(`${i}`);
      seen.length = 0;
      expect(await call("known")).toBe(1);
      expect(await settled(call)("new")).toMatchObject({ ok: false, error: { code: "LOAD_SHED" } });
      expect(seen).toEqual([]);
    },
  },
  {
    place: "urgency",
    because:
      "a tier that it begins runs beside all that is inside, and what it gives is not kept as if it were the first's",
    async proof() {
      const { clock } = setup();
      const operation = script<unknown>("never", { value: "first" });
      const call = protect("x", operation, {
        ...{ deadline: 1_000, cache: { ttl: "1h", key: () => "k" }, retry: {}, fallback: [async () => "tier"] },
        urgency: [{ at: 0.5, start: "nextTier" }],
      });
      const answer = watch(call("x"));
      await clock.advance(500);
      expect([answer.at, await call("x")]).toEqual([{ value: "tier" }, "first"]);
    },
  },
  {
    place: "fallback",
    because: "a tier is asked when the first has had all its tries, not after each of them",
    async proof() {
      setup();
      const operation = script<unknown>({ error: down }, { error: down }, { error: down });
      const tier = script<unknown>({ value: "second" });
      const call = protect("x", operation, { retry: { attempts: 3, base: 0 }, fallback: [tier] });
      expect(await call("x")).toBe("second");
      expect([operation.calls.length, tier.calls.length]).toEqual([3, 1]);
    },
  },
  {
    place: "retry",
    because: "a rejected output is tried again, and the next attempt finds what was wrong in `context.previous`",
    async proof() {
      setup();
      const operation = script<unknown>({ value: { words: 2 } }, { value: { words: 20 } });
      const call = protect("x", operation, {
        ...{ output: z.object({ words: z.number().min(10) }), retry: { attempts: 2, base: 0 } },
      });
      expect(await call("x")).toEqual({ words: 20 });
      expect(operation.calls[1]?.context.previous).toMatchObject([
        { kind: "quality", produced: { words: 2 }, error: { findings: [{ path: "words" }] } },
      ]);
    },
  },
  {
    place: "hedge",
    because:
      "a second try is part of one round, and a poor answer, which the gate inside it refuses, does not win while another runs",
    async proof() {
      const { clock } = setup();
      const operation = script<unknown>({ value: "good", after: 300 }, { value: "", after: 10 });
      const gate = { checks: [(value: unknown) => (value === "" ? "an answer" : undefined)] };
      const answer = watch(protect("x", operation, { hedge: { after: 100 }, retry: { attempts: 1 }, gate })("x"));
      await clock.advance(300);
      expect([answer.at, operation.calls.length]).toEqual([{ value: "good" }, 2]);
    },
  },
  {
    place: "output",
    because: "a poor answer is no outage: it counts as a success in the breaker",
    async proof() {
      setup();
      const circuit = breaker({ consecutiveFailures: 1 });
      const call = protect("x", async () => "poor", { gate: { checks: [() => "a better one"] }, breaker: circuit });
      expect(await settled(call)()).toMatchObject({ ok: false, error: { code: "OUTPUT_REJECTED" } });
      expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 0 });
    },
  },
  {
    place: "breaker",
    because: "it counts each attempt, sees each timeout at once, and refuses before anything else is taken up",
    async proof() {
      const { clock } = setup();
      const circuit = breaker({ consecutiveFailures: 2, breakTime: "1m" });
      const hangs = script<unknown>("never", "never", "never");
      const call = protect("x", hangs, { timeout: "1s", breaker: circuit, retry: { attempts: 3, base: 0 } });
      const ended = watch(call("x"));
      await clock.advance("1s");
      expect(circuit.state).toMatchObject({ state: "closed", failures: 1 });
      await clock.advance("1s");
      expect([circuit.state.state, hangs.calls.length]).toEqual(["open", 2]);
      expect(ended.at).toEqual({ error: expect.objectContaining({ code: "TIMEOUT" }) });
    },
  },
  {
    place: "rateLimit",
    because: "what the breaker would refuse takes nothing of a quota, and who waits for one holds no place",
    async proof() {
      const { clock } = setup();
      const circuit = breaker();
      const quota = rateLimit({ requests: { limit: 1, per: "1m" } });
      const places = bulkhead(1);
      const call = protect("x", async () => 1, { breaker: circuit, rateLimit: quota, bulkhead: places });
      const undo = circuit.isolate();
      expect(await settled(call)()).toMatchObject({ ok: false, error: { code: "BREAKER_OPEN" } });
      expect(quota.left).toEqual({ requests: 1 });
      undo();
      await call();
      const waits = watch(call());
      await turn();
      expect([waits.at, quota.waiting, places.running]).toEqual([undefined, 1, 0]);
      await clock.advance("1m");
      expect(waits.at).toEqual({ value: 1 });
    },
  },
  {
    place: "adaptiveLimit",
    because:
      "a timeout tells it that it was too much, a breaker does not count its refusals, and what a bulkhead inside refuses is not slow",
    async proof() {
      const { clock } = setup();
      const circuit = breaker({ consecutiveFailures: 1 });
      const limit = adaptiveLimit({ max: 2 });
      const places = bulkhead(1);
      const hangs = () => new Promise<never>(() => {});
      const call = protect("x", hangs, { timeout: "1s", bulkhead: places, adaptiveLimit: limit, breaker: circuit });
      const first = watch(call());
      expect(await settled(call)()).toMatchObject({ error: { code: "BULKHEAD_FULL" } });
      expect(limit.running).toBe(1);
      limit.acquire();
      expect(await settled(call)()).toMatchObject({ error: { code: "LOAD_SHED" } });
      expect(circuit.state.state).toBe("closed");
      await clock.advance("1s");
      expect([first.at, circuit.state.state]).toEqual([
        { error: expect.objectContaining({ code: "TIMEOUT" }) },
        "open",
      ]);
      expect([limit.running, places.running]).toEqual([2, 1]);
    },
  },
  {
    place: "bulkhead",
    because:
      "nobody queues for what the breaker would refuse, and a place is held until the operation has truly settled, timed out or not",
    async proof() {
      const { clock } = setup();
      const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
      const places = bulkhead({ concurrency: 1, queue: 5 });
      const operation = script<unknown>({ value: 1, after: 900 });
      const call = protect("x", operation, { timeout: "1s", bulkhead: places, breaker: circuit });
      const permit = places.acquire();
      const waits = watch(call("x"));
      await clock.advance("8s");
      permit?.done({ ok: true, value: undefined });
      await clock.advance(900);
      expect([waits.at, places.running, circuit.state.calls]).toEqual([{ value: 1 }, 0, 1]);
      const { promise, reject } = Promise.withResolvers<unknown>();
      const hangs = protect("y", () => promise, { timeout: "1s", bulkhead: places, breaker: circuit });
      const late = watch(hangs());
      await clock.advance("1s");
      expect([late.at, places.running]).toEqual([{ error: expect.objectContaining({ code: "TIMEOUT" }) }, 1]);
      expect(await settled(hangs)()).toMatchObject({ ok: false, error: { code: "BREAKER_OPEN" } });
      expect(places.queued).toBe(0);
      reject(down);
      await turn();
      expect(places.running).toBe(0);
    },
  },
  {
    place: "timeout",
    because: "it measures one run of the operation and nothing else: each attempt has the whole of it",
    async proof() {
      const { clock } = setup();
      const slowGate = { checks: [() => clock.sleep(900) as Promise<undefined>] };
      const operation = script<unknown>({ value: 1, after: 5_000 }, { value: 2, after: 900 });
      const call = protect("x", operation, {
        ...{ timeout: "1s", gate: slowGate, retry: { attempts: 2, jitter: "none", base: 900 } },
      });
      const ended = watch(call("x"));
      await clock.advance(1_000 + 900 + 900 + 900);
      expect(ended.at).toEqual({ value: 2 });
    },
  },
];

describe("the order, outermost first", () => {
  it.each(rows)("$place: $because", ({ proof }) => proof());

  it("is the same however the declaration is written", () => {
    setup();
    const options = {
      ...{
        timeout: "1s",
        bulkhead: 5,
        adaptiveLimit: {},
        breaker: {},
        output: word,
        retry: {},
        input: word,
        idempotencyKey: String,
        deadline: "1m",
      },
      ...{ shed: {}, cache: { ttl: "1m" }, fallback: [async () => "x"] },
    };
    const backwards = Object.fromEntries(Object.entries(options).toReversed());
    const order = [
      "deadline",
      "guard",
      "cache",
      "idempotencyKey",
      "shed",
      "fallback",
      "retry",
      "gate",
      "breaker",
      "adaptiveLimit",
      "bulkhead",
      "timeout",
    ];
    const operation = async (_: string) => "x";
    expect(kinds(protect("x", operation, options as never))).toEqual(order);
    expect(kinds(protect("x", operation, backwards as never))).toEqual(order);
  });

  it("is told in docs/order.md: each place with its reason, in this order, and no other", () => {
    const page = readFileSync(new URL("../../docs/order.md", import.meta.url), "utf8");
    const told = [...page.matchAll(/^\| \d+ \| `?(\w+)`? \| (.+?) \|.*$/gm)].map(([, place, because]) => ({
      place,
      because,
    }));
    expect(told).toEqual(rows.map(({ place, because }) => ({ place, because })));
  });
});

describe("only the keys that are written are built", () => {
  it("none: it records and tells, and no more", async () => {
    const { seen } = setup();
    const call = protect("x", async () => 1);
    expect([kinds(call), await call()]).toEqual([[], 1]);
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
  });

  it("`false` is as if it were not written, and `{}` takes the primitive's defaults", () => {
    setup();
    const off = protect("x", async () => 1, {
      retry: false,
      timeout: false,
      breaker: false,
      bulkhead: false,
      deadline: false,
      fallback: false,
    });
    expect(kinds(off)).toEqual([]);
    expect(explain(protect("x", async () => 1, { retry: {} }))).toMatchObject([
      { kind: "retry", options: { attempts: 3 } },
    ]);
  });

  it("`standard` spreads into deadline 30 s, three attempts, a breaker and a timeout of 10 s", () => {
    setup();
    expect(explain(protect("x", async () => 1, { ...standard }))).toMatchObject([
      { kind: "deadline", options: { within: 30_000 } },
      { kind: "retry", options: { attempts: 3 } },
      { kind: "breaker" },
      { kind: "timeout", options: { after: 10_000 } },
    ]);
  });
});

describe("what belongs to a tier", () => {
  const failing = async (_: unknown): Promise<unknown> => Promise.reject(down);

  it("`output` and `gate` judge every tier, protected or not", async () => {
    setup();
    const declared = protect("declared", async (_: unknown): Promise<unknown> => 2);
    const call = protect("x", failing, {
      ...{ output: z.number().min(3), fallback: [async () => 1, declared, async () => 3] },
    });
    const { story, ...ended } = await settled(call)("x");
    expect(ended).toEqual({ ok: true, value: 3 });
    expect(story.failures.map(({ kind, tier }) => [tier, kind])).toEqual([
      [0, "transient"],
      [1, "quality"],
      [2, "quality"],
    ]);
  });

  it("`timeout` is laid round each tier that does not come from `protect`, a tier's own in its place", async () => {
    const { clock } = setup();
    const hangs = (name: string) =>
      Object.defineProperty((_: unknown) => new Promise<unknown>(() => {}), "name", { value: name });
    const declared = protect("declared", script<unknown>({ value: "late", after: 7_000 }));
    const call = protect("x", hangs("first"), {
      timeout: "1s",
      fallback: [hangs("bare"), { name: "own", operation: hangs("own"), timeout: "3s" }, declared],
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    const { ok, story } = await ended;
    expect([ok, story.elapsedMs]).toEqual([true, 1_000 + 1_000 + 3_000 + 7_000]);
    expect(story.failures.map(({ tierName, elapsedMs }) => [tierName, elapsedMs])).toEqual([
      ["x", 1_000],
      ["bare", 1_000],
      ["own", 3_000],
    ]);
  });

  it("`retry` and `breaker` belong to the first; one that wants its own is itself a protected call", async () => {
    setup();
    const circuit = breaker({ failureRate: 1, minimumCalls: 100 });
    const [bare, own] = [script<unknown>({ error: down }), script<unknown>({ error: down }, { value: "done" })];
    const call = protect("x", failing, {
      ...{ retry: { attempts: 2, base: 0 }, breaker: circuit },
      fallback: [bare, protect("own", own, { retry: { attempts: 2, base: 0 } })],
    });
    expect(await call("x")).toBe("done");
    expect([circuit.state.calls, bare.calls.length, own.calls.length]).toEqual([2, 1, 2]);
  });
});

describe("the breaker and our own queues", () => {
  const openIt = async (circuit: Breaker) => {
    await circuit(async () => Promise.reject(down))().catch(() => {});
  };

  it("it refuses before anyone queues", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    await openIt(circuit);
    const places = queue();
    const ended = await settled(pipe(async () => 1, places.wrapper, circuit))();
    expect([ended.ok, places.waiting.length]).toEqual([false, 0]);
  });

  it("it takes a half-open place only after admission: who still waits holds none", async () => {
    const { clock, caller } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1s", halfOpenCalls: 1 });
    await openIt(circuit);
    await clock.advance("1s");
    const places = queue();
    const operation = script({ value: 1, after: 100 }, { value: 2, after: 100 });
    const call = pipe(operation, places.wrapper, circuit);
    const controller = caller();
    const gone = watch(call(undefined, { signal: controller.signal }));
    const [first, second] = [watch(call(undefined)), watch(call(undefined))];
    controller.abort("gone");
    for (const place of places.waiting) place.grant();
    await clock.advance(100);
    expect([gone.at, first.at, second.at]).toEqual([
      { error: "gone" },
      { value: 1 },
      { error: expect.objectContaining({ code: "BREAKER_OPEN" }) },
    ]);
    expect([circuit.state.state, operation.calls.length]).toEqual(["closed", 1]);
  });

  it("it measures from the operation's start, so that a wait in a queue is never mistaken for a slow service", async () => {
    const { clock } = setup();
    const circuit = breaker({ slowCallRate: 0.5, slowCallDuration: "1s", minimumCalls: 1 });
    const places = queue();
    const call = pipe(script({ value: 1, after: 10 }, { value: 2, after: 2_000 }), places.wrapper, circuit);
    const quick = watch(call(undefined));
    await clock.advance("1m");
    places.waiting[0]?.grant();
    await clock.advance(10);
    expect([quick.at, circuit.state.state]).toEqual([{ value: 1 }, "closed"]);
    const slow = watch(call(undefined));
    places.waiting[1]?.grant();
    await clock.advance("2s");
    expect([slow.at, circuit.state.state]).toEqual([{ value: 2 }, "open"]);
  });
});

describe("the breaker and a bulkhead", () => {
  it("who waits for a place holds no half-open one: it takes that only after admission", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "1s", halfOpenCalls: 1 });
    await circuit(async () => Promise.reject(down))().catch(() => {});
    await clock.advance("1s");
    const places = bulkhead({ concurrency: 1, queue: 5 });
    const permit = places.acquire();
    const operation = script({ value: 1, after: 100 }, { value: 2 });
    const call = protect("x", operation, { bulkhead: places, breaker: circuit });
    const [waits, second] = [watch(call(undefined)), watch(call(undefined))];
    await turn();
    expect([places.queued, circuit.state]).toEqual([2, expect.objectContaining({ state: "halfOpen", nextProbeMs: 0 })]);
    permit?.done({ ok: true, value: undefined });
    await clock.advance(100);
    expect([waits.at, second.at, circuit.state.state]).toEqual([{ value: 1 }, { value: 2 }, "closed"]);
    expect(places.running).toBe(0);
  });

  it("a wait in the queue is never mistaken for a slow service", async () => {
    const { clock } = setup();
    const circuit = breaker({ slowCallRate: 0.5, slowCallDuration: "1s", minimumCalls: 1 });
    const places = bulkhead({ concurrency: 1, queue: 5 });
    const call = protect("x", script({ value: 1, after: 10 }), { bulkhead: places, breaker: circuit });
    const permit = places.acquire();
    const waits = watch(call(undefined));
    await clock.advance("1m");
    permit?.done({ ok: true, value: undefined });
    await clock.advance(10);
    expect([waits.at, circuit.state.state]).toEqual([{ value: 1 }, "closed"]);
  });
});

describe("by hand, with `pipe`", () => {
  it("the order is exactly as written, the innermost first", async () => {
    const { clock } = setup();
    const seen: CallContext[] = [];
    const hangs = (_: unknown, context: CallContext) => {
      seen.push(context);
      return new Promise<never>(() => {});
    };
    const circuit = breaker();
    expect(kinds(pipe(hangs, circuit, timeout("1s")))).toEqual(["timeout", "breaker"]);
    const ended = watch(pipe(hangs, circuit, timeout("1s"))("x"));
    await clock.advance("1s");
    await turn();
    expect(ended.at).toEqual({ error: expect.objectContaining({ code: "TIMEOUT" }) });
    expect(seen).toHaveLength(1);
  });
});
