// What whoever asks this service has left of its deadline.
import type { CallOptions } from "../core/operation.ts";

/** Those of a fetch-style `Request`, or of `node:http` and Express. */
export type HeadersGiven =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Up to 11 days: nobody waits longer, and no number is too large for a timer. */
const wholeMs = /^\d{1,9}$/;

/**
 * The options of a call for a request that came in: its `deadline` as `deadlineHeaders` sent it. What is missing, twice
 * there, or no whole number of milliseconds of at most nine digits is ignored: a caller can shorten its own call, and
 * nothing else.
 * @example
 * console.log(fromHeaders({ "x-deadline-ms": "250" })); // → { deadline: 250 }
 */
export function fromHeaders(headers: HeadersGiven): Pick<CallOptions, "deadline"> {
  const said = typeof headers.get === "function" ? headers.get("x-deadline-ms") : plain(headers)["x-deadline-ms"];
  return typeof said === "string" && wholeMs.test(said) ? { deadline: Number(said) } : {};
}

function plain(headers: HeadersGiven): Readonly<Record<string, unknown>> {
  return headers as Readonly<Record<string, unknown>>;
}
