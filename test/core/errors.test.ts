import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { brief } from "../../src/core/brief.ts";
import {
  BreakerOpenError,
  DeadlineExceededError,
  FallbackExhaustedError,
  HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  OutputRejectedError,
  ReviewPendingError,
  stackless,
  TimeoutError,
} from "../../src/core/errors.ts";
import { BulkheadFullError } from "../../src/core/fullError.ts";
import { ShuttingDownError } from "../../src/core/loadErrors.ts";
import { ReviewConflictError } from "../../src/core/reviewErrors.ts";
import type { Failure } from "../../src/core/verdict.ts";

function failed(error: unknown, facts: Partial<Failure> = {}): Failure {
  return { error, kind: "network", attempt: 1, tier: 0, tierName: "claude", startedAt: 0, elapsedMs: 1, ...facts };
}

const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
const own = {
  input: new InputRejectedError("draft", [
    { path: "words", got: 12, wanted: "at most 9" },
    { path: "topic", wanted: "a text" },
  ]),
  output: new OutputRejectedError("draft", [{ wanted: "a title" }], { raw: "x" }),
  review: new ReviewPendingError("draft", "r-1"),
  exhausted: new FallbackExhaustedError("draft", [
    failed(refused),
    failed(new Response(null, { status: 503 }), { attempt: 2, kind: "overloaded" }),
    failed("no words", { tier: 1, tierName: "gpt", kind: "unknown" }),
  ]),
  timeout: new TimeoutError("draft", 20_000),
  deadline: new DeadlineExceededError("draft", 3),
  open: new BreakerOpenError("draft", "claude", "it failed too often", 29_400),
  isolated: new BreakerOpenError("draft", "draft", "it was isolated by hand", undefined),
  full: new BulkheadFullError("draft", 20, 5),
  noReview: new ReviewConflictError("draft", "r-1", "unknown"),
  decided: new ReviewConflictError("draft", "r-1", "decided"),
  undecided: new ReviewConflictError("draft", "r-1", "undecided"),
  claimed: new ReviewConflictError("draft", "r-1", "claimed", { by: "ada" }),
  unfit: new ReviewConflictError("draft", "r-1", "unfit", { findings: [{ path: "title", wanted: "a text" }] }),
  stopping: new ShuttingDownError("draft"),
  stopped: new ShuttingDownError("draft", "claude", true),
  options: new OptionsInvalidError("retry", [{ path: "attempts", got: 0, wanted: "at least 1" }]),
};

describe("a message says what, to which call, and what now", () => {
  it.each<[keyof typeof own, string]>([
    ["input", '"draft" was not called: its input was refused. words: wanted at most 9, got 12; topic: wanted a text'],
    ["output", '"draft" answered, but its output was refused. wanted a title'],
    ["review", '"draft" waits for a person\'s verdict: review r-1.'],
    ["exhausted", '"draft" has no tier left: claude (overloaded: HTTP 503); gpt (unknown: no words).'],
    ["timeout", '"draft" took longer than the 20 000 ms that one attempt may take.'],
    ["deadline", '"draft" did not finish before its deadline and was ended.'],
    ["open", '"draft" is not being called: it failed too often (breaker "claude"). Next probe in 29 400 ms.'],
    ["isolated", '"draft" is not being called: it was isolated by hand. It stays so until it is closed by hand.'],
    [
      "full",
      '"draft" was not called: its bulkhead is full (20 running, 20 allowed, 5 waiting). Send less at once, or raise its `concurrency` or `queue`.',
    ],
    ["noReview", "There is no review r-1 here: it was decided some time ago, or is kept elsewhere."],
    ["decided", 'Review r-1 of "draft" has its verdict already.'],
    ["undecided", 'Review r-1 of "draft" has no verdict yet.'],
    ["claimed", 'Review r-1 of "draft" is being looked at by ada.'],
    ["unfit", 'Review r-1 of "draft" stays pending: what was to be delivered does not fit. title: wanted a text'],
    ["stopping", '"draft" was not called: this process is shutting down and begins nothing new. Ask another instance.'],
    ["stopped", '"draft" was ended: "claude" is shutting down, and the time it had for that is over.'],
    ["options", 'The options of "retry" cannot be used. attempts: wanted at least 1, got 0'],
  ])("%s", (which, message) => {
    expect(own[which].message).toBe(message);
    expect(String(own[which])).toBe(`${own[which].name}: ${message}`);
  });
});

describe("an error of holdfast's own", () => {
  it.each<[keyof typeof own, string, string, boolean, number | undefined]>([
    ["input", "InputRejectedError", "INPUT_REJECTED", false, undefined],
    ["output", "OutputRejectedError", "OUTPUT_REJECTED", true, undefined],
    ["review", "ReviewPendingError", "REVIEW_PENDING", false, undefined],
    ["exhausted", "FallbackExhaustedError", "FALLBACK_EXHAUSTED", false, undefined],
    ["timeout", "TimeoutError", "TIMEOUT", true, undefined],
    ["deadline", "DeadlineExceededError", "DEADLINE_EXCEEDED", false, undefined],
    ["open", "BreakerOpenError", "BREAKER_OPEN", true, 29_400],
    ["full", "BulkheadFullError", "BULKHEAD_FULL", false, undefined],
    ["options", "OptionsInvalidError", "OPTIONS_INVALID", false, undefined],
  ])("%s has its class, code, call and whether to try again", (which, name, code, retryable, retryAfterMs) => {
    const error = own[which];
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code, operation: which === "options" ? "retry" : "draft", retryable });
    expect(error.retryAfterMs).toBe(retryAfterMs);
    expect("retryAfterMs" in error).toBe(retryAfterMs !== undefined);
  });

  it("of a primitive of one's own is a refusal, unless it says otherwise", () => {
    const error = new HoldfastError("no more today");
    expect(error).toMatchObject({ message: "no more today", code: "REFUSED", operation: "", retryable: false });
    expect("cause" in error).toBe(false);
    const cause = new Error("why");
    const told = new HoldfastError("shed", {
      code: "LOAD_SHED",
      operation: "o",
      retryable: true,
      retryAfterMs: 5,
      cause,
    });
    expect(told).toMatchObject({ code: "LOAD_SHED", operation: "o", retryable: true, retryAfterMs: 5 });
    expect(told.cause).toBe(cause);
  });

  it("has the first tier's error as its cause when no tier is left", () => {
    expect(own.exhausted.cause).toBe(refused);
  });

  it("is what a console shows: its name, its message, its facts; the refused output is not among them", () => {
    const shown = inspect(own.output);
    expect(shown).toContain('OutputRejectedError: "draft" answered, but its output was refused.');
    expect(shown).toContain("code: 'OUTPUT_REJECTED'");
    expect(shown).not.toContain("raw");
    expect(own.output.output).toEqual({ raw: "x" });
  });

  it("has a cause only where it is given one, and that is not listed among its facts", () => {
    expect("cause" in new HoldfastError("no")).toBe(false);
    const caused = new HoldfastError("no", { cause: refused });
    expect([caused.cause, Object.keys(caused).includes("cause")]).toEqual([refused, false]);
  });

  it("of a review has only the facts that there are", () => {
    for (const error of [own.decided, own.claimed])
      expect(["by" in error, "findings" in error]).toEqual([error === own.claimed, false]);
  });

  it("keeps a stack where it is made with one", () => {
    expect(own.options.stack).toMatch(/^OptionsInvalidError: The options of "retry".*\n +at /);
  });
});

describe("is", () => {
  it("knows all of holdfast's own, by code too, and nothing else", () => {
    expect(Object.values(own).every((error) => HoldfastError.is(error))).toBe(true);
    expect(HoldfastError.is(own.open, "BREAKER_OPEN")).toBe(true);
    expect(HoldfastError.is(own.open, "TIMEOUT")).toBe(false);
    const others = [new Error("x"), { code: "TIMEOUT" }, "TIMEOUT", null, undefined, () => {}, new Proxy({}, {})];
    expect(others.filter((other) => HoldfastError.is(other))).toEqual([]);
  });

  it("knows an error from a second copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../../src/core/errors.ts");
    const error = new copy.TimeoutError("draft", 5);
    expect(error).not.toBeInstanceOf(HoldfastError);
    expect(HoldfastError.is(error, "TIMEOUT")).toBe(true);
    expect(String(error)).toBe(String(new TimeoutError("draft", 5)));
    expect(copy.HoldfastError.is(own.open, "BREAKER_OPEN")).toBe(true);
  });

  it("says no to what cannot be looked at, and does not throw", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throwing = new Proxy(
      {},
      {
        get: () =>
          (() => {
            throw new Error("no");
          })(),
      },
    );
    expect([proxy, throwing].map((error) => HoldfastError.is(error))).toEqual([false, false]);
  });
});

describe("as JSON", () => {
  it("an error is its plain facts: no stack, no output, the cause in a word", () => {
    const cause = new TypeError("why");
    const error = new HoldfastError("shed", { code: "LOAD_SHED", operation: "o", retryAfterMs: 5, cause });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      ...{ name: "HoldfastError", message: "shed", code: "LOAD_SHED", operation: "o", retryable: false },
      ...{ retryAfterMs: 5, cause: "TypeError: why" },
    });
    expect(JSON.parse(JSON.stringify(own.output))).toEqual({
      ...{ name: "OutputRejectedError", message: own.output.message, code: "OUTPUT_REJECTED", operation: "draft" },
      ...{ retryable: true, findings: [{ wanted: "a title" }] },
    });
  });

  it("the failures of every tier are told in words", () => {
    const { failures } = JSON.parse(JSON.stringify(own.exhausted)) as { failures: readonly object[] };
    expect(failures).toMatchObject([
      { tierName: "claude", attempt: 1, kind: "network", error: "refused" },
      { tierName: "claude", attempt: 2, kind: "overloaded", error: "HTTP 503" },
      { tierName: "gpt", attempt: 1, kind: "unknown", error: "no words" },
    ]);
  });

  it("an error with a cause that cannot be written is written all the same", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const cause of [circle, 1n, Object.create(null)])
      expect(() => JSON.stringify(new HoldfastError("x", { cause }))).not.toThrow();
    const findings = [
      { path: "a", got: circle, wanted: "b" },
      { got: 1n, wanted: "c" },
    ];
    const { issues } = JSON.parse(JSON.stringify(new InputRejectedError("x", findings))) as { issues: object[] };
    expect(issues).toMatchObject([{ path: "a", wanted: "b" }, { wanted: "c" }]);
  });
});

describe("an error without a stack", () => {
  it("reads name and message there", () => {
    const error = stackless(() => new TimeoutError("draft", 5));
    expect(error.stack).toBe(`TimeoutError: ${error.message}`);
  });

  it("leaves the stacks of others alone, also when it could not be made", () => {
    const limit = Error.stackTraceLimit;
    stackless(() => new TimeoutError("draft", 5));
    expect(() =>
      stackless(() => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(Error.stackTraceLimit).toBe(limit);
    expect(new Error("x").stack).toMatch(/\n +at /);
  });
});

describe("in brief", () => {
  it.each<[string, unknown, string]>([
    ["an error is its message", new Error("why"), "why"],
    ["an error without one its name", new TypeError(), "TypeError"],
    ["an error of a class that calls itself otherwise too", new DOMException("gone", "AbortError"), "gone"],
    ["an error of another realm too", runInNewContext('new Error("far")'), "far"],
    ["a text itself", "text", "text"],
    ["a response its status", new Response("secret", { status: 503 }), "HTTP 503"],
    ["data its JSON", { a: [1] }, '{"a":[1]}'],
    ["nothing", undefined, "undefined"],
    ["a function no more than that", Math.max, "a function"],
    ["a wrapper its kind", Object.assign(() => {}, { kind: "breaker" }), "a breaker"],
    ["a symbol its text", Symbol("s"), "Symbol(s)"],
    ["a big number", 12n, "12"],
    ["what has no text its kind", Object.create(null, { toJSON: { value: () => 1n } }), "[object Object]"],
    ["an error whose message is none", Object.assign(new Error("x"), { message: 5 }), "5"],
  ])("%s", (_, seen, text) => {
    expect(brief(seen)).toBe(text);
  });

  it("is short, whatever it is of", () => {
    for (const seen of ["x".repeat(500), new Error("x".repeat(500)), { x: "x".repeat(500) }]) {
      expect(brief(seen)).toHaveLength(120);
      expect(brief(seen)).toMatch(/…$/);
    }
    expect(brief("x".repeat(120))).toBe("x".repeat(120));
  });

  it("never throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throwing = Object.defineProperty(new Error(), "message", {
      get() {
        throw new Error("no");
      },
    });
    for (const seen of [proxy, throwing]) expect(brief(seen)).toBe("[unreadable]");
  });
});
