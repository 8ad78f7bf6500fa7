// Errors by what they are: cancellations, programming mistakes, holdfast's own, and those that hold several.
import vm from "node:vm";
import { AbortError as PRetryAbort } from "p-retry";
import { describe, expect, it } from "vitest";
import { classifyError } from "../../src/core/classify.ts";
import {
  BreakerOpenError,
  DeadlineExceededError,
  type ErrorCode,
  FallbackExhaustedError,
  HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  OutputRejectedError,
  ReviewPendingError,
  TimeoutError,
} from "../../src/core/errors.ts";
import { BulkheadFullError } from "../../src/core/fullError.ts";
import type { FailureKind } from "../../src/core/verdict.ts";
import { failure } from "./failure.ts";

const withStatus = (status: unknown) => Object.assign(new Error("no"), { status });
const withCode = (code: unknown, more: object = {}) => Object.assign(new Error("no"), { code, ...more });
const ofAnotherRealm = (source: string): unknown => vm.runInNewContext(source);

describe("what is cancelled", () => {
  it.each([
    ["an AbortError", new DOMException("gone", "AbortError")],
    ["Node's own", Object.assign(new Error("aborted"), { name: "AbortError", code: "ABORT_ERR" })],
    ["axios's (1.x)", Object.assign(new Error("canceled"), { name: "CanceledError", code: "ERR_CANCELED" })],
  ])("is %s", (_, error) => {
    expect(classifyError(error).kind).toBe("cancelled");
  });

  it("stays so whatever its cause: a caller's abort is never retried or counted", () => {
    const error = new DOMException("gone", "AbortError");
    Object.defineProperty(error, "cause", { value: withCode("ECONNRESET") });
    expect(classifyError(error)).toEqual({ kind: "cancelled", retry: false, counts: false, fallBack: false });
  });

  it("is not an AbortSignal.timeout inside the operation: that is a timeout", () => {
    expect(classifyError(new DOMException("late", "TimeoutError")).kind).toBe("timeout");
  });

  it("is not p-retry's AbortError: that says this failure is not to be tried again", () => {
    const aborted = new PRetryAbort(withStatus(503) as Error);
    expect(classifyError(aborted)).toMatchObject({ kind: "overloaded", retry: false, counts: true, fallBack: true });
  });
});

describe("a programming mistake", () => {
  it.each([
    ["TypeError", new TypeError("x is not a function")],
    ["ReferenceError", new ReferenceError("x is not defined")],
    ["RangeError", new RangeError("Invalid array length")],
    ["a TypeError of another realm", ofAnotherRealm("new TypeError('x')")],
    ["a subclass with a name of its own", Object.assign(new (class Odd extends TypeError {})("x"), { name: "Odd" })],
    ["one inside another error", new Error("failed", { cause: new TypeError("x") })],
  ])("is a bug: %s", (_, error) => {
    expect(classifyError(error).kind).toBe("bug");
  });

  it.each([
    "Failed to fetch",
    "Failed to fetch (api.example.com)",
    "NetworkError when attempting to fetch resource.",
    "Load failed",
  ])("is not what a browser's fetch throws: %s", (message) => {
    expect(classifyError(new TypeError(message)).kind).toBe("network");
  });

  it("stays one whatever its message speaks of", () => {
    const message = 'The "overloaded" argument must be of type string';
    expect(classifyError(Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" })).kind).toBe("bug");
  });

  it("is not a certificate that fetch refuses", () => {
    const error = new TypeError("fetch failed", { cause: withCode("CERT_HAS_EXPIRED") });
    expect(classifyError(error).kind).toBe("unknown");
  });
});

describe("an error of holdfast's own", () => {
  const own: ReadonlyArray<[ErrorCode, HoldfastError, FailureKind, string]> = [
    ["TIMEOUT", new TimeoutError("draft", 20), "timeout", "yes yes yes"],
    ["DEADLINE_EXCEEDED", new DeadlineExceededError("draft", 1), "timeout", "no no no"],
    ["OUTPUT_REJECTED", new OutputRejectedError("draft", [], ""), "quality", "yes no yes"],
    ["REVIEW_PENDING", new ReviewPendingError("draft", "r1"), "quality", "no no no"],
    ["INPUT_REJECTED", new InputRejectedError("draft", []), "invalid", "no no no"],
    ["OPTIONS_INVALID", new OptionsInvalidError("draft", []), "bug", "no yes yes"],
    ["BREAKER_OPEN", new BreakerOpenError("draft", "draft", "it failed", undefined), "notAdmitted", "no no yes"],
    ["BULKHEAD_FULL", new BulkheadFullError("draft", 1, 0), "notAdmitted", "no no yes"],
    ["RATE_LIMITED", new HoldfastError("no", { code: "RATE_LIMITED", retryable: true }), "notAdmitted", "no no yes"],
    ["LOAD_SHED", new HoldfastError("no", { code: "LOAD_SHED", retryable: true }), "notAdmitted", "no no yes"],
    ["SHUTTING_DOWN", new HoldfastError("no", { code: "SHUTTING_DOWN" }), "notAdmitted", "no no yes"],
    ["REFUSED", new HoldfastError("no"), "notAdmitted", "no no yes"],
  ];
  it.each(own)("%s", (_code, error, kind, answered) => {
    const { retry, counts, fallBack, ...rest } = classifyError(error);
    const said = [retry, counts, fallBack].map((yes) => (yes ? "yes" : "no")).join(" ");
    expect({ ...rest, said }).toEqual({ kind, said: answered });
  });

  it("brings its wait", () => {
    expect(classifyError(new BreakerOpenError("a", "a", "it failed", 29_400)).retryAfterMs).toBe(29_400);
  });

  it("without one has the verdict that costs nothing, and its own wherever it has one", () => {
    const full = classifyError(new BulkheadFullError("draft", 1, 0));
    expect(classifyError(new BreakerOpenError("a", "a", "it failed", undefined))).toBe(full);
    const told = (code: ErrorCode) => classifyError(new HoldfastError("no", { code, retryAfterMs: 50 }));
    for (const code of ["BULKHEAD_FULL", "LOAD_SHED", "BREAKER_OPEN"] as const)
      expect(told(code)).toEqual({ ...full, retryAfterMs: 50 });
    expect(told("TIMEOUT").kind).toBe("timeout");
  });

  it.each<[what: string, cause: unknown, kind: FailureKind]>([
    ["was not called", new BreakerOpenError("judge", "judge", "it failed", 5), "unknown"],
    ["was cancelled", new DOMException("gone", "AbortError"), "unknown"],
    ["failed", withStatus(503), "overloaded"],
    ["told nothing", undefined, "unknown"],
  ])(
    "of an output whose judge %s is the judge's failure: not tried again, counted nor asked elsewhere",
    (_, cause, kind) => {
      const error = new OutputRejectedError("draft", [], "", "unjudged", cause);
      expect(classifyError(error)).toEqual({ kind, retry: false, counts: false, fallBack: false });
    },
  );

  it("is known when another copy of the package made it", () => {
    const foreign = Object.assign(new Error("full"), { [Symbol.for("holdfast/1")]: true, code: "BULKHEAD_FULL" });
    expect(classifyError(foreign).kind).toBe("notAdmitted");
  });

  it("that says a chain is used up has its cause's verdict, and is final", () => {
    const error = new FallbackExhaustedError("draft", [failure(withStatus(503))]);
    expect(classifyError(error)).toEqual({ kind: "overloaded", retry: false, counts: true, fallBack: true });
  });

  it("with `retryable: false` stops every outer layer, whatever its kind", () => {
    class Given extends TimeoutError {
      override readonly retryable = false;
    }
    expect(classifyError(new Given("draft", 5))).toMatchObject({ kind: "timeout", retry: false, counts: true });
    expect(classifyError(new Error("outer", { cause: new Given("draft", 5) })).retry).toBe(false);
    expect(classifyError(new HoldfastError("undone", { code: "SAGA_FAILED" })).retry).toBe(false);
  });
});

describe("errors that hold several", () => {
  it("several addresses tried at once are judged by their own errors", () => {
    const inner = ["127.0.0.1", "::1"].map((address) => withCode("ECONNREFUSED", { address, syscall: "connect" }));
    expect(classifyError(new AggregateError(inner)).kind).toBe("network");
  });

  it("AWS: throttling has status 400 and is a rate limit", () => {
    const facts = { name: "ThrottlingException", $fault: "client", $metadata: { httpStatusCode: 400, attempts: 1 } };
    expect(classifyError(Object.assign(new Error("Rate exceeded"), facts)).kind).toBe("rateLimited");
    const modeled = { name: "OddException", $retryable: { throttling: true }, $metadata: { httpStatusCode: 400 } };
    expect(classifyError(Object.assign(new Error("no"), modeled)).kind).toBe("rateLimited");
  });

  it.each([
    [{ name: "ServiceQuotaExceededException", $metadata: { httpStatusCode: 400 } }, "exhausted"],
    [{ name: "ExpiredTokenException", $metadata: { httpStatusCode: 400 } }, "unauthorized"],
    [{ name: "ValidationException", $metadata: { httpStatusCode: 400 } }, "invalid"],
    [{ name: "InternalFailure", $fault: "server" }, "transient"],
    [{ name: "OddException", $fault: "client" }, "invalid"],
    [{ name: "OddException", $fault: "?" }, "unknown"],
  ] as const)("AWS: %o is %s", (facts, kind) => {
    expect(classifyError(Object.assign(new Error("no"), facts)).kind).toBe(kind);
  });

  it("axios: its own timeout is one, under two codes", () => {
    const aborted = Object.assign(new Error("timeout of 50ms exceeded"), { name: "AxiosError", code: "ECONNABORTED" });
    expect(classifyError(aborted).kind).toBe("timeout");
    expect(classifyError(Object.assign(new Error("no"), { name: "AxiosError", code: "ETIMEDOUT" })).kind).toBe(
      "timeout",
    );
  });
});

describe("what only its message tells", () => {
  const quota = "You exceeded your current quota";
  it.each<[message: string, kind: FailureKind]>([
    ["Connection error.", "network"],
    ["stream has been aborted", "network"],
    ["Request timed out.", "timeout"],
    [quota, "exhausted"],
    [`${quota}. Please retry in 5s.`, "unknown"],
    ["Connection error", "unknown"],
    ["the stream has been aborted", "unknown"],
    ["Request timed out", "unknown"],
  ])("%s", (message, kind) => {
    expect(classifyError(new Error(message)).kind).toBe(kind);
  });

  it("is judged after what is inside it", () => {
    const error = new Error("Connection error.", { cause: withStatus(404) });
    expect(classifyError(error).kind).toBe(classifyError(withStatus(404)).kind);
  });

  it("a client's class says as much where its message does not", () => {
    class APIConnectionError extends Error {}
    expect(classifyError(new APIConnectionError("no")).kind).toBe("network");
  });
});
