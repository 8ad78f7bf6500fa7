// What the words of the services tell that their status does not.
import { ContentFilterFinishReasonError } from "openai/core/error";
import { describe, expect, it } from "vitest";
import { classifyError } from "../../src/core/classify.ts";
import { aiSdk, anthropic, openai } from "./clients.ts";

describe("the words of a model service", () => {
  const outOfBudget: ReadonlyArray<[string, Error]> = [
    ["OpenAI", openai(429, { message: "no", code: "billing_hard_limit_reached" })],
    [
      "Anthropic's usage limit",
      anthropic(
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. You will regain access on 2026-04-01.",
      ),
    ],
    [
      "Anthropic's credit",
      anthropic(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    ],
    ["a bare 402", openai(402, { message: "Payment Required" })],
    ["DeepSeek", openai(402, { message: "Insufficient Balance" })],
    [
      "xAI",
      openai(403, {
        message: "Your team has either used all available credits or reached its monthly spending limit.",
      }),
    ],
    ["OpenRouter's key", openai(403, { message: "Key limit exceeded (monthly limit)." })],
    [
      "LiteLLM",
      openai(400, { message: "Budget has been exceeded! Current cost: 1.1, Max budget: 1.0", type: "budget_exceeded" }),
    ],
  ];
  it.each(outOfBudget)("out of budget means this provider is unavailable, not a caller's mistake: %s", (_, error) => {
    expect(classifyError(error)).toEqual({ kind: "exhausted", retry: false, counts: false, fallBack: true });
  });

  const overflows: ReadonlyArray<[string, Error]> = [
    [
      "OpenAI",
      openai(400, {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens.",
        code: "context_length_exceeded",
      }),
    ],
    [
      "OpenAI Responses",
      openai(400, {
        message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
      }),
    ],
    ["Anthropic", anthropic(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")],
    [
      "Anthropic with max_tokens",
      anthropic(
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
      ),
    ],
    ["Anthropic's 413", anthropic(413, "request_too_large", "Request exceeds the maximum size")],
    [
      "Gemini",
      openai(400, {
        message: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
      }),
    ],
    [
      "Bedrock",
      Object.assign(new Error("Input is too long for requested model."), {
        name: "ValidationException",
        $metadata: { httpStatusCode: 400 },
      }),
    ],
    [
      "xAI",
      openai(400, { message: "This model's maximum prompt length is 131072 but the request contains 537812 tokens." }),
    ],
    [
      "Groq",
      openai(400, {
        message: "Please reduce the length of the messages or completion.",
        code: "context_length_exceeded",
      }),
    ],
    [
      "Mistral",
      openai(400, {
        message:
          "Prompt contains 150000 tokens and 0 draft tokens, too large for model with 131072 maximum context length",
      }),
    ],
    ["Cohere", openai(400, { message: "too many tokens: total number of tokens in the prompt cannot exceed 4081" })],
    ["Kimi", openai(400, { message: "Invalid request: Your request exceeded model token limit: 262144" })],
    ["MiniMax", openai(400, { message: "invalid params, context window exceeds limit (2013)" })],
    [
      "Copilot",
      openai(400, {
        message: "prompt token count of 130000 exceeds the limit of 128000",
        code: "model_max_prompt_tokens_exceeded",
      }),
    ],
    ["Qwen", openai(400, { message: "Range of input length should be [1, 30720]" })],
    ["Zhipu", openai(400, { message: "Prompt exceeds max length" })],
    [
      "vLLM",
      openai(400, { message: "The decoder prompt (length 9000) is longer than the maximum model length of 8192." }),
    ],
    [
      "llama.cpp",
      openai(400, {
        message: "the request exceeds the available context size, try increasing it",
        type: "exceed_context_size_error",
      }),
    ],
    [
      "llama.cpp, older",
      openai(500, { message: "the request exceeds the available context size. try increasing the context size" }),
    ],
    [
      "LM Studio",
      openai(400, {
        message: "The number of tokens to keep from the initial prompt is greater than the context length",
      }),
    ],
    [
      "Text Generation Inference",
      openai(422, { message: "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000" }),
    ],
    ["a plain Error that only says it", new Error("context length exceeded")],
    ["AI SDK", aiSdk(400, { data: { error: { message: "Input too long", code: "context_length_exceeded" } } })],
  ];
  it.each(overflows)("context overflow is not tried again here, and may be elsewhere: %s", (_, error) => {
    expect(classifyError(error)).toEqual({ kind: "tooLarge", retry: false, counts: false, fallBack: true });
  });

  it.each([
    [404, "invalid"],
    [401, "unauthorized"],
    [503, "overloaded"],
  ] as const)("a context window that a %i speaks of is none that overflows", (status, kind) => {
    expect(classifyError(openai(status, { message: "the context window of this model" })).kind).toBe(kind);
  });

  it.each([500, 529])("a %i that says that too much is asked of it is overloaded; a 400 is not believed", (status) => {
    const message = "The model is currently overloaded. Please try again later.";
    expect(classifyError(openai(status, { message })).kind).toBe("overloaded");
    expect(classifyError(openai(400, { message })).kind).toBe("invalid");
  });

  it("429 that says the request is too large for the limit is not waited for", () => {
    const message = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 48000.";
    const error = openai(429, { message, type: "tokens", code: "rate_limit_exceeded" }, { "retry-after": "20" });
    expect(classifyError(error)).toEqual({ kind: "tooLarge", retry: false, counts: false, fallBack: true });
  });

  it.each([
    [
      "Anthropic's rate limit",
      anthropic(
        429,
        "rate_limit_error",
        "This request would exceed your rate limit of 20,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested, or try again later.",
      ),
    ],
    [
      "Bedrock's",
      Object.assign(new Error("Too many tokens, please wait before trying again."), {
        name: "ThrottlingException",
        $metadata: { httpStatusCode: 429 },
      }),
    ],
    [
      "Groq's",
      openai(429, {
        message:
          "Rate limit reached for model on tokens per minute (TPM): Limit 7500, Used 16673, Requested 3658. Please try again in 1m42.653s.",
        type: "tokens",
        code: "rate_limit_exceeded",
      }),
    ],
  ])("a limit that speaks of tokens is a limit, no overflow: %s", (_, error) => {
    expect(classifyError(error).kind).toBe("rateLimited");
  });

  const filtered: ReadonlyArray<[string, unknown]> = [
    [
      "Azure",
      openai(400, {
        message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code: "content_filter",
      }),
    ],
    [
      "OpenAI",
      openai(400, {
        message: "Your request was rejected as a result of our safety system.",
        code: "content_policy_violation",
      }),
    ],
    [
      "OpenAI's reasoning models",
      openai(400, {
        message: "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
        code: "invalid_prompt",
      }),
    ],
    ["Anthropic", anthropic(400, "invalid_request_error", "Output blocked by content filtering policy")],
    ["DeepSeek", openai(400, { message: "Content Exists Risk" })],
    [
      "Alibaba",
      openai(400, { message: "Input data may contain inappropriate content.", code: "data_inspection_failed" }),
    ],
    ["OpenRouter", openai(403, { message: "The model requires moderation. Your input was flagged." })],
    ["openai's parse helper", new ContentFilterFinishReasonError()],
  ];
  it.each(filtered)("content policy and refusal are not tried again here: %s", (_, error) => {
    expect(classifyError(error)).toEqual({ kind: "contentFiltered", retry: false, counts: false, fallBack: true });
  });
});
