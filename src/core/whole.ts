// Whether what a model's service sent is at its end: only where it says so in one of the words for that, since for all that can
// come between there is a new word every year. What is no such answer, or tells nothing of an end, is taken as it is.
import { endingOf } from "./ending.ts";
import { field } from "./shapes.ts";

/** Of OpenAI, Anthropic, Gemini, Bedrock, Cohere, Ollama, the AI SDK, Text Generation Inference and those who speak like them; in lower case, with `_`. */
const ends = new Set<unknown>([
  ...["stop", "end_turn", "stop_sequence", "complete", "completed", "eos_token", "eos"],
  ...["tool_calls", "tool_call", "tool_use", "function_call"],
]);

/** Of what may be no model's answer, because it has no more than a text beside the word, these are taken for words of a service. */
const surelyNone = new Set<unknown>([
  ...["length", "max_tokens", "content_filter", "error", "other", "unknown"],
  ...["cancelled", "pause_turn", "insufficient_system_resource"],
]);

/** Where clients and services put an answer that they hand on. */
const holders = ["data", "response", "body", "result", "completion"] as const;

/** On the way of every answer that a cache is to keep: of an ordinary value a few properties are read, and no getter of its own in which an answer could be. */
export function isWhole(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  try {
    return isAtEnd(value) && !(mayHold(value) && holders.some((name) => holdsOpen(value, name)));
  } catch {
    return true; // a proxy that throws says nothing
  }
}

/** Each by itself: several times as quick as by a list. */
function mayHold(value: object): boolean {
  return "data" in value || "response" in value || "body" in value || "result" in value || "completion" in value;
}

function holdsOpen(value: object, name: string): boolean {
  const held: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof held === "object" && held !== null && !isAtEnd(held);
}

function isAtEnd(value: object): boolean {
  return endingOf(value) === undefined && !isOpen(value);
}

function isOpen(value: object): boolean {
  if (Array.isArray(value)) return isOpenList(value);
  const told = value as Told;
  if (Array.isArray(told.choices)) return told.choices.some((choice) => isOpenChoice(choice, true));
  if (Array.isArray(told.candidates)) return isOpenGemini(told, told.candidates);
  if (told.object === "response") return isOther(told.status);
  if (told.stop_reason !== undefined) return isMessage(told) && isOther(told.stop_reason);
  if (told.finish_reason !== undefined) return isOpenChoice(told, false) || isOpenNote(told, told.finish_reason);
  if (told.finishReason !== undefined) return isOpenAiSdk(told);
  if (told.stopReason !== undefined) return isSaid(field(told.output, "message")) && isOther(told.stopReason);
  if (told.done !== undefined) return isOllama(told) && (told.done === false || isOther(told.done_reason));
  return told.generated_text !== undefined && isOpenText(told);
}

type Told = Readonly<Record<string, unknown>>;

/** It tells how it ended, and not by a word for a good end. */
function isOther(reason: unknown): boolean {
  return reason !== undefined && !ends.has(word(reason));
}

function word(reason: unknown): unknown {
  return typeof reason === "string" ? reason.toLowerCase().replaceAll("-", "_") : reason;
}

/** Choices by themselves, or what was generated for each input: known by the first. */
function isOpenList(list: readonly unknown[]): boolean {
  if (field(list[0], "finish_reason") !== undefined) return list.some((item) => isOpenChoice(item, false));
  return field(list[0], "generated_text") !== undefined && list.some(isOpenText);
}

/** Of a chat, or a part of one. */
function isSaid(message: unknown): boolean {
  return field(message, "role") !== undefined || field(message, "content") !== undefined;
}

/** `among`: in a list of that name, and so without any doubt. */
function isOpenChoice(choice: unknown, among: boolean): boolean {
  const message = field(choice, "message") ?? field(choice, "delta");
  const isOne = among ? typeof message === "object" : isSaid(message);
  return (isOne || isCompletion(choice)) && isOther(field(choice, "finish_reason"));
}

/** A text with what only services put beside it: OpenAI's completions, Cohere's older answers. */
function isCompletion(value: unknown): boolean {
  if (typeof field(value, "text") !== "string") return false;
  return ["logprobs", "generation_id", "response_id"].some((key) => field(value, key) !== undefined);
}

/** A text, and nothing else that tells of a model. */
function isOpenNote({ text }: Told, reason: unknown): boolean {
  return typeof text === "string" && surelyNone.has(word(reason));
}

function isMessage({ type, content, completion, generation }: Told): boolean {
  return type === "message" || Array.isArray(content) || typeof (completion ?? generation) === "string";
}

function isOpenGemini(told: Told, candidates: readonly unknown[]): boolean {
  const isRaw = told.usageMetadata !== undefined || told.modelVersion !== undefined;
  return candidates.some((candidate) => {
    const reason = field(candidate, "finishReason");
    if (reason === undefined) return isRaw; // it has not stopped yet
    return (isRaw || typeof field(candidate, "content") === "object") && isOther(reason);
  });
}

function isOpenAiSdk(told: Told): boolean {
  const reason = field(told.finishReason, "unified") ?? told.finishReason;
  const isOne = "usage" in told && ("text" in told || "object" in told || "content" in told);
  return isOne ? isOther(reason) : isOpenNote(told, reason);
}

function isOllama({ model, message, response }: Told): boolean {
  return typeof model === "string" && (typeof response === "string" || isSaid(message));
}

function isOpenText(value: unknown): boolean {
  return field(value, "generated_text") !== undefined && isOther(field(field(value, "details"), "finish_reason"));
}
