// What clients keep of a failure, wherever they keep it; what only looks like it is none.
import { describe, expect, it } from "vitest";
import {
  bodyOf,
  errorsOf,
  field,
  grpcCodeOf,
  headersOf,
  httpStatus,
  insideOf,
  isResponse,
  nameOf,
  retryDelayOf,
  sqlStateOf,
  statusOf,
  statusWithin,
  wordsOf,
} from "../../src/core/shapes.ts";

const throwing = Object.defineProperty({}, "status", {
  get() {
    throw new Error("mine");
  },
});

describe("a property", () => {
  it("is read of objects and functions; of all else, and where a getter throws, there is none", () => {
    expect(field({ a: 1 }, "a")).toBe(1);
    expect(
      field(
        Object.assign(() => 0, { a: 1 }),
        "a",
      ),
    ).toBe(1);
    for (const of of ["text", 5, null, undefined]) expect(field(of, "length")).toBeUndefined();
    expect(field(throwing, "status")).toBeUndefined();
  });
});

describe("a status of failure", () => {
  it.each([400, 404, 599, "400", "503"])("is %o", (value) => {
    expect(httpStatus(value)).toBe(Number(value));
  });

  it.each([399, 600, 404.5, "200", "0404", "404.0", " 404", "5000", "503 ", "x", true, null, [503], 503n])(
    "is none: %o",
    (value) => {
      expect(httpStatus(value)).toBeUndefined();
    },
  );

  it.each<[where: string, seen: object]>([
    ["itself", { status: 503 }],
    ["itself, by its other name", { statusCode: 503 }],
    ["its response", { response: { status: 503 } }],
    ["its response, by its other name", { response: { statusCode: 503 } }],
    ["AWS's metadata", { $metadata: { httpStatusCode: 503 } }],
    ["its code", { code: 503 }],
    ["its body's code", { error: { code: "503" } }],
    ["its body's status", { data: { error: { status: 503 } } }],
    ["its response's body", { response: { data: { code: 503 } } }],
    ["a body that was parsed", { body: { status: 503 } }],
    ["a body that was parsed, of its response", { response: { body: { status: 503 } } }],
  ])("stands in %s", (_, seen) => {
    expect(statusOf(seen)).toBe(503);
    expect(statusWithin({ cause: { lastError: seen } })).toBe(503);
  });

  it("is the nearest: an error's own before its response's before its body's", () => {
    const seen = { status: 400, statusCode: 401, response: { status: 402 }, code: 403, error: { code: 404 } };
    expect(statusOf(seen)).toBe(400);
    expect(statusOf({ ...seen, status: 200 })).toBe(401);
    expect(statusOf({ ...seen, status: 200, statusCode: 200 })).toBe(402);
  });

  it("is looked for in what is inside, each in turn and to a depth", () => {
    expect(statusWithin({ lastError: { status: 200 }, cause: { status: 503 } })).toBe(503);
    const nested = (depth: number): object => (depth === 0 ? { status: 503 } : { cause: nested(depth - 1) });
    expect([4, 5].map((depth) => statusWithin(nested(depth)))).toEqual([503, undefined]);
    expect(statusWithin("text")).toBeUndefined();
  });
});

describe("what the service wrote", () => {
  it("is what clients keep beside their own, unwrapped", () => {
    const written = { message: "no" };
    for (const seen of [
      { error: written },
      { error: { error: written } },
      { data: written },
      { data: { error: written } },
      { response: { data: written } },
      { body: written },
      { response: { body: { error: written } } },
    ])
      expect(bodyOf(seen)).toBe(written);
    for (const seen of [{}, { error: "text" }, { error: null, data: 5 }, undefined])
      expect(bodyOf(seen)).toBeUndefined();
  });

  it("is not a response's body, which is somebody else's to read", () => {
    const response = new Response("text", { status: 500 });
    expect(bodyOf(response)).toBeUndefined();
    expect(bodyOf({ response })).toBeUndefined();
    expect(isResponse(response)).toBe(true);
    expect(isResponse({ [Symbol.toStringTag]: "Response", status: "500" })).toBe(false);
    expect(isResponse({ status: 500 })).toBe(false);
  });

  it("has its words before its sentences, each from where it stands", () => {
    const seen = {
      ...{ code: "c", type: "t", status: "s", message: "says", responseBody: "whole", innererror: { code: "not" } },
      error: { code: "C", type: "T", status: "S", message: "Says", innererror: { code: "I" } },
    };
    const words = ["C", "c", "T", "t", "S", "s", "I"];
    expect(wordsOf(seen)).toEqual({ words, text: [...words, "Says", "says", "whole"].join("\n") });
    expect(wordsOf({ innererror: { code: "I" } })).toEqual({ words: ["I"], text: "I" });
    expect(wordsOf({ code: 5 })).toEqual({ words: [], text: "" });
  });

  it("has Google's wait among its details", () => {
    expect(retryDelayOf({ details: ["text", { other: "1s" }, { retryDelay: "2s" }, { retryDelay: "3s" }] })).toBe("2s");
    expect(retryDelayOf({ error: { details: [{ retryDelay: "2s" }] }, details: [{ retryDelay: "3s" }] })).toBe("2s");
    expect(retryDelayOf({ details: { retryDelay: "2s" } })).toBeUndefined();
  });
});

describe("codes", () => {
  it("of gRPC are numbers beside what gRPC sends with them", () => {
    expect([grpcCodeOf({ code: 14, details: "" }), grpcCodeOf({ code: 14, metadata: {} })]).toEqual([14, 14]);
    for (const seen of [{ code: 14 }, { code: "14", details: "" }, {}]) expect(grpcCodeOf(seen)).toBeUndefined();
  });

  it("of SQL are five characters, the first a digit", () => {
    expect(sqlStateOf({ code: "57P01" })).toBe("57P01");
    expect(sqlStateOf({ code: "ER_DUP", sqlState: "23000" })).toBe("23000");
    for (const code of ["EPERM", "57P0", "57P011", "57p01", 57_014]) expect(sqlStateOf({ code })).toBeUndefined();
  });
});

describe("a name", () => {
  class TimedOut extends Error {}

  it("is the error's own, else that of its class", () => {
    expect(nameOf(Object.assign(new TimedOut("no"), { name: "Mine" }))).toBe("Mine");
    expect(nameOf(new TimedOut("no"))).toBe("TimedOut");
    expect(nameOf(Object.assign(new TimedOut("no"), { name: "" }))).toBe("TimedOut");
    expect(nameOf(new Error("no"))).toBe("Error");
  });

  it("is what is left of one where there is no class", () => {
    expect(nameOf(Object.assign(Object.create(null), { name: "Error" }))).toBe("Error");
    expect(nameOf(Object.create(null))).toBe("");
  });
});

describe("what holds others", () => {
  it("holds headers in this order, and only where they are some", () => {
    const [a, b, c, d, e, f] = [{}, {}, {}, {}, {}, {}];
    const seen = {
      ...{ headers: a, responseHeaders: b, response: { headers: c }, $response: { headers: d }, metadata: e },
      error: { metadata: { headers: f } },
    };
    const held = headersOf(seen);
    expect(held.length).toBe(6);
    for (const [i, headers] of [a, b, c, d, e, f].entries()) expect(held[i]).toBe(headers);
    expect(headersOf({ metadata: { headers: f } })).toEqual([{ headers: f }, f]);
    expect(headersOf({ headers: null, responseHeaders: "text" })).toEqual([]);
  });

  it("holds errors: the last that was tried, the cause, what it wraps", () => {
    const [last, cause, error] = [new Error("last"), new Error("cause"), new Error("wrapped")];
    expect(insideOf({ lastError: last, errors: [cause], cause: error })).toEqual([last, error]);
    expect(insideOf({ errors: [cause, last] })).toEqual([last]);
    expect(insideOf({ cause, error })).toEqual([cause, error]);
    expect(insideOf({ error: "text" })).toEqual([]);
  });

  it("holds several only in a list that is not empty", () => {
    expect(errorsOf({ errors: [1] })).toEqual([1]);
    for (const errors of [[], "text", { 0: 1, length: 1 }, undefined]) expect(errorsOf({ errors })).toBeUndefined();
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(errorsOf({ errors: proxy })).toBeUndefined();
  });
});
