import { describe, expect, it } from "vitest";
import { classify, classifyError } from "../../src/core/classify.ts";
import {
  BreakerOpenError,
  DeadlineExceededError,
  FallbackExhaustedError,
  HoldfastError,
  InputRejectedError,
  OutputRejectedError,
  TimeoutError,
} from "../../src/core/errors.ts";
import { mayHaveArrived, mayHaveBeenReceived } from "../../src/core/received.ts";
import { failure } from "./failure.ts";

const may = (seen: unknown) => mayHaveBeenReceived(seen, classify(seen) ?? classifyError(seen));
const error = (facts: object) => Object.assign(new Error("no"), facts);
const refused = error({ code: "ECONNREFUSED", syscall: "connect" });
const reset = error({ code: "ECONNRESET", syscall: "read" });

describe("surely not received", () => {
  it.each([
    ["refused", refused],
    ["refused, by its code alone", error({ code: "ECONNREFUSED" })],
    ["refused, as fetch tells it", new TypeError("fetch failed", { cause: refused })],
    ["unreachable while connecting", error({ code: "EHOSTUNREACH", syscall: "connect" })],
    ["a name that is not found", error({ code: "ENOTFOUND", syscall: "getaddrinfo" })],
    ["DNS that does not answer", error({ code: "EAI_AGAIN" })],
    ["node:dns", error({ code: "ESERVFAIL", syscall: "queryA" })],
    ["undici's connect timeout", error({ code: "UND_ERR_CONNECT_TIMEOUT" })],
    ["Node's connect timeout", error({ code: "ETIMEDOUT", syscall: "connect" })],
    ["several addresses, all refused", new AggregateError([refused, error({ code: "ETIMEDOUT", syscall: "connect" })])],
    ["425", error({ status: 425 })],
    ["429", error({ status: 429 })],
    ["429 that says the quota is spent", error({ status: 429, code: "insufficient_quota" })],
    ["429 on a Response", new Response(null, { status: 429 })],
    ["429 in a body", { error: { code: 429, message: "slow" } }],
    ["503 with a hint", error({ status: 503, headers: { "retry-after": "1" } })],
    ["503 with a hint on a Response", new Response(null, { status: 503, headers: { "retry-after": "1" } })],
    ["an open breaker", new BreakerOpenError("a", "a", "it failed", 5)],
    ["a limit of our own", new HoldfastError("no", { code: "RATE_LIMITED" })],
    ["a refusal of a wrapper of your own", new HoldfastError("no")],
    ["refused input", new InputRejectedError("a", [])],
    [
      "a chain of which no tier was reached",
      new FallbackExhaustedError("a", [failure(refused), failure(new HoldfastError("no"))]),
    ],
    ["a client's only try, refused", error({ code: "ECONNREFUSED", $metadata: { attempts: 1 } })],
    ["a client's retries, all refused", error({ errors: [refused, refused], lastError: refused })],
  ])("%s", (_, seen) => {
    expect(may(seen)).toBe(false);
  });

  it("what a verdict of your own calls not admitted", () => {
    const verdict = { kind: "notAdmitted", retry: false, counts: false, fallBack: true } as const;
    expect(mayHaveBeenReceived(new Error("queue is full"), verdict)).toBe(false);
  });
});

describe("what was answered has arrived, though nothing was done of it", () => {
  const arrived = (seen: unknown) => mayHaveArrived(seen, classify(seen) ?? classifyError(seen));
  const [early, slow] = [error({ status: 425 }), error({ status: 429 })];
  const busy = error({ status: 503, headers: { "retry-after": "1" } });

  it.each([
    ["425", early],
    ["429", slow],
    ["429 on a Response", new Response(null, { status: 429 })],
    ["503 with a hint", busy],
    ["as the cause of another", error({ cause: slow })],
    ["by one of several addresses", new AggregateError([refused, busy])],
    ["by one of a chain", new FallbackExhaustedError("a", [failure(refused), failure(early)])],
    ["by a connection that was cut", reset],
  ])("%s", (_, seen) => {
    expect(arrived(seen)).toBe(true);
  });

  it.each([
    ["refused", refused],
    ["a limit of our own", new HoldfastError("no", { code: "RATE_LIMITED" })],
    ["a chain of which no tier was reached", new FallbackExhaustedError("a", [failure(refused)])],
  ])("which nothing has of what was %s", (_, seen) => {
    expect(arrived(seen)).toBe(false);
  });
});

describe("may have been received", () => {
  it.each([
    ["reset", reset],
    ["unreachable in the midst of it", error({ code: "EHOSTUNREACH", syscall: "read" })],
    ["a timeout of reading", error({ code: "ETIMEDOUT", syscall: "read" })],
    ["a timeout of undici's after the headers", error({ code: "UND_ERR_BODY_TIMEOUT" })],
    ["our timeout", new TimeoutError("a", 5)],
    ["our deadline", new DeadlineExceededError("a", 5)],
    ["refused output", new OutputRejectedError("a", [], "x")],
    ["500", error({ status: 500 })],
    ["503 without a hint", error({ status: 503 })],
    ["503 with a hint that is past", error({ status: 503, headers: { "retry-after": "-1" } })],
    ["500 with a hint", error({ status: 500, headers: { "retry-after": "1" } })],
    ["504", error({ status: 504 })],
    ["504 with a hint", new Response(null, { status: 504, headers: { "retry-after": "1" } })],
    ["400", error({ status: 400 })],
    ["a cancellation", new DOMException("gone", "AbortError")],
    ["gRPC unavailable", error({ code: 14, details: "no", metadata: {} })],
    ["one address of several that was reached", new AggregateError([refused, reset])],
    ["an empty AggregateError", new AggregateError([])],
    ["a client's retries of which an earlier one was reached", error({ errors: [reset, refused], lastError: refused })],
    ["a client's retries of which only the last is known", error({ lastError: refused })],
    ["the same with the last one's status", error({ errors: [reset, {}], lastError: {}, status: 429 })],
    ["a chain that says of no tier", new FallbackExhaustedError("a", [])],
    ["AWS, after more than one try", error({ code: "ECONNREFUSED", $metadata: { attempts: 3 } })],
    ["a chain of which one tier was reached", new FallbackExhaustedError("a", [failure(refused), failure(reset)])],
    ["an error that tells nothing", new Error("?")],
    ["a string", "down"],
    ["nothing at all", undefined],
  ])("%s", (_, seen) => {
    expect(may(seen)).toBe(true);
  });

  it("what cannot be looked at", () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    const chain = Object.assign(new FallbackExhaustedError("a", [failure(refused)]), { failures: proxy });
    expect(may(chain)).toBe(true);
  });

  it("a cause that goes in a circle", () => {
    const round: Error & { cause?: unknown } = new Error("round");
    round.cause = round;
    expect(may(round)).toBe(true);
  });
});
