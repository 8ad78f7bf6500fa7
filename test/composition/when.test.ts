// Design §2: `when` decides where it is given, in place of the verdict; about some things it is never asked.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  BreakerOpenError,
  breaker,
  type CallContext,
  DeadlineExceededError,
  deadline,
  defineWrapper,
  type Failure,
  fallback,
  guard,
  HoldfastError,
  InputRejectedError,
  type Operation,
  type Outcome,
  type Protected,
  pipe,
  protect,
  retry,
  settled,
  timeout,
  type Verdict,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const missing = Object.assign(new Error("no such user"), { status: 404 });
const broken = Object.assign(new Error("it broke"), { status: 500 });

/** A `when` that notes what it was asked, and answers with this. */
function spy(answer: boolean) {
  const asked: [outcome: Outcome<unknown>, verdict: Verdict | undefined][] = [];
  return {
    asked,
    when(outcome: Outcome<unknown>, verdict: Verdict | undefined) {
      asked.push([outcome, verdict]);
      return answer;
    },
  };
}

describe("`when` of a retry", () => {
  it("decides in place of the verdict: yes where that says no", async () => {
    const { clock } = setup();
    const operation = script({ error: missing }, { value: 1 });
    const ended = protect("user", operation, { retry: { when: (outcome) => !outcome.ok } })(undefined);
    await clock.advance("5s");
    expect(await ended).toBe(1);
  });

  it("decides in place of the verdict: no where that says yes", async () => {
    const { clock } = setup();
    const operation = script({ error: broken });
    const ended = settled(protect("user", operation, { retry: { when: () => false } }))(undefined);
    await clock.advance("5s");
    expect(await ended).toMatchObject({ ok: false, error: broken, story: { attempts: 1 } });
  });

  it("gets the verdict to lean on", async () => {
    const { clock } = setup();
    const operation = script({ error: broken }, { error: missing }, { value: 1 });
    const { asked, when } = spy(true);
    const ended = protect("user", operation, {
      retry: {
        attempts: 4,
        when: (outcome, verdict) =>
          when(outcome, verdict) && (verdict?.retry || (!outcome.ok && outcome.error === missing)),
      },
    })(undefined);
    await clock.advance("5s");
    expect(await ended).toBe(1);
    expect(asked).toEqual([
      [{ ok: false, error: broken }, expect.objectContaining({ kind: "transient", retry: true })],
      [{ ok: false, error: missing }, expect.objectContaining({ kind: "invalid", retry: false })],
      [{ ok: true, value: 1 }, undefined],
    ]);
  });

  it("may answer with a promise", async () => {
    const { clock } = setup();
    const operation = script({ error: missing }, { value: 1 });
    const ended = protect("user", operation, { retry: { when: async (outcome) => !outcome.ok } })(undefined);
    await clock.advance("5s");
    expect(await ended).toBe(1);
  });

  it("is not asked after the last round: `attempts` ends it, whatever it would say", async () => {
    const { clock } = setup();
    const { asked, when } = spy(true);
    const operation = script(...Array.from({ length: 3 }, () => ({ value: 0 })));
    const ended = settled(protect("user", operation, { retry: { attempts: 3, when } }))(undefined);
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: true, story: { attempts: 3, state: "succeeded" } });
    expect(asked).toHaveLength(2);
  });
});

describe("`when` of a tier", () => {
  it("decides in place of the verdict, and gets it to lean on", async () => {
    setup();
    const seen: [Failure, Verdict][] = [];
    const when = (failure: Failure, verdict: Verdict) => {
      seen.push([failure, verdict]);
      return !verdict.fallBack;
    };
    const call = (error: Error) =>
      protect("user", script<number>({ error }), { fallback: [{ name: "copy", operation: async () => 2, when }] });
    expect(await settled(call(missing))(undefined)).toMatchObject({ ok: true, value: 2 });
    expect(await settled(call(broken))(undefined)).toMatchObject({ ok: false, error: broken });
    expect(seen).toEqual([
      [expect.objectContaining({ error: missing, kind: "invalid" }), expect.objectContaining({ fallBack: false })],
      [expect.objectContaining({ error: broken, kind: "transient" }), expect.objectContaining({ fallBack: true })],
    ]);
  });

  it("that excludes an error lets it reach the caller unchanged", async () => {
    setup();
    const tier = { name: "copy", operation: script<number>({ value: 2 }), when: (f: Failure) => f.kind !== "invalid" };
    const end = await settled(protect("user", script<number>({ error: missing }), { fallback: [tier] }))(undefined);
    expect(end).toMatchObject({ ok: false, error: missing });
  });

  it("sees the failure of the tier before it, thrown errors and bad responses alike", async () => {
    setup();
    const seen: unknown[] = [];
    const when = ({ error, tierName }: Failure) => {
      seen.push([tierName, error]);
      return true;
    };
    const response = new Response(null, { status: 500 });
    const call = protect("user", script<Response>({ error: broken }), {
      fallback: [
        { name: "copy", operation: script({ value: response }), when },
        { name: "last", operation: script({ value: new Response("ok") }), when },
      ],
    });
    await call(undefined);
    expect(seen).toEqual([
      ["user", broken],
      ["copy", response],
    ]);
  });

  it("is a tier's own: the next tier is asked though this one is not", async () => {
    setup();
    const call = protect("user", script<number>({ error: broken }), {
      fallback: [{ name: "no", operation: async () => 1, when: () => false }, async () => 2],
    });
    expect(await call(undefined)).toBe(2);
  });
});

describe("`when` of a breaker", () => {
  it("decides in place of the verdict whether this counts as a failure", async () => {
    setup();
    const strict = breaker({ consecutiveFailures: 1, when: (outcome) => !outcome.ok && outcome.error === missing });
    await settled(protect("user", script({ error: broken }), { breaker: strict }))(undefined);
    expect(strict.state).toMatchObject({ state: "closed", failures: 0 });
    await settled(protect("user", script({ error: missing }), { breaker: strict }))(undefined);
    expect(strict.state.state).toBe("open");
  });

  it("gets the verdict to lean on, of errors, of failing values, and none of a success", async () => {
    setup();
    const { asked, when } = spy(false);
    const response = new Response(null, { status: 503 });
    const operation = script<unknown>({ error: broken }, { value: response }, { value: 1 });
    const call = protect("user", operation, { breaker: { when } });
    for (let i = 0; i < 3; i++) await settled(call)(undefined);
    expect(asked).toEqual([
      [{ ok: false, error: broken }, expect.objectContaining({ kind: "transient", counts: true })],
      [{ ok: true, value: response }, expect.objectContaining({ kind: "overloaded" })],
      [{ ok: true, value: 1 }, undefined],
    ]);
  });
});

type Inner = Operation<undefined, unknown>;

function never(): Promise<never> {
  return new Promise(() => {});
}

function open() {
  const circuit = breaker({ breakTime: "1m" });
  circuit.isolate();
  return circuit;
}

const turningAway = defineWrapper("away", z.undefined(), undefined, (_, { refuse }) => ({
  bracket: { before: () => refuse(new HoldfastError("not on Sundays")) },
}));

/** What a `when` is not asked about, each as what stands inside it. */
const untold: ReadonlyArray<[what: string, inner: () => Inner, error: unknown, tierIsAsked: boolean]> = [
  ["the caller's abort", () => never, "stop", false],
  [
    "an abort of a call made inside, by the operation's own signal",
    () => (_, context) => protect("inner", never)(undefined, { ...context, signal: AbortSignal.abort() }),
    expect.any(DOMException),
    false,
  ],
  ["the call's deadline", () => named(never), expect.any(DeadlineExceededError), false],
  ["a deadline that stands inside", () => pipe(never, deadline("1s")), expect.any(DeadlineExceededError), false],
  [
    "a deadline of a call made inside",
    () => inside(protect("inner", never, { deadline: "1s" })),
    expect.any(DeadlineExceededError),
    false,
  ],
  [
    "an input that was refused",
    () => pipe(async (_: string) => 1, guard(z.string())) as unknown as Inner,
    expect.any(InputRejectedError),
    false,
  ],
  [
    "an input that a call made inside refused",
    () => inside(protect("inner", async () => 1, { input: z.string() }) as unknown as Inner),
    expect.any(InputRejectedError),
    false,
  ],
  ["an open breaker", () => pipe(async () => 1, open()), expect.any(BreakerOpenError), true],
  ["a refusal of a wrapper of one's own", () => pipe(async () => 1, turningAway), expect.any(HoldfastError), true],
  [
    "a refusal that a call made inside met",
    () => inside(protect("inner", async () => 1, { breaker: open() })),
    expect.any(BreakerOpenError),
    true,
  ],
];

function inside(call: Inner | ((input: undefined, context: CallContext) => Promise<unknown>)): Inner {
  return (input, context) => call(input, context);
}

/** Its deadline is said by the caller. */
function named(operation: Inner): Inner {
  return Object.assign((input: undefined, context: CallContext) => operation(input, context), { deadline: "1s" });
}

async function end(call: Protected<undefined, unknown>, inner: Inner, what: string) {
  const { clock, caller } = setup();
  const controller = caller();
  const deadline = "deadline" in inner ? ("1s" as const) : undefined;
  const ended = settled(call)(undefined, { signal: controller.signal, deadline });
  if (what === "the caller's abort") controller.abort("stop");
  await clock.advance("2s");
  return ended;
}

describe.each(untold)("about %s", (what, make, error, tierIsAsked) => {
  it("`when` of a retry is never asked", async () => {
    const inner = make();
    const { asked, when } = spy(true);
    expect(await end(pipe(inner, retry({ when })), inner, what)).toMatchObject({ ok: false, error });
    expect(asked).toEqual([]);
  });

  it(`\`when\` of a tier is never asked: the verdict decides, and the tier is ${tierIsAsked ? "" : "not "}asked`, async () => {
    const inner = make();
    const asked: unknown[] = [];
    const when = (...seen: unknown[]) => {
      asked.push(seen);
      return !tierIsAsked;
    };
    const call = pipe(inner, fallback<undefined, unknown>([{ name: "t", operation: async () => 2, when }]));
    expect(await end(call, inner, what)).toMatchObject(tierIsAsked ? { ok: true, value: 2 } : { ok: false, error });
    expect(asked).toEqual([]);
  });

  it("`when` of a breaker is never asked, and nothing is counted", async () => {
    const inner = make();
    const { asked, when } = spy(true);
    const circuit = breaker({ when, consecutiveFailures: 1 });
    expect(await end(pipe(inner, circuit), inner, what)).toMatchObject({ ok: false });
    expect(asked).toEqual([]);
  });
});

describe("about an attempt that a time-out round the retry ended", () => {
  it.each([0, 700])("`when` of a breaker is never asked, begun %i ms into it", async (after) => {
    const { clock } = setup();
    const { asked, when } = spy(true);
    const operation = after === 0 ? script<number>("never") : script<number>({ error: broken, after }, "never");
    const call = pipe(operation, breaker({ when }), retry({ base: 1 }), timeout("1s"));
    const ended = settled(call)(undefined);
    await clock.advance("2s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
    expect(asked.map(([outcome]) => outcome)).toEqual(after === 0 ? [] : [{ ok: false, error: broken }]);
  });
});

describe("a refusal of our own", () => {
  it("is waited for up to `patience`, though `when` says no to everything", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: 500 });
    const operation = script({ error: broken }, { value: 1 });
    const call = protect("user", operation, { breaker: circuit, retry: { when: () => false, patience: "1s" } });
    await settled(call)(undefined);
    const second = call(undefined);
    await clock.advance("1s");
    expect(await second).toBe(1);
  });

  it("is not waited for beyond `patience`, though `when` says yes to everything", async () => {
    const { clock } = setup();
    const operation = script({ value: 1 });
    const call = protect("user", operation, { breaker: open(), retry: { when: () => true, patience: "1s" } });
    const ended = settled(call)(undefined);
    await clock.advance(0);
    expect(await ended).toMatchObject({
      ok: false,
      error: expect.any(BreakerOpenError),
      story: { state: "notAdmitted" },
    });
  });
});
