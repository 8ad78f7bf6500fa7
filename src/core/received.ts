// Whether the other side may have got the request: what must not happen twice is then not tried again.
import { classifyError } from "./classify.ts";
import { errorsOf, field, statusOf, textField } from "./shapes.ts";
import { BRAND } from "./shared.ts";
import type { Verdict } from "./verdict.ts";

const refusals = new Set(
  "INPUT_REJECTED BREAKER_OPEN BULKHEAD_FULL RATE_LIMITED LOAD_SHED SHUTTING_DOWN REFUSED".split(" "),
);

/** Nothing of the request has left: no connection was made, or no name was found to connect to. */
const neverConnected = /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$/;

/** node-postgres, of a connection that was not there in time. */
const neverConnectedInWords =
  /^(?:Connection terminated due to connection timeout|timeout exceeded when trying to connect)$/;

/** What Node was doing: connecting, or looking up the name (`query…`: `node:dns` itself). */
const before = /^(?:connect|getaddrinfo|query\w*)$/;

/**
 * Surely not received: connection refused, DNS, connect timeout, a refusal of holdfast's own, 425, 429, and 503 with a
 * hint to wait. All else may have been.
 * @param error what was thrown, or the value that told of a failure
 */
export function mayHaveBeenReceived(error: unknown, verdict: Verdict): boolean {
  return may(error, verdict, verdict.retryAfterMs !== undefined);
}

/** As `mayHaveBeenReceived`, but what was answered has arrived: also 425, 429 and 503, of which nothing was done. */
export function mayHaveArrived(error: unknown, verdict: Verdict): boolean {
  return may(error, verdict, undefined);
}

function may(error: unknown, verdict: Verdict, hinted: boolean | undefined): boolean {
  if (verdict.kind === "notAdmitted") return false;
  try {
    return !surelyNot(error, hinted, 0);
  } catch {
    return true;
  }
}

/** `hinted`: it has a hint to wait; `undefined`: whatever has a status has arrived. */
function surelyNot(seen: unknown, hinted: boolean | undefined, depth: number): boolean {
  if (typeof seen !== "object" || seen === null || depth > 4) return false;
  if (field(seen, BRAND) === true) {
    const code = textField(seen, "code") ?? "";
    const failures = field(seen, "failures");
    return (
      refusals.has(code) || (code === "FALLBACK_EXHAUSTED" && none(failures, hinted, depth, (f) => field(f, "error")))
    );
  }
  // a client that tried more than once by itself: its last error does not tell of the earlier tries
  const errors = errorsOf(seen);
  const tries = field(field(seen, "$metadata"), "attempts");
  if (typeof tries === "number" && tries > 1) return false;
  if (field(seen, "lastError") !== undefined) return none(errors, hinted, depth, (error) => error);

  const status = statusOf(seen);
  if (status !== undefined)
    return hinted !== undefined && (status === 425 || status === 429 || (status === 503 && hinted));
  if (errors !== undefined) return none(errors, hinted, depth, (error) => error);
  if (before.test(textField(seen, "syscall") ?? "")) return true;
  const code = textField(seen, "code") ?? "";
  if (neverConnectedInWords.test(textField(seen, "message") ?? "")) return true;
  return neverConnected.test(code) || surelyNot(field(seen, "cause"), hinted, depth + 1);
}

/** Whether it holds for each of several, with each one's own hint. */
function none(
  several: unknown,
  hinted: boolean | undefined,
  depth: number,
  errorOf: (one: unknown) => unknown,
): boolean {
  if (!Array.isArray(several) || several.length === 0) return false;
  return several.every((one) => {
    const error = errorOf(one);
    return surelyNot(error, hinted === undefined ? hinted : classifyError(error).retryAfterMs !== undefined, depth + 1);
  });
}
