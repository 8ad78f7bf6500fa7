// What whoever asks this service has left of its deadline.
import { OptionsInvalidError } from "../core/errors.ts";
import type { CallOptions } from "../core/operation.ts";

/** Those of a fetch-style `Request`, or of `node:http` and Express. */
export type HeadersGiven =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Up to 11 days: nobody waits longer, and no number is too large for a timer. */
const wholeMs = /^[ \t]*(\d{1,9})[ \t]*$/;

/**
 * The options of a call for a request that came in: its `deadline` as `deadlineHeaders` sent it. What is missing, twice
 * there, or no whole number of milliseconds of at most nine digits is ignored: a caller can shorten its own call, and
 * nothing else. Names of headers are compared without case.
 * @throws OptionsInvalidError for what is no headers at all
 * @example
 * console.log(fromHeaders({ "x-deadline-ms": "250" })); // → { deadline: 250 }
 */
export function fromHeaders(headers: HeadersGiven): Pick<CallOptions, "deadline"> {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    const wanted = "a request's headers: of fetch, or a plain object";
    throw new OptionsInvalidError("fromHeaders", [{ path: "headers", got: headers, wanted }]);
  }
  const said = typeof headers.get === "function" ? headers.get("x-deadline-ms") : onlyOne(headers);
  const ms = typeof said === "string" ? wholeMs.exec(said)?.[1] : undefined;
  return ms === undefined ? {} : { deadline: Number(ms) };
}

/** Of a plain object: what is there twice, in whatever case, says nothing. */
function onlyOne(headers: object): unknown {
  const said = Object.entries(headers).filter(([name]) => name.toLowerCase() === "x-deadline-ms");
  return said.length === 1 ? said[0]?.[1] : undefined;
}
