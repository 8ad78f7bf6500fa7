// Errors of model services and their clients: openai's are its real classes, the others are rebuilt after the versions named.
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/core/error";
import { describe, expect, it } from "vitest";
import { classify, classifyError, classifyValue } from "../../src/core/classify.ts";
import type { FailureKind } from "../../src/core/verdict.ts";
import { aiSdk, anthropic, type Body, openai } from "./clients.ts";

describe("a model service", () => {
  it("HTTP 200 with `{ error: { code: 429 } }`, or a choice that ended in an error, is a failure", () => {
    expect(classifyValue({ error: { code: 429 } })).toEqual(classifyError({ status: 429 }));
    expect(classifyValue({ choices: [{ finish_reason: "stop" }, { finish_reason: "error" }] })?.kind).toBe("transient");
    const broken = { finish_reason: "error", error: { code: 502, message: "Provider disconnected" } };
    expect(classifyValue({ choices: [broken] })?.kind).toBe("transient");
    expect(classifyValue({ choices: [{ finish_reason: "error", error: { code: 429 } }] })?.kind).toBe("rateLimited");
  });

  it.each([
    [{ error: { code: 503, message: "no" } }, "overloaded"],
    [{ error: { code: "402", message: "no" } }, "exhausted"],
    [{ error: { status: 401, message: "no" } }, "unauthorized"],
    [{ error: { code: 200, message: "no" } }, "unknown"],
    [{ error: { message: "no" } }, "unknown"],
    [{ error: { code: 429, status: "RESOURCE_EXHAUSTED" } }, "rateLimited"],
    [{ error: { status: "UNAVAILABLE", message: "no" } }, "overloaded"],
    [{ error: Object.assign(new Error("x"), { code: "ECONNRESET" }) }, "network"],
  ] as const)("a code 100–599 in a body is its status: %o is %s", (body, kind) => {
    expect(classifyValue(body)?.kind).toBe(kind);
    expect(classifyError(body).kind).toBe(kind);
  });

  it("429 with `insufficient_quota` is never tried again here and goes to the next tier; a plain 429 is tried again", () => {
    const spent = openai(429, { message: "You exceeded your current quota", code: "insufficient_quota" });
    expect(classifyError(spent)).toEqual({ kind: "exhausted", retry: false, counts: false, fallBack: true });
    const told = { "retry-after": "1", "x-should-retry": "true" };
    expect(classifyError(openai(429, { code: "insufficient_quota" }, told)).retry).toBe(false);
    expect(classifyError(openai(429, { message: "Rate limit reached", code: "rate_limit_exceeded" }))).toEqual({
      kind: "rateLimited",
      retry: true,
      counts: false,
      fallBack: true,
    });
    expect(classifyValue({ error: { message: "no money", code: "insufficient_quota" } })?.kind).toBe("exhausted");
  });

  it("Gemini's quota is a limit per minute where it says when to come back, and a spent one where it does not", () => {
    const said = "You exceeded your current quota, please check your plan and billing details.";
    // as @google/genai 2 throws it: the body as text
    const genai = (details: object[]) => {
      const body = { error: { code: 429, message: said, status: "RESOURCE_EXHAUSTED", details } };
      return Object.assign(new Error(JSON.stringify(body)), { name: "ApiError", status: 429 });
    };
    const info = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "26s" };
    expect(classifyError(genai([info]))).toMatchObject({ kind: "rateLimited", retryAfterMs: 26_000 });
    expect(classifyError(genai([])).kind).toBe("exhausted");
    const parsed = { error: { code: 429, message: said, status: "RESOURCE_EXHAUSTED", details: [info] } };
    expect(classifyValue(parsed)).toMatchObject({ kind: "rateLimited", retryAfterMs: 26_000 });
  });

  const overloaded = { details: null, type: "overloaded_error", message: "Overloaded" };
  it.each([
    ["an event of a stream", anthropic(undefined, "overloaded_error", "Overloaded")],
    ["openai's client, of an event", new OpenAI.APIError(undefined, overloaded, undefined, undefined)],
    ["the event itself", { type: "error", error: overloaded }],
    ["a bare object", overloaded],
    ["a bare object without details", { type: "overloaded_error", message: "Overloaded" }],
    ["a message alone", new Error("overloaded_error: Overloaded")],
  ])("`overloaded_error` without a status has the verdict of HTTP 529: %s", (_, seen) => {
    expect(classify(seen)).toEqual(classifyError({ status: 529 }));
    expect(classifyError(seen).retry).toBe(true);
  });

  it("a client's retry error without a status has the verdict of its last error", () => {
    const errors = [aiSdk(500), aiSdk(429, { responseHeaders: { "retry-after-ms": "1500" } })];
    const facts = { name: "AI_RetryError", reason: "maxRetriesExceeded", errors };
    const retried = Object.assign(new Error("Failed after 2 attempts."), { ...facts, lastError: errors[1] });
    expect(classifyError(retried)).toEqual(classifyError(errors[1]));
    expect(classifyError(retried)).toMatchObject({ kind: "rateLimited", retryAfterMs: 1500 });
    expect(classifyError(Object.assign(new Error("no"), facts))).toEqual(classifyError(errors[1]));
  });

  it("a failure before the network is neither tried again nor counted against the service", () => {
    const names = ["AI_InvalidToolInputError", "AI_InvalidArgumentError", "AI_UnsupportedFunctionalityError"];
    for (const name of names) {
      expect(classifyError(Object.assign(new Error("no"), { name }))).toMatchObject({ retry: false, counts: false });
    }
    expect(classifyError(Object.assign(new Error("no"), { code: "UND_ERR_INVALID_ARG" }))).toMatchObject({
      retry: false,
      counts: false,
    });
  });

  it('Responses API: `status: "failed"` with `server_error` may be tried again; a reached reasoning limit not', () => {
    const failed = (error: Body | null) => classifyValue({ object: "response", id: "r1", status: "failed", error });
    expect(failed({ code: "server_error", message: "An error occurred." })).toMatchObject({
      kind: "transient",
      retry: true,
    });
    expect(failed({ code: "rate_limit_exceeded", message: "Slow down." })?.kind).toBe("rateLimited");
    expect(failed({ code: "server_error", message: "Reasoning limit reached." })).toMatchObject({
      retry: false,
      fallBack: true,
    });
    expect(failed(null)).toMatchObject({ kind: "transient", retry: true });
    expect(classifyValue({ object: "response", status: "completed", error: null })).toBeUndefined();
  });

  it.each([401, 403])("%i is one call here, then the next tier", (status) => {
    const verdict = { kind: "unauthorized", retry: false, counts: false, fallBack: true };
    expect(classifyError(openai(status, { message: "Incorrect API key provided" }))).toEqual(verdict);
    expect(classifyError(aiSdk(status))).toEqual(verdict);
  });

  it("`x-should-retry` overrules the status table, both ways", () => {
    const answer = (status: number, said: string) => openai(status, { message: "no" }, { "x-should-retry": said });
    expect(classifyError(answer(503, "false"))).toEqual({
      kind: "overloaded",
      retry: false,
      counts: true,
      fallBack: true,
    });
    expect(classifyError(answer(409, "true"))).toEqual({
      kind: "invalid",
      retry: true,
      counts: false,
      fallBack: false,
    });
    expect(classifyError(answer(503, "perhaps")).retry).toBe(true);
    expect(classifyError(aiSdk(503, { responseHeaders: { "x-should-retry": "false" } })).retry).toBe(false);
    const response = new Response(null, { status: 400, headers: { "x-should-retry": "true" } });
    expect(classify(response)).toMatchObject({ kind: "invalid", retry: true });
  });

  it("`x-should-retry` also overrules the bare type of an error that came without a status, but not what its words say", () => {
    const headers = { "x-should-retry": "true" };
    expect(classifyError({ type: "invalid_request_error", message: "no", headers })).toMatchObject({
      ...{ kind: "invalid", retry: true },
    });
    const tooLong = "This model's maximum context length is 8192 tokens.";
    expect(classifyError({ type: "invalid_request_error", message: tooLong, headers })).toMatchObject({
      ...{ kind: "tooLarge", retry: false },
    });
  });

  it.each<[string, Error, FailureKind]>([
    ["a cancelled request", new OpenAI.APIUserAbortError(), "cancelled"],
    ["a timeout", new OpenAI.APIConnectionTimeoutError(), "timeout"],
    ["no connection, for no known reason", new OpenAI.APIConnectionError({}), "network"],
    [
      "no connection, for a known one",
      new OpenAI.APIConnectionError({ cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }),
      "network",
    ],
    [
      "an error event with a type alone",
      new OpenAI.APIError(undefined, { type: "server_error", message: "no" }, undefined, undefined),
      "transient",
    ],
    ["422", openai(422, { message: "no" }), "invalid"],
    ["409", openai(409, { message: "no" }), "invalid"],
    ["404", openai(404, { message: "no", code: "model_not_found" }), "invalid"],
  ])("openai's client: %s", (_, error, kind) => {
    expect(classifyError(error).kind).toBe(kind);
    const minified = Object.assign(Object.create({ name: "Error", constructor: class r {} }), error, {
      message: error.message,
    });
    expect(classifyError(minified).kind).toBe(kind);
  });

  it("an answer cut off at its limit is poor quality, and the same limit is not asked again", () => {
    const cut = { kind: "quality", retry: false, counts: false, fallBack: true };
    expect(classifyError(new LengthFinishReasonError())).toEqual(cut);
    const none = (finishReason: string) =>
      Object.assign(new Error("no"), { name: "AI_NoObjectGeneratedError", finishReason });
    expect(classifyError(none("length"))).toEqual(cut);
    expect(classifyError(none("stop"))).toMatchObject({ kind: "quality", retry: true });
    expect(classifyError(none("content-filter")).kind).toBe("contentFiltered");
  });

  it("hints come from wherever the client keeps the headers, and from OpenRouter's body", () => {
    const at = Date.parse("2026-03-01T12:00:00Z");
    const reset = String(at + 90_000);
    const body = { code: 429, message: "Rate limit exceeded", metadata: { headers: { "X-RateLimit-Reset": reset } } };
    expect(classifyValue({ error: body }, at)?.retryAfterMs).toBe(90_000);
    expect(classifyError(openai(429, body), at).retryAfterMs).toBe(90_000);
    const axios = { response: { status: 503, headers: { "retry-after": "4" }, data: {} } };
    expect(classifyError(Object.assign(new Error("no"), axios), at).retryAfterMs).toBe(4000);
    const tokens = { "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s" };
    expect(classifyError(openai(429, { message: "slow" }, tokens), at).retryAfterMs).toBe(360_000);
    expect(classifyError(openai(500, { message: "no" }, tokens), at).retryAfterMs).toBeUndefined();
    expect(
      classifyError(openai(503, { message: "no" }, { "x-should-retry": "false", "retry-after": "2" }), at),
    ).toMatchObject({ retry: false, retryAfterMs: 2000 });
  });
});
