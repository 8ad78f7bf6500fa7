// Design rule 7: what ends a child whose own retry or fallback gave up is final for every retry above it.
import { describe, expect, it } from "vitest";
import {
  type CallContext,
  fallback,
  named,
  type Protected,
  pipe,
  protect,
  type RetryOptions,
  retry,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const three: RetryOptions = { attempts: 3, base: 0 };
type Child = Protected<unknown, unknown>;

/** Counts how often it was called, and fails. */
function failing(...thrown: unknown[]) {
  const error = thrown.length === 0 ? down : thrown[0];
  const counted = { calls: 0, operation: async (_: unknown) => Promise.reject(error) as Promise<unknown> };
  const operation = counted.operation;
  counted.operation = async (input) => {
    counted.calls++;
    return operation(input);
  };
  return counted;
}

/** Calls it from within an operation of its own. */
const calling = (child: Child) => (input: unknown, context: CallContext) => child(input, context);

describe("what ends a child whose own retry gave up is final for every retry above it", () => {
  const ways: { way: string; above: (child: Child) => Child }[] = [
    { way: "a retry whose operation the child is", above: (child) => protect("outer", child, { retry: three }) },
    { way: "a retry by hand", above: (child) => pipe(child, retry(three)) },
    { way: "a retry whose operation calls it", above: (child) => protect("outer", calling(child), { retry: three }) },
    {
      way: "a retry whose operation calls it with a spread context",
      above: (child) =>
        protect("outer", (x: unknown, context) => child(x, { ...context, labels: { a: "b" } }), { retry: three }),
    },
    {
      way: "a retry whose operation wraps the error as a cause",
      above: (child) =>
        protect(
          "outer",
          (x: unknown, context) =>
            child(x, context).catch((cause: unknown) => Promise.reject(new Error("no draft", { cause }))),
          { retry: three },
        ),
    },
    {
      way: "a retry two calls further out",
      above: (child) => protect("outer", calling(protect("middle", calling(child))), { retry: three }),
    },
    {
      way: "a retry three calls further out, with limits in between",
      above: (child) =>
        pipe(
          calling(protect("middle", protect("inner", calling(child), { timeout: "1m" }), { deadline: "2m" })),
          retry(three),
        ),
    },
    {
      way: "each of several retries",
      above: (child) =>
        protect("outermost", calling(protect("middle", calling(child), { retry: three })), { retry: three }),
    },
    {
      way: "a retry with a promise-style layer in between",
      above: (child) =>
        pipe(
          calling(child),
          around((run) => (input, context) => run(input, context)),
          retry(three),
        ),
    },
    {
      way: "two retries of one call",
      above: (child) =>
        pipe(
          calling(child),
          retry(three),
          around((run) => run),
          retry(three),
        ),
    },
    {
      way: "a retry whose `when` says yes to everything",
      above: (child) => protect("outer", calling(child), { retry: { ...three, when: () => true } }),
    },
  ];

  it.each(ways)("$way", async ({ above }) => {
    setup();
    const counted = failing();
    const child = protect("child", counted.operation, { retry: three });
    const ended = await settled(above(child))("x");
    expect([ended.ok, counted.calls]).toEqual([false, 3]);
  });

  it.each(ways)("likewise for one whose own fallback gave up: $way", async ({ above }) => {
    setup();
    const [first, second] = [failing(), failing()];
    const child = protect("child", first.operation, { fallback: [second.operation] });
    const ended = await settled(above(child))("x");
    expect([ended.ok, first.calls, second.calls]).toEqual([false, 1, 1]);
  });

  it.each(ways)("likewise for a value that tells of a failure: $way", async ({ above }) => {
    setup();
    let calls = 0;
    const child = protect(
      "child",
      async (_: unknown): Promise<unknown> => {
        calls++;
        return new Response(null, { status: 503 });
      },
      { retry: three },
    );
    await settled(above(child))("x");
    expect(calls).toBe(3);
  });

  it.each([{ thrown: "down" }, { thrown: 42 }, { thrown: null }, { thrown: undefined }])(
    "likewise for what is no error: $thrown",
    async ({ thrown }) => {
      setup();
      const counted = failing(thrown);
      const child = protect("child", counted.operation, { retry: three });
      await settled(protect("outer", calling(child), { retry: three }))("x");
      expect(counted.calls).toBe(3);
    },
  );

  it("a first child's end is not that of the second, which may be asked again", async () => {
    setup();
    const [given, open] = [failing(), failing(Object.assign(new Error("other"), { status: 500 }))];
    const [hard, soft] = [protect("hard", given.operation, { retry: three }), protect("soft", open.operation)];
    const outer = protect(
      "outer",
      async (x: unknown, context) => {
        await hard(x, context).catch(() => {});
        return soft(x, context);
      },
      { retry: { attempts: 2, base: 0 } },
    );
    await settled(outer)("x");
    expect([given.calls, open.calls]).toEqual([6, 2]);
  });

  it("one that did not give up, but was refused a retry by the call, is not final", async () => {
    setup();
    const counted = failing();
    const child = protect("child", counted.operation, { retry: three });
    const outer = protect("outer", (x: unknown, context) => child(x, { ...context, retry: false }), { retry: three });
    await settled(outer)("x");
    expect(counted.calls).toBe(3);
  });

  it("one whose caller ended it in its back-off has not given up: its reason is judged like any error", async () => {
    const { caller } = setup();
    const counted = failing();
    const child = protect("child", counted.operation, { retry: { ...three, base: 60_000 } });
    let own: AbortController | undefined;
    const outer = protect(
      "outer",
      (x: unknown, context) => {
        own = caller();
        return child(x, { ...context, signal: own.signal });
      },
      { retry: { attempts: 2, base: 0 } },
    );
    const answered = watch(outer("x"));
    for (let i = 0; i < 2; i++) {
      await turn();
      own?.abort(down);
    }
    await turn();
    expect([answered.at, counted.calls]).toEqual([{ error: down }, 2]);
  });
});

describe("a child without them ends with an ordinary failure", () => {
  it.each([
    { child: "bare", options: {} },
    { child: "with a timeout and a deadline", options: { timeout: "1m", deadline: "2m" } as const },
    { child: "with its retry off", options: { retry: false } as const },
  ])("$child: a retry above tries it again", async ({ options }) => {
    setup();
    const counted = failing();
    const child = protect("child", counted.operation, options);
    await settled(protect("outer", calling(child), { retry: three }))("x");
    expect(counted.calls).toBe(3);
  });

  it("what merged by `pipe` is no child: its layers are the call's own", async () => {
    setup();
    const counted = failing();
    const { story } = await settled(
      protect("outer", pipe(named("inner", counted.operation), retry({ attempts: 1 })), { retry: three }),
    )("x");
    expect([counted.calls, story.children]).toEqual([3, []]);
  });
});

describe("tiers above are asked either way", () => {
  it.each([
    { child: "whose retry gave up", options: { retry: three }, calls: 3 },
    { child: "without one", options: {}, calls: 3 },
  ])("after a child $child", async ({ options, calls }) => {
    setup();
    const counted = failing();
    const child = protect("child", counted.operation, options);
    const tier = script<unknown>({ value: "second" });
    const ended = await settled(protect("outer", calling(child), { retry: three, fallback: [tier] }))("x");
    expect(ended).toMatchObject({ ok: true, value: "second", story: { state: "degraded" } });
    expect([counted.calls, tier.calls.length]).toEqual([calls, 1]);
  });

  it("after a child whose own tiers were exhausted", async () => {
    setup();
    const child = protect("child", failing().operation, { fallback: [failing().operation] });
    const tier = script<unknown>({ value: "third" });
    expect(await protect("outer", child, { retry: three, fallback: [tier] })("x")).toBe("third");
    expect(tier.calls[0]?.context.previous.map(({ error }) => (error as { code?: string }).code)).toEqual([
      "FALLBACK_EXHAUSTED",
    ]);
  });
});

describe("a retry inside a tier inside a fallback", () => {
  it("costs at most the declared attempts per tier, never their square", async () => {
    setup();
    const tiers = [failing(), failing(), failing()];
    const calls = tiers.map(({ operation }, i) => protect(`tier ${i}`, operation, { retry: three }));
    const [first, ...others] = calls as [Child, ...Child[]];
    const ended = await settled(protect("outer", first, { retry: three, fallback: others }))("x");
    expect(ended.ok).toBe(false);
    expect(tiers.map((tier) => tier.calls)).toEqual([3, 3, 3]);
  });

  it("and calls in calls, five deep with a retry each, cost what one costs", async () => {
    setup();
    const counted = failing();
    const innermost: Child = protect("0", counted.operation, { retry: three });
    const deep = [1, 2, 3, 4].reduce<Child>(
      (inner, level) => protect(`${level}`, level % 2 ? calling(inner) : inner, { retry: three }),
      innermost,
    );
    await settled(deep)("x");
    expect(counted.calls).toBe(3);
  });

  it("and so do attempts and tiers by hand, in any mixture", async () => {
    setup();
    const counted = failing();
    const inner = pipe(named("inner", counted.operation), retry(three));
    const tier = failing();
    const outer = pipe(calling(protect("child", inner, {})), fallback([tier.operation]), retry(three));
    await settled(outer)("x");
    // what merges into `child` by pipe is its own retry
    expect([counted.calls, tier.calls]).toEqual([3, 1]);
  });
});

describe("`retryable: false` on an error", () => {
  it("from an inner layer stops every outer retry", async () => {
    setup();
    const counted = failing(Object.assign(new Error("no use"), { status: 500, retryable: false }));
    await settled(pipe(counted.operation, retry(three), retry(three)))("x");
    expect(counted.calls).toBe(1);
  });
});

describe("an error that is looked through for what ended a child", () => {
  const child = () => protect("child", failing().operation, { retry: { attempts: 1 } });
  const outer = (wrap: (cause: unknown) => unknown) => {
    const counted = { calls: 0 };
    const call = protect(
      "outer",
      (x: unknown, context) => {
        counted.calls++;
        return child()(x, context).catch((cause: unknown) => Promise.reject(wrap(cause)));
      },
      { retry: three },
    );
    return { counted, call };
  };

  it("may have causes that go in a circle", async () => {
    setup();
    const round: Error & { cause?: unknown } = new Error("round");
    round.cause = round;
    const { counted, call } = outer(() => round);
    expect((await settled(call)("x")).ok).toBe(false);
    expect(counted.calls).toBe(3);
  });

  it.each([
    [7, 1],
    [8, 3],
  ])("is so down to a depth: %i causes deep it is asked %i times", async (depth, calls) => {
    setup();
    const { counted, call } = outer((cause) => {
      for (let i = 0; i < depth; i++) cause = new Error("no draft", { cause });
      return cause;
    });
    await settled(call)("x");
    expect(counted.calls).toBe(calls);
  });

  it("is nothing where it is no object", async () => {
    setup();
    const { counted, call } = outer(() => "no draft");
    await settled(call)("x");
    expect(counted.calls).toBe(3);
  });
});
