// Which answers of models are at their end, in the shapes in which services send them; other values always are.
import { describe, expect, it } from "vitest";
import { isWhole } from "../../src/core/whole.ts";

type Make = (reason: unknown) => object;

const chat: Make = (finish_reason) => ({
  object: "chat.completion",
  choices: [{ index: 0, finish_reason, message: { role: "assistant", content: "Tides." } }],
});
const anthropic: Make = (stop_reason) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "text", text: "Tides." }],
  stop_reason,
});
const gemini: Make = (finishReason) => ({
  candidates: [{ content: { role: "model", parts: [{ text: "Tides." }] }, finishReason }],
  usageMetadata: { totalTokenCount: 7 },
});
const converse: Make = (stopReason) => ({
  output: { message: { role: "assistant", content: [{ text: "Tides." }] } },
  stopReason,
  usage: {},
});
const cohere: Make = (finish_reason) => ({
  id: "c",
  finish_reason,
  message: { role: "assistant", content: [{ type: "text", text: "Tides." }] },
});
const ollama: Make = (done_reason) => ({
  model: "llama3.2",
  created_at: "2025-01-01T00:00:00Z",
  message: { role: "assistant", content: "Tides." },
  done: true,
  done_reason,
});
const aiSdk: Make = (finishReason) => ({ text: "Tides.", finishReason, usage: { totalTokens: 7 }, steps: [] });
const aiSdkModel: Make = (unified) => ({
  content: [{ type: "text", text: "Tides." }],
  finishReason: { unified, raw: "x" },
  usage: {},
});
const responses: Make = (status) => ({ object: "response", status, output: [] });
const tgi: Make = (finish_reason) => ({ generated_text: "Tides.", details: { finish_reason } });
const legacy: Make = (finish_reason) => ({ choices: [{ index: 0, text: "Tides.", finish_reason, logprobs: null }] });

const shapes: readonly (readonly [string, Make, readonly unknown[], readonly unknown[]])[] = [
  [
    "OpenAI's chat",
    chat,
    ["stop", "tool_calls", "function_call"],
    [null, "length", "content_filter", "error", "insufficient_system_resource", "cancelled", "time_limit", "?"],
  ],
  ["OpenAI's completions", legacy, ["stop", "eos"], [null, "length", "content_filter"]],
  [
    "Anthropic",
    anthropic,
    ["end_turn", "stop_sequence", "tool_use"],
    [null, "max_tokens", "pause_turn", "refusal", "model_context_window_exceeded", "compaction"],
  ],
  [
    "Gemini",
    gemini,
    ["STOP"],
    [
      ...[undefined, null, "FINISH_REASON_UNSPECIFIED", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER"],
      ...["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "IMAGE_SAFETY", "MODEL_ARMOR", "TOO_MANY_TOOL_CALLS"],
    ],
  ],
  [
    "Bedrock's Converse",
    converse,
    ["end_turn", "tool_use", "stop_sequence"],
    ["max_tokens", "guardrail_intervened", "content_filtered", "malformed_model_output", "malformed_tool_use"],
  ],
  ["Cohere", cohere, ["COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"], ["MAX_TOKENS", "ERROR", "TIMEOUT", "USER_CANCEL"]],
  ["Ollama", ollama, ["stop", undefined], ["length", "load", "unload"]],
  ["the AI SDK", aiSdk, ["stop", "tool-calls"], ["length", "content-filter", "error", "other", "unknown"]],
  ["a model of the AI SDK", aiSdkModel, ["stop", "tool-calls"], ["length", "content-filter", "error", "other"]],
  [
    "OpenAI's responses",
    responses,
    ["completed"],
    ["in_progress", "queued", "cancelled", "failed", "incomplete", null],
  ],
  ["Text Generation Inference", tgi, ["eos_token", "stop_sequence"], ["length", "?"]],
];

const ways: readonly (readonly [string, (answer: object) => unknown])[] = [
  ["as it is", (answer) => answer],
  ["as `data`", (data) => ({ data, status: 200 })],
  ["as `response`", (response) => ({ response, elapsedMs: 3 })],
  ["as `body`", (body) => ({ body })],
  ["as `result`", (result) => ({ result })],
  ["as `completion`", (completion) => ({ completion })],
];

describe.each(shapes)("an answer of %s", (_, make, whole, open) => {
  it.each(ways)("%s is whole by the words that say so, and by no other", (_way, hold) => {
    expect(whole.filter((reason) => !isWhole(hold(make(reason))))).toEqual([]);
    expect(open.filter((reason) => isWhole(hold(make(reason))))).toEqual([]);
  });
});

describe("an answer of several", () => {
  it("is whole where all are", () => {
    const [done, open] = [chat("stop"), chat(null)] as { choices: object[] }[];
    const several = (...of: unknown[]) => ({ choices: of.flatMap((one) => (one as { choices: object[] }).choices) });
    expect([isWhole(several(done, done)), isWhole(several(done, open))]).toEqual([true, false]);
    expect([isWhole(several(done, done).choices), isWhole(several(done, open).choices)]).toEqual([true, false]);
    expect([isWhole([tgi("eos_token"), tgi("stop_sequence")]), isWhole([tgi("eos_token"), tgi("?")])]).toEqual([
      ...[true, false],
    ]);
  });
});

describe("an answer that is still being made", () => {
  it.each([
    ["Ollama's", { model: "llama3.2", message: { role: "assistant", content: "Ti" }, done: false }],
    ["Ollama's generate", { model: "llama3.2", response: "Ti", done: false }],
    ["one choice by itself", { index: 0, finish_reason: null, message: { role: "assistant", content: "Ti" } }],
    ["a part of OpenAI's stream", { choices: [{ index: 0, delta: { content: "Ti" }, finish_reason: null }] }],
    ["with nothing but its text and `error`", { text: "Ti", finishReason: "error" }],
  ])("%s is not whole", (_, answer) => {
    expect([isWhole(answer), isWhole({ data: answer })]).toEqual([false, false]);
  });
});

describe("what tells nothing of an end is whole", () => {
  it.each([
    ["a text", "finish_reason"],
    ["nothing", undefined],
    ["an order", { finish_reason: "sold out", items: 3 }],
    ["an order that was cancelled", { finish_reason: "cancelled", id: 7 }],
    ["a trip", { stop_reason: "fuel", km: 80 }],
    ["a machine", { stopReason: "failed", machine: 4, output: 12 }],
    ["a race", { finishReason: "other", driver: "Ada" }],
    ["a note", { text: "Sold out since noon.", finish_reason: "sold out" }],
    ["a note with a word of its own", { text: "We close.", finishReason: "season over" }],
    ["a message", { message: "out of stock", finish_reason: "sold out" }],
    ["a poll", { choices: [{ text: "yes", votes: 3 }] }],
    ["an election", { candidates: [{ name: "Ada", finishReason: "withdrew" }] }],
    ["an election with content", { candidates: [{ name: "Ada", content: "<p>…</p>", finishReason: "withdrew" }] }],
    ["a task", { done: false, message: "still going", title: "paint" }],
    ["a run of a model of trains", { model: "T4", done: false, response: 12 }],
    ["a job", { status: "in_progress", output: [] }],
    ["an envelope", { data: { id: 1, finish_reason: "sold out" }, response: null, body: "text", result: [1] }],
    ["a list", [{ finish_reason: "sold out" }, { finish_reason: null }]],
    ["an answer without a word on it", { choices: [{ message: { role: "assistant", content: "Tides." } }] }],
    ["one two levels down", { data: { data: chat(null) } }],
  ])("%s", (_, value) => {
    expect(isWhole(value)).toBe(true);
  });

  it("and neither getters of an envelope are asked, nor does a proxy that throws do harm", () => {
    let asked = 0;
    const envelope = {
      get body() {
        asked++;
        return chat(null);
      },
    };
    const proxy = new Proxy(
      {},
      {
        get() {
          throw new Error("get");
        },
        has() {
          throw new Error("has");
        },
        getOwnPropertyDescriptor() {
          throw new Error("own");
        },
      },
    );
    expect([isWhole(envelope), asked, isWhole(proxy), isWhole({ data: proxy })]).toEqual([true, 0, true, true]);
  });
});
