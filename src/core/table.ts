// The table of verdicts as data: what is thought of each kind of failure, and which kind a number, a code or a name tells of.
import type { FailureKind, Verdict } from "./verdict.ts";

const yes = true;
const no = false;

/** The three answers a kind: again here, counts against health, elsewhere. Frozen, so that a verdict without a hint costs nothing. */
export const verdicts: Readonly<Record<FailureKind, Verdict>> = Object.freeze({
  network: answers("network", yes, yes, yes),
  timeout: answers("timeout", yes, yes, yes),
  transient: answers("transient", yes, yes, yes),
  overloaded: answers("overloaded", yes, yes, yes),
  rateLimited: answers("rateLimited", yes, no, yes),
  exhausted: answers("exhausted", no, no, yes),
  unauthorized: answers("unauthorized", no, no, yes),
  tooLarge: answers("tooLarge", no, no, yes),
  contentFiltered: answers("contentFiltered", no, no, yes),
  invalid: answers("invalid", no, no, no),
  quality: answers("quality", yes, no, yes),
  cancelled: answers("cancelled", no, no, no),
  notAdmitted: answers("notAdmitted", no, no, yes),
  bug: answers("bug", no, yes, yes),
  unknown: answers("unknown", yes, yes, yes),
});

/** The call's deadline: nothing is left to try in. Whether it counts depends on how much of it the attempt had. */
export const deadlineVerdict: Verdict = answers("timeout", no, no, no);

/** An answer cut off at its limit: the same limit is not asked again. */
export const cutOffVerdict: Verdict = answers("quality", no, no, yes);

/** Kept for a person's verdict: nobody but the person can do anything. */
export const pendingVerdict: Verdict = answers("quality", no, no, no);

function answers(kind: FailureKind, retry: boolean, counts: boolean, fallBack: boolean): Verdict {
  return Object.freeze({ kind, retry, counts, fallBack });
}

/** @see RFC 9110 "HTTP Semantics", R. Fielding and others, 2022, §15: an unknown status is read as the first of its class. */
export function kindOfStatus(status: number): FailureKind {
  if (status === 408 || status === 504) return "timeout";
  if (status === 503 || status === 529) return "overloaded";
  if (status >= 500 || status === 425) return "transient";
  if (status === 429) return "rateLimited";
  if (status === 402) return "exhausted";
  if (status === 401 || status === 403 || status === 407) return "unauthorized";
  return status === 413 ? "tooLarge" : "invalid";
}

/** By number, from 0 (OK). @see gRPC "Status codes and their use in gRPC" */
const grpc: ReadonlyArray<FailureKind | undefined> = [
  undefined,
  "cancelled",
  "unknown",
  "invalid",
  "timeout",
  "invalid",
  "invalid",
  "unauthorized",
  "rateLimited",
  "invalid",
  "transient",
  "unknown",
  "unknown",
  "transient",
  "network",
  "unknown",
  "unauthorized",
];

export function kindOfGrpc(code: number): FailureKind | undefined {
  return grpc[code];
}

/** @see PostgreSQL documentation, appendix A "PostgreSQL Error Codes" */
export function kindOfSqlState(state: string): FailureKind | undefined {
  if (state === "40001" || state === "40P01") return "transient";
  if (state.startsWith("57P")) return "network";
  const kinds: Readonly<Record<string, FailureKind>> = sqlClasses;
  return kinds[state.slice(0, 2)];
}

const sqlClasses = {
  "08": "network",
  "22": "invalid",
  "23": "invalid",
  "28": "unauthorized",
  "42": "invalid",
  "53": "overloaded",
} as const;

const byCode = new Map<string, FailureKind>([
  // Node's and libuv's
  ...list("network", "ECONNREFUSED ECONNRESET ECONNABORTED ENOTCONN EPIPE ESHUTDOWN EADDRNOTAVAIL"),
  ...list(
    "network",
    "EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENETRESET ENOTFOUND ENODATA ESERVFAIL EREFUSED ETIMEOUT",
  ),
  ...list("network", "ERR_STREAM_PREMATURE_CLOSE ERR_SOCKET_CLOSED ERR_SOCKET_CLOSED_BEFORE_CONNECTION"),
  ...list("network", "ERR_HTTP2_STREAM_CANCEL ERR_HTTP2_STREAM_ERROR ERR_HTTP2_SESSION_ERROR ERR_HTTP2_GOAWAY_SESSION"),
  ...list("network", "ERR_HTTP2_INVALID_SESSION ERR_HTTP2_PING_CANCEL"),
  ...list("timeout", "ETIMEDOUT ESOCKETTIMEDOUT ERR_SOCKET_CONNECTION_TIMEOUT ERR_HTTP_REQUEST_TIMEOUT"),
  // axios's and undici's; a request that could not even be made is the caller's mistake
  ...list("network", "ERR_NETWORK"),
  ...list("invalid", "ERR_BAD_OPTION ERR_BAD_OPTION_VALUE ERR_NOT_SUPPORT ERR_INVALID_URL"),
  ...list("invalid", "UND_ERR_INVALID_ARG UND_ERR_NOT_SUPPORTED UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"),
  ...list("cancelled", "ABORT_ERR ERR_CANCELED UND_ERR_ABORTED UND_ERR_ABORT"),
]);

/** The code of a network library, of Node, undici or axios. */
export function kindOfCode(code: string): FailureKind | undefined {
  const kind = byCode.get(code);
  if (kind !== undefined) return kind;
  if (/^UND_ERR_\w+_TIMEOUT$/.test(code)) return "timeout";
  return /^(?:UND_ERR|EAI_|HPE_)/.test(code) ? "network" : undefined;
}

const byName = new Map<string, FailureKind>([
  ...list("cancelled", "AbortError CanceledError APIUserAbortError"),
  ...list("timeout", "TimeoutError APIConnectionTimeoutError RequestTimeout RequestTimeoutException"),
  // AWS says most of these with status 400
  ...list("rateLimited", "ThrottlingException ThrottledException Throttling EC2ThrottledException RequestThrottled"),
  ...list(
    "rateLimited",
    "RequestThrottledException RequestLimitExceeded LimitExceededException BandwidthLimitExceeded SlowDown",
  ),
  ...list("rateLimited", "TooManyRequestsException ProvisionedThroughputExceededException PriorRequestNotComplete"),
  ...list("rateLimited", "TransactionInProgressException"),
  ...list("exhausted", "ServiceQuotaExceededException"),
  ...list("unauthorized", "AccessDeniedException ExpiredToken ExpiredTokenException UnrecognizedClientException"),
  ...list("unauthorized", "InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch AI_LoadAPIKeyError"),
  ...list("contentFiltered", "ContentFilterFinishReasonError"),
  // the AI SDK's, before anything was sent
  ...list(
    "invalid",
    "AI_InvalidArgumentError AI_InvalidPromptError AI_InvalidDataContentError AI_InvalidMessageRoleError",
  ),
  ...list(
    "invalid",
    "AI_InvalidToolInputError AI_NoSuchToolError AI_MissingToolResultsError AI_MessageConversionError",
  ),
  ...list("invalid", "AI_UnsupportedFunctionalityError AI_UnsupportedModelVersionError AI_NoSuchModelError"),
  ...list("invalid", "AI_NoSuchProviderError AI_LoadSettingError AI_TooManyEmbeddingValuesForCallError"),
  ...list("quality", "AI_NoObjectGeneratedError AI_NoContentGeneratedError LengthFinishReasonError"),
]);

/** The name of an error's class, where it tells more than its status does. */
export function kindOfName(name: string): FailureKind | undefined {
  return byName.get(name);
}

const byWord = new Map<string, FailureKind>([
  ...list("overloaded", "overloaded_error engine_overloaded_error service_unavailable unavailable"),
  ...list("rateLimited", "rate_limit_error rate_limit_exceeded rate_limited too_many_requests resource_exhausted"),
  ...list("unauthorized", "authentication_error permission_error permission_denied invalid_api_key unauthenticated"),
  ...list("unauthorized", "unauthorized forbidden"),
  ...list("invalid", "invalid_request_error not_found_error not_found model_not_found bad_request invalid_argument"),
  ...list("transient", "api_error server_error internal_error internal internal_server_error bad_gateway aborted"),
  ...list("timeout", "timeout_error request_timeout gateway_timeout deadline_exceeded request-timeout body-timeout"),
  ...list("exhausted", "billing_error insufficient_quota"),
  ...list("tooLarge", "request_too_large"),
]);

/** The `type`, `code` or `status` word of an error as services send it, when no status tells. */
export function kindOfWord(word: string): FailureKind | undefined {
  return byWord.get(word.toLowerCase());
}

function list(kind: FailureKind, words: string): Array<[string, FailureKind]> {
  return words.split(" ").map((word) => [word, kind]);
}

/** A refusal of our own that says when to come again. */
export function waitFor(retryAfterMs: number): Verdict {
  return { kind: "notAdmitted", retry: false, counts: false, fallBack: true, retryAfterMs };
}
