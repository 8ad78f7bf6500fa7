// One judge for all: what an error, or a value that tells of one, means for trying again, for health and for the next tier.
import { isOwn } from "./errors.ts";
import { judge, withHints } from "./judge.ts";
import { field, httpStatus, isResponse, textField } from "./shapes.ts";
import { kindOfStatus, verdicts, waitFor } from "./table.ts";
import type { Verdict } from "./verdict.ts";

/**
 * The standard verdict of an error, or of a value that tells of a failure (a `Response`, a body with `error`);
 * `undefined`: nothing wrong with it. Never throws. The table is in `docs/verdicts.md`.
 * @example
 * const verdict = classify(new Response(null, { status: 429, headers: { "retry-after": "2" } }));
 * console.log(verdict?.kind, verdict?.retryAfterMs); // → rateLimited 2000
 */
export function classify(seen: unknown): Verdict | undefined {
  return isError(seen) ? classifyError(seen) : classifyValue(seen);
}

/** What was thrown, whatever it is: always a verdict. */
export function classifyError(error: unknown, now?: number): Verdict {
  // refusals come in volume, and need no search
  if (isOwn(error)) {
    const { code, retryAfterMs } = error;
    if (code === "BREAKER_OPEN" && retryAfterMs !== undefined) return waitFor(retryAfterMs);
    if (code === "BULKHEAD_FULL" && retryAfterMs === undefined) return verdicts.notAdmitted;
  }
  try {
    return judge(error, now) ?? verdicts.unknown;
  } catch {
    // a proxy can throw where no property is read
    return verdicts.unknown;
  }
}

/** What was delivered: on the way of every successful call, so it looks at nothing that an ordinary value has not. */
export function classifyValue(value: unknown, now?: number): Verdict | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    // read, and not asked for with `in`: where values of dozens of shapes come by, that is twice as dear
    const { choices, error, status } = value as Told;
    if (status !== undefined && isResponse(value)) return responseVerdict(value, now);
    return error !== undefined || choices !== undefined ? bodyVerdict(value, now) : undefined;
  } catch {
    return undefined;
  }
}

type Told = Readonly<Partial<Record<"status" | "error" | "choices", unknown>>>;

/** Whether `seen` is something that is thrown; of a value it cannot be told, so what is left is judged as delivered. */
function isError(seen: unknown): boolean {
  try {
    if (seen instanceof Error || Object.prototype.toString.call(seen) === "[object Error]") return true;
  } catch {
    return false;
  }
  if (textField(seen, "message") === undefined) return false;
  if (textField(seen, "name") !== undefined && textField(seen, "stack") !== undefined) return true;
  // plain ones, as model services write and some clients throw them
  if (textField(seen, "type")?.endsWith("_error")) return true;
  return (httpStatus(field(seen, "status")) ?? httpStatus(field(seen, "statusCode"))) !== undefined;
}

function responseVerdict(response: object, now: number | undefined): Verdict | undefined {
  const status = httpStatus(field(response, "status"));
  if (status !== undefined) return withHints(kindOfStatus(status), response, now, false);
  return field(response, "type") === "error" ? verdicts.network : undefined;
}

/** As model services send it with status 200: an error at the top, or a choice that ended in one. */
function bodyVerdict(body: object, now: number | undefined): Verdict | undefined {
  const error = Object.hasOwn(body, "error") ? field(body, "error") : undefined;
  if (tellsOfFailure(error)) return judge(error, now) ?? verdicts.unknown;
  // the Responses API where it gives no reason
  if (error === null && field(body, "status") === "failed" && field(body, "object") === "response") {
    return verdicts.transient;
  }
  const choices = Object.hasOwn(body, "choices") ? field(body, "choices") : undefined;
  if (!Array.isArray(choices)) return undefined;
  const broken: unknown = choices.find((choice) => field(choice, "finish_reason") === "error");
  return broken === undefined ? undefined : (judge(field(broken, "error"), now) ?? verdicts.transient);
}

function tellsOfFailure(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const code = field(error, "code");
  return (
    typeof code === "number" ||
    typeof code === "string" ||
    textField(error, "type") !== undefined ||
    textField(error, "message") !== undefined
  );
}
