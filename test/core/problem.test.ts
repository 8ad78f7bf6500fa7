import { describe, expect, it } from "vitest";
import {
  BreakerOpenError,
  BulkheadFullError,
  DeadlineExceededError,
  type ErrorCode,
  FallbackExhaustedError,
  type Finding,
  HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  OutputRejectedError,
  problem,
  protect,
  ReviewPendingError,
  TimeoutError,
} from "../../src/index.ts";

const json = { "content-type": "application/problem+json" };
const secret = "p-4711";
const refused = (code: ErrorCode, retryAfterMs?: number) =>
  new HoldfastError(secret, { code, operation: secret, retryAfterMs });

describe("a problem for the edge of a service", () => {
  it.each<[string, unknown, number, string, string?]>([
    ["refused input", new InputRejectedError(secret, []), 422, "Unprocessable Content"],
    ["an attempt that took too long", new TimeoutError(secret, 5), 504, "Gateway Timeout"],
    ["a deadline that has passed", new DeadlineExceededError(secret, 5), 504, "Gateway Timeout"],
    ["an open breaker", new BreakerOpenError(secret, secret, secret, 29_400), 503, "Service Unavailable", "30"],
    ["an isolated breaker", new BreakerOpenError(secret, secret, secret, undefined), 503, "Service Unavailable"],
    ["a full bulkhead", new BulkheadFullError(secret, 20, 5), 503, "Service Unavailable"],
    ["a limit of our own", refused("RATE_LIMITED", 1_001), 429, "Too Many Requests", "2"],
    ["shed load", refused("LOAD_SHED", 0), 503, "Service Unavailable", "0"],
    ["shutting down", refused("SHUTTING_DOWN"), 503, "Service Unavailable"],
    ["a refusal of one's own wrapper", refused("REFUSED", 1), 503, "Service Unavailable", "1"],
    ["refused output", new OutputRejectedError(secret, [{ wanted: secret }], secret), 502, "Bad Gateway"],
    ["no tier left", new FallbackExhaustedError(secret, []), 502, "Bad Gateway"],
    ["what waits for a person", new ReviewPendingError(secret, "r-1"), 202, "Accepted"],
    ["options that cannot be used", new OptionsInvalidError(secret, []), 500, "Internal Server Error"],
    ["a store", refused("STORE_CORRUPT", 5_000), 500, "Internal Server Error"],
    ["another's 429", { status: 429, message: secret }, 429, "Too Many Requests"],
    ["another's 429 with a hint", limited({ "retry-after": "7" }), 429, "Too Many Requests", "7"],
    [
      "a response of 429",
      new Response(null, { status: 429, headers: { "retry-after": "0.2" } }),
      429,
      "Too Many Requests",
      "1",
    ],
    ["an error", new Error(secret), 500, "Internal Server Error"],
    ["another's 503", Object.assign(new Error(secret), { status: 503 }), 503, "Service Unavailable"],
    [
      "another's refused connection",
      Object.assign(new Error(secret), { code: "ECONNREFUSED" }),
      503,
      "Service Unavailable",
    ],
    ["another's 504", Object.assign(new Error(secret), { status: 504 }), 504, "Gateway Timeout"],
    ["a text", secret, 500, "Internal Server Error"],
    ["nothing", undefined, 500, "Internal Server Error"],
    ["a cancellation", new DOMException(secret, "AbortError"), 503, "Service Unavailable"],
  ])("of %s", (_, error, status, title, retryAfter) => {
    const told = problem(error);
    expect(told).toMatchObject({ status, title });
    expect(told.headers).toEqual(retryAfter === undefined ? json : { ...json, "retry-after": retryAfter });
    expect(told.detail).toMatch(/^[A-Z].*\.$/);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  it("says when to try again", () => {
    expect(problem(refused("RATE_LIMITED", 90_000)).detail).toBe("There were too many requests. Try again in 90 s.");
  });

  it("tells of refused input what is wanted where, and never what was given", () => {
    const issues: Finding[] = [
      { path: "card.pin", got: secret, wanted: "six digits", fix: secret },
      { path: "", got: secret, wanted: "an object" },
    ];
    const { detail } = problem(new InputRejectedError(secret, issues));
    expect(detail).toBe("The input was not accepted. card.pin: wanted six digits; (the whole): wanted an object.");
  });

  it("lists twenty findings and counts the rest", () => {
    const issues = Array.from({ length: 25 }, (_, i) => ({ path: `p${i}`, wanted: "w" }));
    const { detail } = problem(new InputRejectedError("x", issues));
    expect(detail).toMatch(/p19: wanted w; and 5 more\.$/);
  });

  it("tells of which review it waits for", () => {
    expect(problem(new ReviewPendingError("x", "r-1")).detail).toBe(
      "There is an answer, and it waits for a person's verdict. Review: r-1.",
    );
  });

  it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])("has no Retry-After of %s ms", (ms) => {
    expect(problem(refused("LOAD_SHED", ms)).headers).toEqual(json);
  });

  it("of a caller's own abort is a 503, whatever the reason; a 504 where the signal was a time limit", async () => {
    const abortedBy = (reason: unknown) =>
      protect("draft", () => new Promise<never>(() => {}))(undefined, { signal: AbortSignal.abort(reason) }).catch(
        problem,
      );
    expect(await abortedBy(new Error(secret))).toMatchObject({ status: 503, headers: json });
    expect(await abortedBy(undefined)).toMatchObject({ status: 503, headers: json });
    expect(await abortedBy(new DOMException(secret, "TimeoutError"))).toMatchObject({ status: 504, headers: json });
  });

  it("knows the errors of a second copy of the package", () => {
    const brand = Symbol.for("holdfast/1");
    expect(problem({ [brand]: true, code: "LOAD_SHED", retryAfterMs: 10 })).toMatchObject({ status: 503 });
    expect(problem({ [brand]: true, code: "INPUT_REJECTED" })).toMatchObject({ status: 422 });
  });

  it("never throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const branded = new Proxy(
      { [Symbol.for("holdfast/1")]: true, code: "REFUSED" },
      {
        get(of, key) {
          if (key === "retryAfterMs") throw new Error("no");
          return Reflect.get(of, key);
        },
      },
    );
    for (const error of [proxy, branded, null, Symbol("s"), Object.create(null)])
      expect(problem(error)).toMatchObject({ status: 500, headers: json });
  });
});

function limited(headers: Record<string, string>): Error {
  return Object.assign(new Error(secret), { status: 429, headers });
}
