// What a model's answer says of its own end, in the shapes in which services send it.
import { field, textField } from "./shapes.ts";
import type { Finding } from "./verdict.ts";

/** Why an answer cannot be taken, whatever it holds: neither is a matter of its form. */
export interface Ending {
  readonly reason: "cutOff" | "refusal";
  readonly finding: Finding;
}

/** Where services tell it. */
type Told = Readonly<
  Partial<
    Record<
      | "choices"
      | "stop_reason"
      | "candidates"
      | "promptFeedback"
      | "finishReason"
      | "output"
      | "incomplete_details"
      | "finish_reason"
      | "done_reason"
      | "stopReason"
      | "generated_text",
      unknown
    >
  >
>;

/** How it ended, where that was before its time: on the way of every success, so it looks at nothing that an ordinary value has not. */
export function endingOf(value: unknown): Ending | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    if (Array.isArray(value)) return ofList(value);
    const told = value as Told;
    if (told.choices !== undefined) return first(value, "choices", ofChoice);
    if (told.stop_reason !== undefined) return ofMessage(value);
    if (told.candidates !== undefined || told.promptFeedback !== undefined) return ofGemini(value);
    if (told.finishReason !== undefined) return ofAiSdk(value);
    if (told.finish_reason !== undefined) return ofFlat(value, "finish_reason");
    if (told.done_reason !== undefined) return ofFlat(value, "done_reason");
    if (told.stopReason !== undefined) return ofFlat(value, "stopReason");
    if (told.generated_text !== undefined) return ofDetails(value);
    return told.output !== undefined || told.incomplete_details !== undefined ? ofResponse(value) : undefined;
  } catch {
    return undefined; // a proxy that throws says nothing
  }
}

export function cutOff(path: string | undefined, got: unknown): Ending {
  const fix = "a shorter answer, or a higher limit of tokens";
  return {
    reason: "cutOff",
    finding: { ...(path !== undefined && { path }), got, wanted: "an answer that is not cut off", fix },
  };
}

function refusal(path: string, got: unknown): Ending {
  return { reason: "refusal", finding: { path, got, wanted: "an answer, not a refusal" } };
}

/** Chat completions. */
function ofChoice(choice: unknown, path: string): Ending | undefined {
  const reason = field(choice, "finish_reason");
  if (atLimit.has(reason)) return cutOff(`${path}.finish_reason`, reason);
  const said = textField(field(choice, "message"), "refusal");
  if (said) return refusal(`${path}.message.refusal`, said);
  return reason === "content_filter" ? refusal(`${path}.finish_reason`, reason) : undefined;
}

const atLimit = new Set<unknown>([
  ...["length", "model_length", "MAX_TOKENS", "max_tokens", "model_context_window_exceeded"],
]);
const filtered = new Set<unknown>(["content_filter", "content_filtered", "guardrail_intervened", "ERROR_TOXIC"]);

function ofReason(reason: unknown, path: string): Ending | undefined {
  if (atLimit.has(reason)) return cutOff(path, reason);
  return filtered.has(reason) ? refusal(path, reason) : undefined;
}

/** Cohere, Ollama, Bedrock, and one choice by itself: the reason beside the answer. */
function ofFlat(value: object, key: "finish_reason" | "done_reason" | "stopReason"): Ending | undefined {
  if (!("message" in value || "text" in value || "output" in value || "response" in value)) return undefined;
  const said = textField(field(value, "message"), "refusal");
  const ending = ofReason(field(value, key), key);
  return ending ?? (said ? refusal("message.refusal", said) : undefined);
}

/** Text Generation Inference. */
function ofDetails(value: unknown): Ending | undefined {
  return ofReason(field(field(value, "details"), "finish_reason"), "details.finish_reason");
}

/** Choices by themselves, or what was generated for each input: known by the first. */
function ofList(list: readonly unknown[]): Ending | undefined {
  if (field(list[0], "finish_reason") !== undefined) return eachOf(list, "", ofChoice);
  if (field(list[0], "generated_text") === undefined) return undefined;
  return eachOf(list, "", (item, path) =>
    ofReason(field(field(item, "details"), "finish_reason"), `${path}.details.finish_reason`),
  );
}

/** Anthropic's messages. */
function ofMessage(value: object): Ending | undefined {
  if (field(value, "type") !== "message" && !Array.isArray(field(value, "content"))) return undefined;
  const reason = field(value, "stop_reason");
  if (reason === "refusal") return refusal("stop_reason", reason);
  return reason === "max_tokens" || reason === "model_context_window_exceeded"
    ? cutOff("stop_reason", reason)
    : undefined;
}

/** The Responses API. */
function ofResponse(value: object): Ending | undefined {
  if (field(value, "object") !== "response" && field(value, "incomplete_details") === undefined) return undefined;
  if (field(value, "status") === "incomplete") {
    const reason = field(field(value, "incomplete_details"), "reason");
    const path = "incomplete_details.reason";
    return reason === "content_filter" ? refusal(path, reason) : cutOff(path, reason);
  }
  return first(value, "output", (item, at) =>
    first(item, "content", (part, within) => {
      if (field(part, "type") !== "refusal") return undefined;
      return refusal(`${at}.${within}.refusal`, field(part, "refusal"));
    }),
  );
}

const blocked = new Set<unknown>(["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"]);

function ofGemini(value: object): Ending | undefined {
  const block = field(field(value, "promptFeedback"), "blockReason");
  if (block !== undefined) return refusal("promptFeedback.blockReason", block);
  return first(value, "candidates", (candidate, at) => {
    const reason = field(candidate, "finishReason");
    if (reason === "MAX_TOKENS") return cutOff(`${at}.finishReason`, reason);
    return blocked.has(reason) ? refusal(`${at}.finishReason`, reason) : undefined;
  });
}

function ofAiSdk(value: object): Ending | undefined {
  if (!("text" in value || "object" in value)) return undefined;
  const told = field(value, "finishReason");
  const reason = field(told, "unified") ?? told;
  if (reason === "length") return cutOff("finishReason", reason);
  return reason === "content-filter" ? refusal("finishReason", reason) : undefined;
}

type Look = (item: unknown, path: string) => Ending | undefined;

/** The first of a list that has something to say, with its path. */
function first(of: unknown, key: string, look: Look): Ending | undefined {
  const list = field(of, key);
  return Array.isArray(list) ? eachOf(list, `${key}.`, look) : undefined;
}

function eachOf(list: readonly unknown[], before: string, look: Look): Ending | undefined {
  for (const [i, item] of list.entries()) {
    const found = look(item, `${before}${i}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
