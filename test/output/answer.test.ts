import { describe, expect, it } from "vitest";
import { z } from "zod";
import { classify, gate, OutputRejectedError, protect, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

const Title = z.object({ title: z.string() });
const whole = '{"title": "tides"}';

const cutOff: [string, unknown, string][] = [
  [
    "chat completions",
    { choices: [{ finish_reason: "length", message: { content: whole } }] },
    "choices.0.finish_reason",
  ],
  [
    "chat completions, the second choice",
    { choices: [{ finish_reason: "stop" }, { finish_reason: "length" }] },
    "choices.1.finish_reason",
  ],
  [
    "the Responses API",
    {
      object: "response",
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output_text: whole,
    },
    "incomplete_details.reason",
  ],
  [
    "Anthropic",
    { type: "message", stop_reason: "max_tokens", content: [{ type: "text", text: whole }] },
    "stop_reason",
  ],
  [
    "Anthropic, its window full",
    { type: "message", stop_reason: "model_context_window_exceeded", content: [] },
    "stop_reason",
  ],
  ["Gemini", { candidates: [{ finishReason: "MAX_TOKENS" }] }, "candidates.0.finishReason"],
  ["the AI SDK", { finishReason: "length", text: whole }, "finishReason"],
  ["Ollama", { done_reason: "length", done: true, message: { content: whole } }, "done_reason"],
  ["Ollama, generated", { done_reason: "length", done: true, response: whole }, "done_reason"],
  ["Cohere", { finish_reason: "MAX_TOKENS", text: whole }, "finish_reason"],
  ["Bedrock", { stopReason: "max_tokens", output: { message: { content: [{ text: whole }] } } }, "stopReason"],
  ["one choice by itself", { finish_reason: "length", message: { content: whole } }, "finish_reason"],
  [
    "Text Generation Inference",
    { generated_text: whole, details: { finish_reason: "length" } },
    "details.finish_reason",
  ],
  [
    "Text Generation Inference, a list",
    [{ generated_text: whole, details: { finish_reason: "length" } }],
    "0.details.finish_reason",
  ],
  ["choices by themselves", [{ finish_reason: "stop" }, { finish_reason: "length" }], "1.finish_reason"],
];

const refusals: [string, unknown, string][] = [
  [
    "chat completions",
    { choices: [{ finish_reason: "stop", message: { content: null, refusal: "I cannot" } }] },
    "choices.0.message.refusal",
  ],
  [
    "chat completions, by a filter",
    { choices: [{ finish_reason: "content_filter", message: { content: "" } }] },
    "choices.0.finish_reason",
  ],
  [
    "the Responses API",
    { object: "response", status: "completed", output: [{ content: [{ type: "refusal", refusal: "I cannot" }] }] },
    "output.0.content.0.refusal",
  ],
  [
    "the Responses API, by a filter",
    { object: "response", status: "incomplete", incomplete_details: { reason: "content_filter" } },
    "incomplete_details.reason",
  ],
  ["Anthropic", { type: "message", stop_reason: "refusal", content: [] }, "stop_reason"],
  ["Gemini", { candidates: [{ finishReason: "SAFETY" }] }, "candidates.0.finishReason"],
  ["Gemini, of the question", { promptFeedback: { blockReason: "SAFETY" } }, "promptFeedback.blockReason"],
  ["the AI SDK", { finishReason: "content-filter", text: "" }, "finishReason"],
  ["Bedrock", { stopReason: "guardrail_intervened", output: { message: { content: [] } } }, "stopReason"],
  ["one choice by itself", { finish_reason: "stop", message: { refusal: "I cannot" } }, "message.refusal"],
];

async function refused(call: Promise<unknown>): Promise<OutputRejectedError> {
  const error = await call.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(OutputRejectedError);
  return error as OutputRejectedError;
}

describe("a model's answer", () => {
  it.each(cutOff)('truncation is seen before parsing, and the finding says "cut off": %s', async (_, answer, path) => {
    setup();
    const error = await refused(gate(Title, { repair: ["json"] })(async () => answer)(undefined));
    expect(error).toMatchObject({ reason: "cutOff", output: answer, findings: [{ path }] });
    expect(error.findings).toHaveLength(1);
    expect(error.message).toContain("cut off");
    await refused(gate(z.unknown())(async () => answer)(undefined)); // whatever the schema thinks of it
  });

  it("what was cut off is not asked again at the same limit, but elsewhere", async () => {
    setup();
    const first = script<unknown>({ value: cutOff[0]?.[1] });
    const call = protect("draft", first, {
      output: Title,
      gate: { repair: ["json"] },
      retry: {},
      fallback: [async () => whole],
    });
    expect(await call(undefined)).toEqual({ title: "tides" });
    expect(first.calls).toHaveLength(1);
  });

  it("a `when` that knows of a higher limit may ask again: the finding is in `previous`", async () => {
    const { clock } = setup();
    const call = protect("draft", async (_: string, { previous }) => (previous.length > 0 ? whole : cutOff[0]?.[1]), {
      output: Title,
      gate: { repair: ["json"] },
      retry: { when: (_, verdict) => verdict?.kind === "quality" },
    });
    const answer = call("x");
    await clock.advance("1m");
    expect(await answer).toEqual({ title: "tides" });
  });

  it.each(refusals)(
    'a refusal is a rejection of its own kind, not "empty" and not bad JSON: %s',
    async (_, answer, path) => {
      const { seen } = setup();
      const call = protect("draft", async () => answer, { output: Title, gate: { repair: ["json"] }, retry: {} });
      const { story, ...ended } = await settled(call)(undefined);
      expect(ended).toMatchObject({
        ok: false,
        error: { reason: "refusal", findings: [{ path, wanted: "an answer, not a refusal" }] },
      });
      expect(story.failures).toMatchObject([{ kind: "contentFiltered" }]); // asked once
      expect(seen.of("output.rejected")).toHaveLength(1);
    },
  );

  it("a refusal may be answered elsewhere", async () => {
    expect(classify(new OutputRejectedError("x", [], undefined, "refusal"))).toMatchObject({
      retry: false,
      counts: false,
      fallBack: true,
    });
    expect(classify(new OutputRejectedError("x", [], undefined, "cutOff"))).toMatchObject({
      kind: "quality",
      retry: false,
      fallBack: true,
    });
  });

  it.each([
    ["a status of one's own", { status: "incomplete", output: 1 }],
    ["a reason of one's own", { stop_reason: "max_tokens" }],
    ["a finish of one's own", { finishReason: "length" }],
    ["choices of one's own", { choices: ["length", null] }],
    ["a reason beside nothing", { finish_reason: "length" }],
    ["a stop of one's own", { stopReason: "max_tokens" }],
    ["a list of one's own", [{ reason: "length" }, { finish_reason: "length" }]],
    ["a list of nothing", [null]],
    ["a whole answer of Ollama", { done_reason: "stop", message: { content: "x" } }],
    ["a whole answer", { choices: [{ finish_reason: "stop", message: { content: "x", refusal: null } }] }],
  ])("is not seen in a value of another shape: %s", async (_, value) => {
    setup();
    expect(await gate(z.unknown())(async () => value)(undefined)).toBe(value);
  });

  it("that cannot be read says nothing", async () => {
    setup();
    const value = new Proxy(
      {},
      {
        has: () => {
          throw new Error("no");
        },
      },
    );
    expect(await gate(z.unknown())(async () => value)(undefined)).toBe(value);
  });
});
