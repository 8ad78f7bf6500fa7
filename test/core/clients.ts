// Errors as the clients of model services throw them: openai's are its real classes, the others are rebuilt after the versions named.
import OpenAI from "openai";

/** The error in a response's body. */
export interface Body {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | number | null;
}

/** As the openai client makes it of a response. */
export function openai(status: number, error: Body, headers: Record<string, string> = {}): Error {
  return OpenAI.APIError.generate(status, { error }, undefined, new Headers(headers));
}

/** As @anthropic-ai/sdk 1.13 makes it: the whole body in `error`, its kind in `type`; an event of a stream has no status. */
export function anthropic(
  status: number | undefined,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): Error {
  const error = { type: "error", error: { details: null, type, message } };
  const text = `${status === undefined ? "" : `${status} `}${JSON.stringify(error)}`;
  return Object.assign(new Error(text), { name: "APIError", status, headers: new Headers(headers), error, type });
}

/** As AI SDK 6 and 7 make it. */
export function aiSdk(statusCode: number | undefined, facts: object = {}): Error {
  return Object.assign(new Error("no"), { name: "AI_APICallError", statusCode, isRetryable: true, ...facts });
}
