// The text that a model's answer holds, in the shapes in which services send it.
import { field, textField } from "../core/shapes.ts";

/** A text, or the text that an answer of one of these shapes holds. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const choice = at(field(value, "choices"), 0);
  if (choice !== undefined) return parts(field(field(choice, "message"), "content")) ?? textField(choice, "text");
  const candidate = at(field(value, "candidates"), 0);
  if (candidate !== undefined) return parts(field(field(candidate, "content"), "parts"));
  if (field(value, "object") === "response") {
    const output = field(value, "output");
    const texts = Array.isArray(output) ? output.map((item) => parts(field(item, "content")) ?? "") : [];
    return textField(value, "output_text") ?? (texts.join("") || undefined);
  }
  if (field(value, "type") === "message") return parts(field(value, "content"));
  if (field(value, "stopReason") !== undefined)
    return parts(field(field(field(value, "output"), "message"), "content"));
  if (field(value, "finish_reason") !== undefined || field(value, "done_reason") !== undefined)
    return parts(field(field(value, "message"), "content")) ?? textField(value, "text") ?? textField(value, "response");
  if (field(value, "finishReason") !== undefined) return textField(value, "text");
  return field(value, "details") === undefined ? undefined : textField(value, "generated_text");
}

function parts(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part) => textField(part, "text")).filter((text) => text !== undefined);
  return texts.length > 0 ? texts.join("") : undefined;
}

function at(list: unknown, index: number): unknown {
  return Array.isArray(list) ? (list as readonly unknown[])[index] : undefined;
}
