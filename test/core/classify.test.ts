// The table of docs/verdicts.md, row by row, and where status and code are read from.
import vm from "node:vm";
import { describe, expect, it } from "vitest";
import { classify, classifyError, classifyValue } from "../../src/core/classify.ts";
import { OutputRejectedError } from "../../src/core/errors.ts";
import { BulkheadFullError } from "../../src/core/fullError.ts";
import type { FailureKind } from "../../src/core/verdict.ts";

const withStatus = (status: unknown) => Object.assign(new Error("no"), { status });
const withCode = (code: unknown, more: object = {}) => Object.assign(new Error("no"), { code, ...more });

/** Again here, counts, elsewhere: the table of docs/verdicts.md. */
const answers: ReadonlyArray<[FailureKind, boolean, boolean, boolean]> = [
  ["network", true, true, true],
  ["timeout", true, true, true],
  ["transient", true, true, true],
  ["overloaded", true, true, true],
  ["rateLimited", true, false, true],
  ["exhausted", false, false, true],
  ["unauthorized", false, false, true],
  ["tooLarge", false, false, true],
  ["contentFiltered", false, false, true],
  ["invalid", false, false, false],
  ["quality", true, false, true],
  ["cancelled", false, false, false],
  ["notAdmitted", false, false, true],
  ["bug", false, true, true],
  ["unknown", true, true, true],
];

const one: Readonly<Record<FailureKind, unknown>> = {
  network: withCode("ECONNREFUSED"),
  timeout: withStatus(504),
  transient: withStatus(500),
  overloaded: withStatus(503),
  rateLimited: withStatus(429),
  exhausted: withStatus(402),
  unauthorized: withStatus(401),
  tooLarge: withStatus(413),
  contentFiltered: withCode("content_filter"),
  invalid: withStatus(404),
  quality: new OutputRejectedError("draft", [], ""),
  cancelled: new DOMException("gone", "AbortError"),
  notAdmitted: new BulkheadFullError("draft", 1, 0),
  bug: new TypeError("x is not a function"),
  unknown: new Error("?"),
};

describe("the three answers", () => {
  it.each(answers)("%s: again here %s, counts %s, elsewhere %s", (kind, retry, counts, fallBack) => {
    expect(classifyError(one[kind])).toEqual({ kind, retry, counts, fallBack });
  });

  it("are frozen constants where there is no hint", () => {
    expect(classifyError(withStatus(500))).toBe(classifyError(withStatus(502)));
    expect(Object.isFrozen(classifyError(withStatus(500)))).toBe(true);
  });

  it("are frozen with a hint too", () => {
    const verdict = classifyError({ status: 429, headers: { "retry-after": "1" } });
    expect(verdict.retryAfterMs).toBe(1000);
    expect(Object.isFrozen(verdict)).toBe(true);
  });
});

describe("an HTTP status", () => {
  const table: ReadonlyArray<[FailureKind, readonly number[]]> = [
    ["timeout", [408, 504]],
    ["transient", [425, 500, 501, 502, 505, 507, 511, 520, 521, 522, 523, 524, 599]],
    ["overloaded", [503, 529]],
    ["rateLimited", [429]],
    ["exhausted", [402]],
    ["unauthorized", [401, 403, 407]],
    ["tooLarge", [413]],
    ["invalid", [400, 404, 405, 409, 410, 415, 418, 422, 451]],
  ];
  const rows = table.flatMap(([kind, statuses]) => statuses.map((status) => [status, kind] as const));

  it.each(rows)("%i is %s on an error", (status, kind) => {
    expect(classifyError(withStatus(status)).kind).toBe(kind);
  });

  it.each(rows)("%i is %s on a Response", (status, kind) => {
    expect(classifyValue(new Response(null, { status }))?.kind).toBe(kind);
  });

  it.each([
    ["status", { status: 429 }],
    ["statusCode (AI SDK, got)", { statusCode: 429 }],
    ["a status written as text", { status: "429" }],
    ["response.status (axios, ky)", { response: { status: 429 } }],
    ["response.statusCode (got)", { response: { statusCode: 429 } }],
    ["$metadata.httpStatusCode (AWS)", { $metadata: { httpStatusCode: 429 } }],
    ["a numeric code (Google's clients)", { code: 429 }],
    ["the body's code", { error: { code: 429, message: "slow" } }],
    ["the cause", { cause: { status: 429 } }],
  ])("is read from %s", (_, facts) => {
    expect(classifyError(Object.assign(new Error("no"), facts)).kind).toBe("rateLimited");
  });

  it.each([200, 204, 301, 304])("%i on a Response is nothing wrong", (status) => {
    expect(classify(new Response(null, { status }))).toBeUndefined();
  });

  it("of an error that says 200 tells nothing", () => {
    expect(classifyError(withStatus(200)).kind).toBe("unknown");
  });

  it("of a Response that is a network error is no status", () => {
    expect(classify(Response.error())?.kind).toBe("network");
  });

  it("is read of a Response that was thrown", () => {
    const thrown = new Response(null, { status: 503, headers: { "retry-after": "3" } });
    expect(classifyError(thrown)).toMatchObject({ kind: "overloaded", retryAfterMs: 3000 });
  });

  it("leaves the body of a Response alone", async () => {
    const response = new Response("kept", { status: 503 });
    const touched: string[] = [];
    Object.defineProperty(response, "body", { get: () => touched.push("body") });
    classifyValue(response);
    classifyError(Object.assign(new Error("no"), { response }));
    expect(touched).toEqual([]);
  });
});

describe("a code", () => {
  const network = [
    ..."ECONNREFUSED ECONNRESET ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EPIPE ECONNABORTED".split(" "),
    ..."ERR_STREAM_PREMATURE_CLOSE ERR_HTTP2_GOAWAY_SESSION UND_ERR_SOCKET UND_ERR_CLOSED HPE_INVALID_CONSTANT".split(
      " ",
    ),
  ];
  const timeouts = "ETIMEDOUT UND_ERR_CONNECT_TIMEOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT".split(" ");
  const system: ReadonlyArray<[FailureKind, readonly string[]]> = [
    ["network", network],
    ["timeout", timeouts],
    ["cancelled", ["ABORT_ERR", "ERR_CANCELED", "UND_ERR_ABORTED"]],
    ["invalid", ["UND_ERR_INVALID_ARG", "ERR_BAD_OPTION"]],
  ];
  it.each(system.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)))("%s is %s", (code, kind) => {
    expect(classifyError(withCode(code)).kind).toBe(kind);
  });

  it("of a socket path that is not there is network; of a file it is not", () => {
    expect(classifyError(withCode("ENOENT", { syscall: "connect" })).kind).toBe("network");
    expect(classifyError(withCode("ENOENT", { syscall: "open" })).kind).toBe("unknown");
  });

  // as pg 8.23 throws them: a DatabaseError with `severity` and `code`
  it.each([
    ["08006", "network"],
    ["57P01", "network"],
    ["57P03", "network"],
    ["57000", "unknown"],
    ["40001", "transient"],
    ["40P01", "transient"],
    ["53300", "overloaded"],
    ["28P01", "unauthorized"],
    ["22001", "invalid"],
    ["23505", "invalid"],
    ["42601", "invalid"],
    ["P0001", "unknown"],
    ["40003", "unknown"],
  ] as const)("SQLSTATE %s is %s", (code, kind) => {
    expect(classifyError(withCode(code, { severity: "ERROR" })).kind).toBe(kind);
  });

  it("EPERM has the length of a SQLSTATE and is none", () => {
    expect(classifyError(withCode("EPERM")).kind).toBe("unknown");
  });

  it("is read from mysql2's sqlState", () => {
    expect(classifyError(withCode("ER_LOCK_DEADLOCK", { errno: 1213, sqlState: "40001" })).kind).toBe("transient");
  });

  it("57014 is a timeout of the server's own, or a person's cancellation", () => {
    const cancelled = (message: string) => Object.assign(new Error(message), { code: "57014" });
    expect(classifyError(cancelled("canceling statement due to statement timeout")).kind).toBe("timeout");
    expect(classifyError(cancelled("canceling statement due to user request")).kind).toBe("cancelled");
  });

  // as @grpc/grpc-js 1.14 throws them: an Error with `code`, `details` and `metadata`
  it.each([
    [1, "cancelled"],
    [2, "unknown"],
    [3, "invalid"],
    [4, "timeout"],
    [5, "invalid"],
    [6, "invalid"],
    [7, "unauthorized"],
    [8, "rateLimited"],
    [9, "invalid"],
    [10, "transient"],
    [13, "transient"],
    [14, "network"],
    [16, "unauthorized"],
  ] as const)("gRPC %i is %s", (code, kind) => {
    const metadata = new Map<string, string[]>();
    expect(classifyError(withCode(code, { details: "no", metadata })).kind).toBe(kind);
  });

  it("gRPC's numbers are known in a JSON body too, by its details", () => {
    expect(classifyValue({ error: { code: 8, message: "no", details: [] } })?.kind).toBe("rateLimited");
    expect(classifyError(withCode(17, { details: "no" })).kind).toBe("unknown");
  });

  it("14 of something that is not gRPC is nothing known", () => {
    expect(classifyError(withCode(14)).kind).toBe("unknown");
  });

  it("of an inner error is found through causes, also when they go in a circle", () => {
    const inner = withCode("ECONNRESET");
    const outer = new Error("outer", { cause: new Error("middle", { cause: inner }) });
    expect(classifyError(outer).kind).toBe("network");
    const round: Error & { cause?: unknown } = new Error("round");
    round.cause = new Error("and", { cause: round });
    expect(classifyError(round).kind).toBe("unknown");
  });
});

describe("classify, which is told neither that it was thrown nor that it was delivered", () => {
  it.each([undefined, null, "down", 7, true, Symbol("s"), 1n])("takes a primitive for a value: %s", (seen) => {
    expect(classify(seen)).toBeUndefined();
    expect(classifyError(seen).kind).toBe("unknown");
  });

  it.each([
    ["an Error", new Error("x")],
    ["an Error of another realm", vm.runInNewContext("new Error('x')")],
    ["what has name, message and stack", { name: "Odd", message: "x", stack: "Odd: x" }],
  ])("knows %s", (_, seen) => {
    expect(classify(seen)?.kind).toBe("unknown");
  });

  it("knows plain error objects as clients throw them", () => {
    expect(classify({ status: 503, message: "down" })?.kind).toBe("overloaded");
    expect(classify({ type: "overloaded_error", message: "Overloaded" })?.kind).toBe("overloaded");
  });

  it("finds nothing wrong with ordinary values, also where they have a status or an error field", () => {
    const fine = [
      { ok: 1 },
      { status: 503 },
      { status: "failed", error: null },
      { error: null },
      { error: "text" },
      { message: "hello" },
      { name: "ada", message: "hello" },
      { error: {} },
    ];
    for (const value of [...fine, [], new Map(), new Date(0), { choices: [{ finish_reason: "stop" }] }, () => 1]) {
      expect(classify(value)).toBeUndefined();
    }
    expect(classifyError({ status: 503 }).kind).toBe("overloaded");
  });

  it("asks only what is the value's own: no getter of its class runs", () => {
    class Lazy {
      get error(): object {
        return { message: "connects to something" };
      }
    }
    expect(classifyValue(new Lazy())).toBeUndefined();
  });
});
