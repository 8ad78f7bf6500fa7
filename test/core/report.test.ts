import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  BreakerOpenError,
  eventBus,
  fallback,
  HoldfastError,
  named,
  OptionsInvalidError,
  pipe,
  protect,
  ReviewPendingError,
  report,
  settled,
} from "../../src/index.ts";
import { script, testClock } from "../../src/testing/index.ts";

/** A call on a clock of its own, driven to its end: what `report` says of what it rejected with. */
function setup() {
  const clock = testClock(Date.UTC(2026, 10, 24, 3));
  const seams = { clock, random: () => 0.5, events: eventBus() };
  return {
    clock,
    seams,
    async reported(call: (input: never, options?: object) => Promise<unknown>, options?: object) {
      const failing = call(1 as never, options).then(
        () => expect.unreachable("it is to fail"),
        (error: unknown) => report(error),
      );
      await clock.advance("1h");
      return (await failing).replaceAll(/call [\w-]+/g, "call ID").split("\n");
    },
  };
}

const unreachable = () =>
  new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9"), { code: "ECONNREFUSED" }),
  });

describe("the story of a failed call as text", () => {
  it("says first what failed, which call, in which state, and how long it took", async () => {
    const { reported, seams } = setup();
    const call = protect.with("writer", {})("draft", script({ error: new Error("no"), after: "2s" }), { seams });
    expect((await reported(call, { labels: { tenant: "a", request: "r1" } }))[0]).toBe(
      '"draft" ended as failed after 1 attempt in 2 000 ms (call ID, component "writer", tenant=a, request=r1, started 2026-11-24T03:00:00.000Z)',
    );
  });

  it("does not say the component of a call that is its own", async () => {
    const { reported, seams } = setup();
    expect((await reported(protect("draft", script({ error: new Error("no") }), { seams })))[0]).toBe(
      '"draft" ended as failed after 1 attempt in 0 ms (call ID, started 2026-11-24T03:00:00.000Z)',
    );
  });

  it("then every attempt in order: its tier, number, kind, message, time and causes; then what the caller got", async () => {
    const { reported, seams } = setup();
    const busy = new Response("secret", { status: 503 });
    const call = protect("draft", script<unknown>({ error: unreachable(), after: "12ms" }, { value: busy }), {
      ...{ retry: { attempts: 2, base: "1s", jitter: "none" as const }, seams },
      fallback: [{ name: "copy", operation: script<unknown>("never"), timeout: "20s" }],
    });
    expect((await reported(call)).slice(1)).toEqual([
      '  1. tier 0 "draft", attempt 1, 12 ms: network: TypeError: fetch failed',
      "       caused by Error: connect ECONNREFUSED 127.0.0.1:9",
      '  2. tier 0 "draft", attempt 2, 0 ms: overloaded: HTTP 503',
      '  3. tier 1 "copy", attempt 1, 20 000 ms: timeout: TimeoutError: "draft" took longer than the 20 000 ms that one attempt may take.',
      expect.stringMatching(/^The caller got FallbackExhaustedError: "draft" has no tier left: draft .*; copy .*\.$/),
    ]);
  });

  it("shows the calls inside it indented, and each error once", async () => {
    const { reported, seams } = setup();
    const inner = protect("search", script({ error: unreachable() }), { seams });
    const outer = protect("draft", async (n: number, context) => inner(n, context), { seams });
    expect(await reported(outer)).toEqual([
      expect.stringMatching(/^"draft" ended as failed/),
      '  1. tier 0 "draft", attempt 1, 0 ms: network: TypeError: fetch failed',
      "       caused by Error: connect ECONNREFUSED 127.0.0.1:9",
      expect.stringMatching(/^ {2}"search" ended as failed after 1 attempt in 0 ms/),
      '    1. tier 0 "search", attempt 1, 0 ms: network: the same error as above',
    ]);
  });

  it("says that the cache kept the error, how long ago and of which call: it is no attempt of this one", async () => {
    const { clock, reported, seams } = setup();
    const missing = Object.assign(new Error("no such user"), { status: 422 });
    const call = protect("user", script<unknown>({ error: missing, after: "8ms" }), {
      ...{ cache: { ttl: "1m" as const, negative: "4h" as const }, seams },
    });
    const first = settled(call)(1 as never);
    await clock.advance("8ms");
    const { story } = await first;
    const outer = protect("page", async (n: number, context) => call(n as never, context), { seams });
    const error: unknown = await outer(1).catch((error) => error);
    expect(
      report(error)
        .replaceAll(/call [\w-]+, started/g, "call ID, started")
        .split("\n"),
    ).toEqual([
      expect.stringMatching(/^"page" ended as failed after 1 attempt in 0 ms/),
      '  1. tier 0 "page", attempt 1, 0 ms: invalid: Error: no such user',
      expect.stringMatching(/^ {2}"user" ended as failed after 0 attempts in 0 ms/),
      `    1. tier 0 "user", not called, the cache keeps what call ${story.id} failed with 0 ms ago: invalid: the same error as above`,
    ]);
    await clock.advance("1h");
    expect(await settled(call)(1 as never)).toMatchObject({
      ok: false,
      story: { attempts: 0, failures: [{ kept: { call: story.id, ageMs: 3_600_000 } }] },
    });
    expect((await reported(call)).slice(1)).toEqual([
      '  1. tier 0 "user", not called, the cache keeps what call ID failed with 3 600 000 ms ago: invalid: Error: no such user',
    ]);
  });

  it("tells no attempt twice where a cache stands round a fallback", async () => {
    const { reported, seams } = setup();
    const call = protect("user", script<unknown>({ error: unreachable() }), {
      ...{ cache: { ttl: "1m" as const }, seams },
      fallback: [{ name: "copy", operation: script<unknown>({ error: new Error("gone") }) }],
    });
    expect((await reported(call)).slice(1)).toEqual([
      '  1. tier 0 "user", attempt 1, 0 ms: network: TypeError: fetch failed',
      "       caused by Error: connect ECONNREFUSED 127.0.0.1:9",
      '  2. tier 1 "copy", attempt 1, 0 ms: unknown: Error: gone',
      expect.stringMatching(/^The caller got FallbackExhaustedError: "user" has no tier left: /),
    ]);
  });

  it("says which function of the declaration threw, by its path and name", async () => {
    const { reported, seams } = setup();
    const fine = () => undefined;
    function isKnown(): never {
      throw new TypeError("x is not a function");
    }
    const later = async () => isKnown();
    const draft = async () => "text";
    const cases: [object, string][] = [
      [{ guard: { checks: [fine, isKnown] } }, "guard.checks.1 (isKnown)"],
      [{ guard: { checks: [fine, fine, later] } }, "guard.checks.2 (later)"],
      [{ gate: { checks: [isKnown] } }, "gate.checks.0 (isKnown)"],
      [{ gate: { checks: [fine, later] } }, "gate.checks.1 (later)"],
      [{ gate: { repair: [(raw: string) => raw, isKnown] } }, "gate.repair.1 (isKnown)"],
      [{ gate: { repair: [later] } }, "gate.repair.0 (later)"],
      [{ input: z.object({ n: z.string() }), guard: { correct: { n: isKnown } } }, "guard.correct.n (isKnown)"],
      [
        { input: z.object({ n: z.string() }), guard: { correct: { n: [(n: number) => n, () => isKnown()] } } },
        "guard.correct.n",
      ],
      [{ input: z.string(), guard: { correct: { "": () => isKnown() } } }, "guard.correct"],
    ];
    for (const [options, path] of cases) {
      const call = protect("draft", draft, { ...options, seams }) as (input: object) => Promise<string>;
      const lines = await reported(() => call({ n: 1 }));
      expect(lines.join("\n")).toContain(`TypeError: x is not a function (thrown by ${path})`);
    }
  });

  it("says so of what decides about a failure too: classify, and the conditions of retries and tiers", async () => {
    const { reported, seams } = setup();
    function decides(): never {
      throw new TypeError("x is not a function");
    }
    const fails = (): Promise<string> => Promise.reject(Object.assign(new Error("down"), { status: 503 }));
    const tier = { name: "copy", operation: async () => "copy" };
    const cases: [() => Promise<unknown>, string][] = [
      [protect("user", fails, { classify: decides, seams }), "classify (decides)"],
      [protect("user", async () => ({}), { classify: decides, seams }), "classify (decides)"],
      [protect("user", fails, { retry: { when: decides }, seams }), "retry.when (decides)"],
      [
        protect("user", fails, {
          fallback: [
            { ...tier, operation: fails },
            { ...tier, when: decides },
          ],
          seams,
        }),
        "fallback.1.when (decides)",
      ],
      [
        pipe(named("user", fails), fallback([fails], { otherwise: async () => decides() }, seams)),
        "fallback.otherwise (otherwise)",
      ],
    ];
    for (const [call, path] of cases)
      expect((await reported(call)).join("\n")).toContain(`TypeError: x is not a function (thrown by ${path})`);
  });

  it("says what it cost, and what was produced", async () => {
    const { reported, seams } = setup();
    const call = protect(
      "draft",
      async (_: number, { cost }) => {
        cost({ inputTokens: 120, outputTokens: 40, money: 0.02, model: "m-1", estimated: true });
        throw new Error("cut");
      },
      { seams },
    );
    expect(await reported(call)).toContain("It cost at least 120 input tokens, 40 output tokens, 0.02 in money (m-1).");
  });

  it("says when the breaker lets the next probe through", async () => {
    const { reported, seams } = setup();
    const call = protect("draft", script<unknown>({ error: new Error("no") }), {
      ...{ breaker: { consecutiveFailures: 1, breakTime: "2h" as const }, seams },
    });
    await reported(call);
    const lines = await reported(call);
    expect(lines[0]).toMatch(/^"draft" ended as notAdmitted after 0 attempts/);
    expect(lines.at(-1)).toBe("Now: the breaker lets a probe through in 3 600 000 ms.");
  });

  it("says when the other side may be asked again", async () => {
    const { reported, seams } = setup();
    const limited = Object.assign(new Error("slow down"), { status: 429, headers: { "retry-after": "90" } });
    expect((await reported(protect("draft", script({ error: limited }), { seams }))).at(-1)).toBe(
      "Now: it may be tried again in 90 000 ms.",
    );
  });

  it("of a cancelled call says by what", async () => {
    const { reported, seams } = setup();
    const call = protect("draft", script("never"), { seams });
    const lines = await reported(call, { signal: AbortSignal.abort(new Error("the client is gone")) });
    expect(lines[0]).toMatch(/^"draft" ended as cancelled after 0 attempts/);
    expect(lines.join("\n")).toContain("the client is gone");
  });

  it("keeps to a screen: of many attempts and calls it tells the first and last ten", async () => {
    const { reported, seams } = setup();
    const many = protect("many", script(...Array(50).fill({ error: new Error("no") })), {
      ...{ retry: { attempts: 50, base: "1s" as const }, seams },
    });
    const lines = await reported(many);
    expect(lines.filter((line) => /^ {2}\d+\. /.test(line))).toHaveLength(20);
    expect(lines[11]).toBe("  … and 30 more");
    const child = protect("child", async () => 1, { seams });
    const outer = protect(
      "outer",
      async (_: number, context) => {
        for (let i = 0; i < 100; i++) await child(undefined, context);
        throw new Error("after all");
      },
      { seams },
    );
    const told = await reported(outer);
    expect(told.filter((line) => line.startsWith('  "child"'))).toHaveLength(20);
    expect(told).toContain("  … and 80 more");
  });
});

describe("an error without a story as text", () => {
  it.each<[string, unknown, string[]]>([
    ["is what it says", new RangeError("too much"), ["RangeError: too much"]],
    ["is its name where it says nothing", new TypeError(), ["TypeError"]],
    ["has its code", Object.assign(new Error("closed"), { code: "ECONNRESET" }), ["Error: closed [ECONNRESET]"]],
    [
      "has no code twice",
      Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
      ["Error: read ECONNRESET"],
    ],
    [
      "has its chain of causes",
      unreachable(),
      ["TypeError: fetch failed", "  caused by Error: connect ECONNREFUSED 127.0.0.1:9"],
    ],
    ["may have a cause that is none", new Error("x", { cause: "words" }), ["Error: x", "  caused by words"]],
    [
      "has what it is made of",
      new AggregateError([new Error("a"), "b"], "all"),
      ["AggregateError: all", "  one of them: Error: a", "  one of them: b"],
    ],
    ["is a status where it is a response", new Response("secret", { status: 503 }), ["HTTP 503"]],
    ["is the words of a text", "went wrong", ["went wrong"]],
    ["is no more than it is", undefined, ["undefined"]],
    ["is one line a message", new Error("a\n  b\tc\u001b[31m"), ["Error: a b c [31m"]],
    ["is its data", { reason: "x" }, ['{"reason":"x"}']],
    ["is named by its class", new (class ApiError extends Error {})("x"), ["ApiError: x"]],
    [
      "says what to do about a breaker",
      new BreakerOpenError("draft", "draft", "it failed too often", 400),
      [
        'BreakerOpenError: "draft" is not being called: it failed too often. Next probe in 400 ms.',
        "Now: the breaker lets a probe through in 400 ms.",
      ],
    ],
    [
      "says that a breaker waits for a hand",
      new BreakerOpenError("draft", "draft", "it was isolated", undefined),
      [expect.any(String), "Now: the breaker stays open until it is closed by hand."],
    ],
    [
      "says who decides",
      new ReviewPendingError("draft", "r-1"),
      [expect.any(String), "Now: a person decides on review r-1."],
    ],
    [
      "says when to try again",
      new HoldfastError("shed", { code: "LOAD_SHED", retryAfterMs: 1_500 }),
      ["HoldfastError: shed", "Now: it may be tried again in 1 500 ms."],
    ],
    [
      "says what is wrong with options",
      new OptionsInvalidError("retry", [{ path: "attempts", got: 0, wanted: "at least 1" }]),
      ['OptionsInvalidError: The options of "retry" cannot be used. attempts: wanted at least 1, got 0'],
    ],
  ])("%s", (_, error, lines) => {
    expect(report(error).split("\n")).toEqual(lines);
  });

  it("of what was thrown and is no error says what it is", () => {
    expect(report(new Error("no", { cause: "down" })).split("\n")).toEqual(["Error: no", "  caused by down"]);
    expect(report(new Error("no", { cause: { code: "E1" } })).split("\n")).toEqual([
      "Error: no",
      '  caused by {"code":"E1"}',
    ]);
    expect(report(new Error("no", { cause: { message: "down" } })).split("\n")).toEqual([
      "Error: no",
      "  caused by down",
    ]);
  });

  it("tells an error once that is both the cause and one of several", () => {
    const one = new Error("a");
    expect(report(new AggregateError([one], "no", { cause: one })).split("\n")).toEqual([
      "AggregateError: no",
      "  one of them: Error: a",
    ]);
  });

  it("has no stack", () => {
    expect(report(new Error("x"))).not.toMatch(/\n +at /);
  });

  it("has an end: causes in a circle, long chains, long messages", () => {
    const circle = new Error("a");
    circle.cause = new Error("b", { cause: circle });
    expect(report(circle).split("\n")).toEqual(["Error: a", "  caused by Error: b"]);
    circle.cause = circle;
    expect(report(circle)).toBe("Error: a");
    const chain = Array.from({ length: 50 }).reduce<Error>((cause, _, i) => new Error(`n${i}`, { cause }), circle);
    expect(report(chain).split("\n")).toHaveLength(8);
    expect(report(new Error("x".repeat(9_000)))).toHaveLength(500);
  });

  it("never throws, whatever it is", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const thrower = new Proxy(new Error("x"), {
      get() {
        throw new Error("no");
      },
    });
    const odd = Object.assign(new Error("x"), { cause: proxy, errors: [proxy, thrower, null] });
    for (const error of [proxy, thrower, odd, Symbol("s"), 1n, null, () => {}, Object.create(null)])
      expect(report(error)).toMatch(/./);
  });

  it("never throws, also when it is part of a story", async () => {
    const { reported, seams } = setup();
    const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
    const call = protect("draft", script({ error: proxy }), { seams });
    revoke();
    expect(await reported(call)).toEqual([
      expect.stringMatching(/^"draft" ended as failed/),
      '  1. tier 0 "draft", attempt 1, 0 ms: unknown: [unreadable]',
    ]);
  });
});
