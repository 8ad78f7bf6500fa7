// Whatever is thrown or delivered, judging it does no harm.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classify, classifyError, classifyValue } from "../../src/core/classify.ts";
import { mayHaveBeenReceived } from "../../src/core/received.ts";
import { verdicts } from "../../src/core/table.ts";

const trap = () => {
  throw new Error("trap");
};

/** Made anew for each use; named by a token in what fast-check generates, because it looks at what it generates too. */
const hostile: Readonly<Record<string, () => unknown>> = {
  proxy: () =>
    new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap, getOwnPropertyDescriptor: trap }),
  revoked() {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
  getters() {
    const keys = ["status", "code", "cause", "message", "name", "error", "headers", "errors", "stack"];
    return Object.defineProperties({}, Object.fromEntries(keys.map((key) => [key, { get: trap, enumerable: true }])));
  },
  circle() {
    const error = new Error("round");
    return Object.assign(error, { cause: error, lastError: error, errors: [error], error, response: error });
  },
  headers: () => ({ get: trap }),
  frozen: () => Object.freeze(Object.assign(new Error("x"), { status: 503 })),
  function: () => trap,
};

const keys = fc.constantFrom(
  ..."status statusCode code cause error errors lastError headers response name message type".split(" "),
  ..."choices details metadata retryable body data finish_reason originalError retryAfterMs $metadata".split(" "),
);
const telling = fc.constantFrom<unknown>(
  ...[200, 429, 503, 14, "ECONNRESET", "429", "overloaded_error", "AbortError", "TypeError", "fetch failed", "error"],
  ...["failed", "40001", false, true, null, { "retry-after": "-1" }, { "retry-after": "9".repeat(400) }],
);
const tokens = fc.constantFrom(...Object.keys(hostile)).map((name) => `hostile ${name}`);
const { node } = fc.letrec<{ node: unknown; object: object; array: unknown[] }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    telling,
    tokens,
    fc.anything({ withMap: true, withDate: true }),
    tie("object"),
    tie("array"),
  ),
  object: fc.dictionary(keys, tie("node"), { maxKeys: 6 }),
  array: fc.array(tie("node"), { maxLength: 3 }),
}));

/** The same with what the tokens name in their place. */
function planted(seen: unknown): unknown {
  if (typeof seen === "string" && seen.startsWith("hostile ")) return hostile[seen.slice(8)]?.();
  if (Array.isArray(seen)) return seen.map(planted);
  if (typeof seen !== "object" || seen === null || Object.getPrototypeOf(seen) !== Object.prototype) return seen;
  return Object.fromEntries(Object.entries(seen).map(([key, value]) => [key, planted(value)]));
}

function asError(seen: unknown): Error {
  const error = new Error("x");
  if (typeof seen !== "object" || seen === null) return error;
  for (const [key, value] of Object.entries(seen)) Object.defineProperty(error, key, { value: planted(value) });
  return error;
}

function check(seen: unknown): void {
  const verdict = classifyError(seen);
  expect(Object.keys(verdicts)).toContain(verdict.kind);
  expect([verdict.retry, verdict.counts, verdict.fallBack].map((answer) => typeof answer)).toEqual(
    Array(3).fill("boolean"),
  );
  expect(Object.isFrozen(verdict)).toBe(true);
  expect(mayHaveBeenReceived(seen, verdict)).toBeTypeOf("boolean");
  for (const standard of [classify(seen), classifyValue(seen)]) {
    if (standard !== undefined) expect(Object.keys(verdicts)).toContain(standard.kind);
  }
}

describe("whatever it is given", () => {
  it("never throws, and of an error always has a verdict", () => {
    fc.assert(
      fc.property(node, (seen) => {
        check(planted(seen));
        check(asError(seen));
      }),
      { numRuns: 1000 },
    );
  });

  it.each(Object.keys(hostile))("bears %s, alone and wherever it is looked for", (name) => {
    const made = () => hostile[name]?.();
    for (const key of "status code cause error errors lastError headers response choices details metadata".split(" ")) {
      check(made());
      check({ [key]: made() });
      check(Object.assign(new Error("x"), { status: 429, [key]: made() }));
      check({ error: { message: "x", [key]: made() }, choices: [made()] });
    }
  });

  it("a getter that throws hides nothing else", () => {
    const error = Object.defineProperties(new Error("x"), {
      status: { get: trap },
      cause: { get: trap },
      code: { value: "ECONNRESET" },
    });
    expect(classifyError(error).kind).toBe("network");
  });

  it("a frozen error is judged like any", () => {
    expect(classifyError(hostile.frozen?.()).kind).toBe("overloaded");
  });

  it("a message of megabytes is judged in a moment", () => {
    const message = `${"prompt is too ".repeat(200_000)}long`;
    const started = performance.now();
    expect(classifyError(new Error(message)).kind).toBe("unknown");
    expect(performance.now() - started).toBeLessThan(200);
  });

  it("causes nested a thousand deep end the search, not the stack", () => {
    let error: Error = Object.assign(new Error("innermost"), { code: "ECONNRESET" });
    for (let i = 0; i < 1000; i++) error = new Error("outer", { cause: error });
    expect(classifyError(error).kind).toBe("unknown");
  });
});
