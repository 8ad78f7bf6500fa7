// What the edge of a service answers when a call has failed, and nothing that is a secret.
import { classify } from "./classify.ts";
import { type ErrorCode, HoldfastError } from "./errors.ts";
import { field, nameOf, textField } from "./shapes.ts";
import { storyOf } from "./stories.ts";
import type { FailureKind } from "./verdict.ts";

export interface Problem {
  readonly status: number;
  /** The words of the status. */
  readonly title: string;
  /** For the one who asked: names no component, shows no value, no cause. */
  readonly detail: string;
  /** Names in lower case; `retry-after` in whole seconds, where it is known. */
  readonly headers: Readonly<Record<string, string>>;
}

const titles = {
  202: "Accepted",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
} as const;
type Status = keyof typeof titles;

const statusOfCode: Partial<Record<ErrorCode, Status>> = {
  INPUT_REJECTED: 422,
  RATE_LIMITED: 429,
  BREAKER_OPEN: 503,
  BULKHEAD_FULL: 503,
  LOAD_SHED: 503,
  SHUTTING_DOWN: 503,
  REFUSED: 503,
  TIMEOUT: 504,
  DEADLINE_EXCEEDED: 504,
  OUTPUT_REJECTED: 502,
  FALLBACK_EXHAUSTED: 502,
  REVIEW_PENDING: 202,
};

const details: Readonly<Record<Status, string>> = {
  202: "There is an answer, and it waits for a person's verdict.",
  422: "The input was not accepted.",
  429: "There were too many requests.",
  500: "Something went wrong here. It is known, and nothing is wrong with the request.",
  502: "What is needed for an answer gave none that can be passed on.",
  503: "It cannot be done at the moment.",
  504: "It took too long and was ended.",
};

/** How many findings a detail lists: the rest is found when these are put right. */
const mostFindings = 20;

/**
 * Status, title, detail and headers for a failed call, as the JSON body and the head of an answer. What was refused for
 * its input is told by path and what is wanted there, never by what was given. What is not known is a 500 that gives
 * nothing away. A caller's own abort is a 503 (there is no standard status for it, and whoever aborted does not read
 * it); a 504 where the caller's signal was a time limit. Never throws.
 * @see RFC 9457 "Problem Details for HTTP APIs", M. Nottingham, E. Wilde, S. Dalal, 2023
 * @example
 * const busy = new HoldfastError("busy", { code: "LOAD_SHED", retryAfterMs: 1_200 });
 * const { status, title, headers } = problem(busy);
 * console.log(status, title, headers["retry-after"]); // → 503 Service Unavailable 2
 */
export function problem(error: unknown): Problem {
  try {
    return HoldfastError.is(error) ? ofOurs(error) : ofForeign(error);
  } catch {
    return answer(500); // what cannot even be looked at
  }
}

function ofOurs(error: HoldfastError): Problem {
  const status = statusOfCode[error.code] ?? 500;
  if (status === 422) return answer(status, undefined, findings(field(error, "issues")));
  if (status === 202) return answer(status, undefined, `Review: ${textField(error, "reviewId") ?? "unknown"}.`);
  return answer(status, status === 500 ? undefined : error.retryAfterMs);
}

function ofForeign(error: unknown): Problem {
  const verdict = classify(error);
  const cancelled = verdict?.kind === "cancelled" || storyOf(error)?.state === "cancelled";
  if (cancelled) return answer(nameOf(error) === "TimeoutError" ? 504 : 503);
  return answer(statusOfKind[verdict?.kind ?? "unknown"] ?? 500, verdict?.retryAfterMs);
}

/** Of what is called, and does not do: it may be well later. */
const statusOfKind: Partial<Record<FailureKind, Status>> = {
  rateLimited: 429,
  network: 503,
  overloaded: 503,
  transient: 503,
  timeout: 504,
};

function answer(status: Status, retryAfterMs?: number | undefined, more?: string): Problem {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  let detail = details[status];
  if (more !== undefined) detail += ` ${more}`;
  if (retryAfterMs !== undefined && retryAfterMs >= 0 && retryAfterMs < Number.POSITIVE_INFINITY) {
    const seconds = Math.ceil(retryAfterMs / 1_000);
    headers["retry-after"] = String(seconds);
    detail += ` Try again in ${seconds} s.`;
  }
  return { status, title: titles[status], detail, headers };
}

function findings(issues: unknown): string {
  if (!Array.isArray(issues)) return "";
  const told = issues.slice(0, mostFindings).map((issue: unknown) => {
    return `${textField(issue, "path") || "(the whole)"}: wanted ${textField(issue, "wanted") ?? "something else"}`;
  });
  const rest = issues.length - told.length;
  return `${told.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}.`;
}
