// What the words of a service tell that its status does not: the same 400 or 429 may mean four things.
import type { FailureKind } from "./verdict.ts";

/** The prompt is longer than the model takes, in the words of the model services and servers. */
const tooLong = new RegExp(
  [
    "context[ _](?:length|window|size|limit|overflow)", // OpenAI, Anthropic, llama.cpp, LM Studio, MiniMax
    "max(?:imum)? (?:context|prompt|model|input) length", // OpenAI, vLLM, Mistral, OpenRouter, xAI
    "(?:prompt|input|request|messages?) (?:is|are) too (?:long|large)", // Anthropic, Bedrock
    "(?:input|prompt) token count", // Gemini, Copilot
    "input tokens exceed", // OpenAI Responses
    "model_max_prompt_tokens", // Copilot
    "reduce the length of (?:the|your) (?:messages|prompt|input)", // Groq, Cerebras, vLLM
    "too large for model", // Mistral
    "exceed(?:s|ed|ing)? (?:the )?(?:model )?token limit|token limit exceeded", // Kimi
    "too many tokens: ", // Cohere; Bedrock says "Too many tokens, please wait" of a rate
    "max_new_tokens`? must be <=|inputs`? must have less than", // TGI, Together
    "reasoning (?:token )?limit", // Responses API: the same question would think as long again
    "exceeds max(?:imum)? length|range of input length", // Zhipu, Qwen
    "string_above_max_length", // OpenAI
  ].join("|"),
  "i",
);
const tooLargeRequest = /request[ _](?:entity )?(?:is )?too[ _]large|request exceeds the maximum size/i;

/** The account is out of money or allowance: waiting here does not help. */
const spent = new RegExp(
  [
    "insufficient[ _](?:quota|credits?|balance|funds)",
    "credit balance is too low", // Anthropic
    "usage[ _]limits?\\b", // Anthropic's spend cap
    "billing[ _](?:hard[ _]limit|error|not[ _]active)", // OpenAI
    "(?:spending|spend|monthly|key) limit (?:has been )?(?:reached|exceeded)|monthly spending limit", // xAI, OpenRouter
    "out of (?:credits?|budget|funds)|used all (?:available|of your) credits",
    "budget[ _](?:has been )?exceeded|exceeded[ _](?:your )?budget", // LiteLLM
  ].join("|"),
  "i",
);
/** OpenAI says it of spent money, Gemini of a limit per minute, and then beside the time to wait. */
const overQuota = /exceeded[ _](?:your )?current[ _]quota/i;

const filtered = new RegExp(
  [
    "content[ _-]?(?:filter|polic|management polic|moderation)", // Azure, OpenAI, Anthropic
    "responsibleai", // Azure
    "content exists risk|data_?inspection_?failed|prohibited[ _]content", // DeepSeek, Alibaba, Gemini
    "(?:our )?safety system|usage polic", // OpenAI
    "moderation", // OpenAI, OpenRouter
    "(?:input|prompt|request|content|output) (?:was|has been|is) flagged",
    "\\brefusal\\b",
  ].join("|"),
  "i",
);
const overload = /\boverloaded(?:_error)?\b/i;

/** node-postgres gives what ends a connection no code, only these sentences. */
const sentences = new Map<string, FailureKind>([
  ["Connection terminated unexpectedly", "network"],
  ["Client has encountered a connection error and is not queryable", "network"],
  ["Connection terminated due to connection timeout", "timeout"],
  ["timeout exceeded when trying to connect", "timeout"],
  ["Query read timeout", "timeout"],
]);

/** The kind of an error whose message is a fixed sentence of its client. */
export function kindOfSentence(message: string): FailureKind | undefined {
  return sentences.get(message);
}

/**
 * The kind that an error's type, code and message tell of, where it is none that the status alone would tell.
 * @param status the HTTP status if there is one: it decides which words are believed
 * @param hinted whether a time to wait was sent along
 */
export function kindOfWording(
  text: string,
  status: number | undefined,
  hinted: () => boolean,
): FailureKind | undefined {
  // a message may quote a whole request
  const said = text.length > 4000 ? text.slice(0, 4000) : text;
  if (believes(status, 400, 402, 403, 429) && (spent.test(said) || (overQuota.test(said) && !hinted())))
    return "exhausted";
  if (tooLargeRequest.test(said) && believes(status, 400, 413, 422, 429)) return "tooLarge";
  if (believes(status, 400, 413, 422, 500) && tooLong.test(said)) return "tooLarge";
  if (believes(status, 400, 403, 422, 451, 500) && filtered.test(said)) return "contentFiltered";
  if ((status === undefined || status === 429 || status >= 500) && overload.test(said)) return "overloaded";
  return undefined;
}

function believes(status: number | undefined, ...of: readonly number[]): boolean {
  return status === undefined || of.includes(status);
}
