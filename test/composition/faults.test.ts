// Design rule 14: a user's function that throws ends the call with its error; it is nobody's failure, and nothing is left behind.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type AnySchema,
  type Bracket,
  breaker,
  type Classify,
  defineWrapper,
  fallback,
  type Layer,
  pipe,
  protect,
  retry,
  settled,
  type Wrapper,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const down = new Error("down");
/** Its own verdict would be to try again, to count it, and to ask a tier. */
const boom = new Error("boom");

function thrown(): never {
  throw boom;
}

async function rejected(): Promise<never> {
  throw boom;
}

function own(layer: Layer): Wrapper {
  return defineWrapper("own", z.undefined(), undefined, () => layer);
}

function bracketed(bracket: Bracket): Wrapper {
  return own({ bracket });
}

/** Judges an error of this message, and is broken for all others. */
function unless(message: string): Classify {
  return (seen, standard) => ((seen as Error).message === message ? standard(seen) : thrown());
}

/** A schema of no library: what it throws is thrown. */
const throwing = { "~standard": { version: 1, vendor: "none", validate: thrown } } as const;
const rejecting = { "~standard": { version: 1, vendor: "none", validate: rejected } } as const;

/** Everything that may come after a failure, to see that nothing does. */
function stack() {
  const { clock } = setup();
  const circuit = breaker({ consecutiveFailures: 1, breakTime: "1m" });
  const failing = script<number>({ error: down });
  const working = script<number>({ value: 1 });
  const tier = script<number>({ value: 2 });
  const rest = { retry: { attempts: 3 }, breaker: circuit, fallback: [tier] };
  /** Hand-made: what stands outside would go on, were it an ordinary failure. */
  const outside = [retry({ attempts: 3 }), fallback<never, number>([tier])] as const;
  return { clock, circuit, failing, working, tier, rest, outside, operations: [failing, working] };
}

type Stack = ReturnType<typeof stack>;
type Call = (input: never) => Promise<unknown>;

const inTheDeclaration: ReadonlyArray<[what: string, make: (stack: Stack) => Call]> = [
  ["`when` of a retry", ({ failing, rest }) => protect("c", failing, { ...rest, retry: { when: thrown } })],
  [
    "an asynchronous `when` of a retry",
    ({ failing, rest }) => protect("c", failing, { ...rest, retry: { when: rejected } }),
  ],
  ["`when` of a retry, of a value", ({ working, rest }) => protect("c", working, { ...rest, retry: { when: thrown } })],
  ["a back-off function", ({ failing, rest }) => protect("c", failing, { ...rest, retry: { backoff: thrown } })],
  [
    "`when` of a tier",
    ({ failing, rest, tier }) =>
      protect("c", failing, { ...rest, retry: false, fallback: [{ name: "t", operation: tier, when: thrown }, tier] }),
  ],
  ["`when` of a breaker", ({ failing, rest }) => protect("c", failing, { ...rest, breaker: { when: thrown } })],
  [
    "`when` of a breaker, of a value",
    ({ working, rest }) => protect("c", working, { ...rest, breaker: { when: thrown } }),
  ],
  ["`key` of a breaker", ({ working, rest }) => protect("c", working, { ...rest, breaker: { key: thrown } })],
  ["`classify`, of an error", ({ failing, rest }) => protect("c", failing, { ...rest, classify: thrown })],
  [
    "`classify`, of a value",
    ({ rest }) => protect("c", script({ value: {} }), { ...rest, classify: thrown, fallback: false }),
  ],
  [
    "`classify`, of an error of ours when no tier is left",
    ({ failing, rest }) =>
      protect("c", failing, {
        ...{ ...rest, retry: false, classify: unless("down") },
        fallback: [async () => Promise.reject(down)],
      }),
  ],
  [
    "`classify`, of an output that was refused",
    ({ working, rest }) =>
      protect("c", working, { ...rest, classify: unless("down"), output: z.string() as AnySchema }),
  ],
  [
    "`classify`, of an output that was refused after a while",
    ({ working, rest }) =>
      protect("c", working, { ...rest, classify: unless("down"), gate: { checks: [async () => "another"] } }),
  ],
  ["a check of the input", ({ working, rest }) => protect("c", working, { ...rest, guard: { checks: [thrown] } })],
  [
    "an asynchronous check of the input",
    ({ working, rest }) => protect("c", working, { ...rest, guard: { checks: [rejected] } }),
  ],
  ["a check of the output", ({ working, rest }) => protect("c", working, { ...rest, gate: { checks: [thrown] } })],
  [
    "an asynchronous check of the output",
    ({ working, rest }) => protect("c", working, { ...rest, gate: { checks: [rejected] } }),
  ],
  [
    "the schema of the input",
    ({ working, rest }) => protect("c", working, { ...rest, input: throwing as never }) as Call,
  ],
  [
    "an asynchronous schema of the input",
    ({ working, rest }) => protect("c", working, { ...rest, input: rejecting as never }) as Call,
  ],
  [
    "the schema of the output",
    ({ working, rest }) => protect("c", working, { ...rest, output: throwing as AnySchema }),
  ],
  [
    "an asynchronous schema of the output",
    ({ working, rest }) => protect("c", working, { ...rest, output: rejecting as AnySchema }),
  ],
  [
    "a transformation of the schema",
    ({ working, rest }) => protect("c", working, { ...rest, output: z.unknown().transform(thrown) }),
  ],
  ["`idempotencyKey`", ({ working, rest }) => protect("c", working, { ...rest, idempotencyKey: thrown })],
];

const byHand: ReadonlyArray<[what: string, make: (stack: Stack) => Call]> = [
  [
    "`otherwise`",
    ({ failing, outside }) =>
      pipe(
        failing,
        fallback([{ name: "no", operation: failing, when: () => false }], { otherwise: thrown }),
        ...outside,
      ),
  ],
  [
    "an asynchronous `otherwise`",
    ({ failing, outside }) =>
      pipe(
        failing,
        fallback([{ name: "no", operation: failing, when: () => false }], { otherwise: rejected }),
        ...outside,
      ),
  ],
  ["`before` of a bracket", ({ working, outside }) => pipe(working, bracketed({ before: thrown }), ...outside)],
  [
    "an asynchronous `before` of a bracket",
    ({ working, outside }) => pipe(working, bracketed({ before: rejected }), ...outside),
  ],
  ["`started` of a bracket", ({ working, outside }) => pipe(working, bracketed({ started: thrown }), ...outside)],
  [
    "`after` of a bracket, of a success",
    ({ working, outside }) => pipe(working, bracketed({ after: thrown }), ...outside),
  ],
  [
    "`after` of a bracket, of a failure",
    ({ failing, outside }) => pipe(failing, bracketed({ after: thrown }), ...outside),
  ],
  ["`judge` of a bracket", ({ working, outside }) => pipe(working, bracketed({ judge: thrown }), ...outside)],
  [
    "an asynchronous `judge` of a bracket",
    ({ working, outside }) => pipe(working, bracketed({ judge: rejected }), ...outside),
  ],
  [
    "`recover` of a recovery",
    ({ failing, outside }) => pipe(failing, own({ recovery: { recover: thrown } }), ...outside),
  ],
];

describe.each([...inTheDeclaration, ...byHand])("%s that throws", (_, make) => {
  it("ends the call with its error, kind `bug`: no retry, no tier", async () => {
    const on = stack();
    const ended = settled(make(on) as (input: undefined) => Promise<unknown>)(undefined);
    await on.clock.advance("1m");
    const { story, ...given } = await ended;
    expect(given).toEqual({ ok: false, error: boom });
    expect(story.state).toBe("failed");
    expect(story.failures.at(-1)).toMatchObject({ error: boom, kind: "bug" });
    expect(on.operations.map(({ calls }) => calls.length <= 1)).toEqual([true, true]);
    expect(on.tier.calls).toEqual([]);
  });
});

describe.each(inTheDeclaration.filter(([what]) => !what.includes("breaker")))("%s that throws", (_, make) => {
  it("counts in no breaker: what was counted is what the operation itself gave", async () => {
    const on = stack();
    const ended = settled(make(on) as (input: undefined) => Promise<unknown>)(undefined);
    await on.clock.advance("1m");
    await ended;
    const wrong = on.failing.calls.length > 0 && _ !== "`classify`, of an error" ? 1 : 0;
    expect(on.circuit.state.failures).toBe(wrong);
  });
});

describe("a place of a half-open breaker", () => {
  it.each<[what: string, break_: (throws: () => boolean) => object]>([
    ["`when`", (throws) => ({ breaker: { when: (outcome: { ok: boolean }) => (throws() ? thrown() : !outcome.ok) } })],
    [
      "`classify`",
      (throws) => ({
        classify: (seen: unknown, standard: (seen: unknown) => unknown) => (throws() ? thrown() : standard(seen)),
      }),
    ],
  ])("is given back when %s throws: the next call probes", async (_, break_) => {
    const { clock } = setup();
    let throws = false;
    const operation = script<object>({ error: down }, { value: {} }, { value: {} });
    const given = break_(() => throws) as { breaker?: object };
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s", ...given.breaker });
    const call = protect("c", operation, { ...given, breaker: circuit });
    await settled(call)(undefined);
    await clock.advance("5s");
    throws = true;
    expect(await settled(call)(undefined)).toMatchObject({ error: boom });
    expect(circuit.state.state).toBe("halfOpen");
    throws = false;
    expect(await settled(call)(undefined)).toMatchObject({ ok: true });
    expect(circuit.state.state).toBe("closed");
  });

  it("is given back when a layer further in throws before anything was called", async () => {
    const { clock } = setup();
    let throws = false;
    const inner = bracketed({ started: () => (throws ? thrown() : undefined) });
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    const call = pipe(script<number>({ error: down }, { value: 1 }), inner, circuit);
    await settled(call)(undefined);
    await clock.advance("5s");
    throws = true;
    expect(await settled(call)(undefined)).toMatchObject({ error: boom });
    throws = false;
    expect(await settled(call)(undefined)).toMatchObject({ ok: true, value: 1 });
  });
});

describe("the layers of an attempt", () => {
  it.each<[moment: string, bracket: Bracket, heard: readonly string[]]>([
    ["before", { before: thrown }, ["after bug", "ended"]],
    ["started", { started: thrown }, ["after bug", "ended"]],
    ["after", { after: thrown }, ["after bug", "ended"]],
    ["judge", { judge: thrown }, ["after bug", "ended"]],
  ])("outside a `%s` that throws each hear of the end once", async (_, bracket, heard) => {
    setup();
    const log: string[] = [];
    const outer = bracketed({
      after: (_, outcome, verdict) => void log.push(`after ${outcome.ok ? "ok" : verdict?.kind}`),
      ended: () => void log.push("ended"),
    });
    await settled(pipe(script({ value: 1 }), bracketed(bracket), outer))(undefined);
    expect(log).toEqual(heard);
  });
});

describe("`ready` of a layer that throws", () => {
  it("ends the call that asked it: kind `bug`, no other tier, no retry", async () => {
    const { clock } = setup();
    const unready = pipe(script<number>({ value: 2 }), bracketed({ ready: thrown }));
    const first = script<number>({ error: down });
    const last = script<number>({ value: 3 });
    const ended = settled(pipe(first, fallback([unready, last]), retry()))(undefined);
    await clock.advance("1m");
    const { story, ...given } = await ended;
    expect(given).toEqual({ ok: false, error: boom });
    expect([story.attempts, last.calls.length]).toEqual([1, 0]);
  });

  it("ends a call whose retry asked it", async () => {
    const { clock } = setup();
    const unready = pipe(script<number>({ value: 2 }), bracketed({ ready: thrown }));
    const ended = settled(protect("c", script<number>({ error: down }), { retry: {}, fallback: [unready] }))(undefined);
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: false, error: boom, story: { attempts: 1 } });
  });
});

describe("what is isolated", () => {
  it.each([
    ["throws", thrown],
    ["rejects", rejected],
  ])("is a `discard` that %s: the call goes on, and nobody hears", async (_, discard) => {
    const { clock } = setup();
    const late = { late: true };
    const lateness = Promise.withResolvers<object>();
    const call = protect("c", async (_: void, { attempt }) => (attempt === 1 ? lateness.promise : { attempt }), {
      ...{ timeout: "1s", retry: { jitter: "none", base: 0 }, discard },
    });
    const answer = call();
    await clock.advance("1s");
    expect(await answer).toEqual({ attempt: 2 });
    lateness.resolve(late);
    await clock.advance(0);
  });

  it.each([
    ["throws", thrown],
    ["rejects", rejected],
  ])(
    "is a listener that %s: result and counts are the same, it becomes `listener.failed`, the others still hear",
    async (_, listener) => {
      const { clock, events, seen } = setup();
      const heard: string[] = [];
      events.onAny(listener);
      events.onAny(({ type }) => heard.push(type));
      const circuit = breaker({ consecutiveFailures: 5 });
      const call = protect("c", script<number>({ error: down }, { value: 1 }), { retry: {}, breaker: circuit });
      const ended = settled(call)(undefined);
      await clock.advance("5s");
      expect(await ended).toMatchObject({ ok: true, value: 1, story: { attempts: 2, state: "succeeded" } });
      expect(circuit.state).toMatchObject({ calls: 2, failures: 1 });
      const told = seen.events.map(({ type }) => type).filter((type) => type !== "listener.failed");
      expect(heard.filter((type) => type !== "listener.failed")).toEqual(told);
      expect(seen.of("listener.failed").map(({ heard, error }) => [heard, error])).toEqual(
        told.map((type) => [type, boom]),
      );
    },
  );
});
