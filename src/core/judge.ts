// How an error is judged: by what it says of itself, else by what is inside it, else by what it is.
import { epochNow } from "./clock.ts";
import { askedWaitMs, headerOf, readWait, resetMs, waitInText } from "./hints.ts";
import {
  field,
  grpcCodeOf,
  headersOf,
  insideOf,
  nameOf,
  retryDelayOf,
  sqlStateOf,
  statusOf,
  textField,
  wordsOf,
} from "./shapes.ts";
import { BRAND } from "./shared.ts";
import {
  cutOffVerdict,
  deadlineVerdict,
  kindOfCode,
  kindOfGrpc,
  kindOfName,
  kindOfSqlState,
  kindOfStatus,
  kindOfWord,
  pendingVerdict,
  verdicts,
  waitFor,
} from "./table.ts";
import type { FailureKind, Verdict } from "./verdict.ts";
import { kindOfSentence, kindOfWording } from "./wording.ts";

/** How many objects may still be looked at: causes may go in a circle, or very deep. */
interface Search {
  left: number;
}

/** `undefined`: nothing known about it. */
export function judge(seen: unknown, now: number | undefined, search: Search = { left: 16 }): Verdict | undefined {
  if (typeof seen !== "object" || seen === null || search.left === 0) return undefined;
  search.left -= 1;
  const verdict =
    field(seen, BRAND) === true
      ? ownVerdict(seen, now, search)
      : (factualVerdict(seen, now, search) ?? insideVerdict(seen, now, search) ?? verdictAtLast(seen));
  // an inner layer that gave up stops every outer one
  return field(seen, "retryable") === false ? final(verdict ?? verdicts.unknown) : verdict;
}

/** Of an exhausted chain the first failure of what ran: a breaker that was open says nothing of the tiers that were not. */
function decisive(error: object): unknown {
  const failures = field(error, "failures");
  const ran = Array.isArray(failures) ? failures.find((one) => field(one, "kind") !== "notAdmitted") : undefined;
  return ran === undefined ? field(error, "cause") : field(ran, "error");
}

/** An error of holdfast's own, whichever copy made it. */
function ownVerdict(error: object, now: number | undefined, search: Search): Verdict | undefined {
  const retryAfterMs = field(error, "retryAfterMs");
  switch (textField(error, "code")) {
    case "TIMEOUT":
      return verdicts.timeout;
    case "DEADLINE_EXCEEDED":
      return deadlineVerdict;
    case "BREAKER_OPEN":
    case "BULKHEAD_FULL":
    case "RATE_LIMITED":
    case "LOAD_SHED":
    case "SHUTTING_DOWN":
    case "REFUSED":
      return typeof retryAfterMs === "number" ? waitFor(retryAfterMs) : verdicts.notAdmitted;
    case "OUTPUT_REJECTED":
      return rejectedVerdict(error, now, search);
    case "REVIEW_PENDING":
    case "REVIEW_EXPIRED":
    case "REVIEW_CONFLICT":
      return pendingVerdict;
    case "INPUT_REJECTED":
      return verdicts.invalid;
    case "OPTIONS_INVALID":
      return verdicts.bug;
    case "FALLBACK_EXHAUSTED":
      return againIn(final(judge(decisive(error), now, search) ?? verdicts.unknown), retryAfterMs);
    default:
      return judge(field(error, "cause"), now, search);
  }
}

/** Where a judge failed it is the judge's failure, and the operation's no more than the next tier's. */
function rejectedVerdict(error: object, now: number | undefined, search: Search): Verdict {
  const reason = field(error, "reason");
  if (reason !== "unjudged") return reason === "refusal" ? verdicts.contentFiltered : verdicts.quality;
  const { kind } = judge(field(error, "cause"), now, search) ?? verdicts.unknown;
  // the operation itself was called, and nobody wished its end
  const told = kind === "notAdmitted" || kind === "cancelled" ? "unknown" : kind;
  return Object.freeze({ kind: told, retry: false, counts: false, fallBack: false });
}

/** What it says of itself by a name, a number or a code; `undefined`: nothing of that kind. */
function factualVerdict(seen: object, now: number | undefined, search: Search): Verdict | undefined {
  const code = textField(seen, "code");
  const named = kindOfName(nameOf(seen)) ?? kindOfName(textField(seen, "Code") ?? code ?? "");
  const coded = code === undefined ? undefined : kindOfCode(code);
  // a cancellation is one whatever its cause; clients whose class names a bundler has taken still say so
  if (named === "cancelled" || coded === "cancelled" || field(seen, "message") === "Request was aborted.") {
    // p-retry's own AbortError is no cancellation: it says that this error is not to be tried again
    const original = field(seen, "originalError");
    return original === undefined ? verdicts.cancelled : final(judge(original, now, search) ?? verdicts.unknown);
  }
  if (named === "quality") return unusableVerdict(seen);
  if (named !== undefined) return withHints(named, seen, now, true);
  if (field(field(seen, "$retryable"), "throttling") === true) return withHints("rateLimited", seen, now, true);

  const status = statusOf(seen);
  if (status !== undefined) {
    const told = kindOfWording(wordsOf(seen).text, status, () => isHinted(seen, now));
    return withHints(told ?? kindOfStatus(status), seen, now, told !== undefined);
  }
  const grpc = grpcCodeOf(seen);
  const kind = grpc === undefined ? kindOfSystem(seen, code, coded) : kindOfGrpc(grpc);
  if (kind !== undefined) return withHints(kind, seen, now, true);
  if (isProgramming(seen)) return undefined;
  const sentence = kindOfSentence(textField(seen, "message") ?? "");
  return sentence === undefined ? wordedVerdict(seen, now) : verdicts[sentence];
}

/** Of Node, a network library or a database: the code, and what was being done. */
function kindOfSystem(seen: object, code: string | undefined, coded: FailureKind | undefined): FailureKind | undefined {
  if (code === undefined) return undefined;
  const message = textField(seen, "message") ?? "";
  // axios says it of its own timeout
  if (code === "ECONNABORTED" && /timeout/i.test(message)) return "timeout";
  if (coded !== undefined) return coded === "invalid" && isProgramming(seen) ? undefined : coded;
  const syscall = field(seen, "syscall");
  if (syscall === "connect" || syscall === "getaddrinfo") return "network";
  const state = sqlStateOf(seen);
  // query_canceled: by the server's own timeout, or by a person
  if (state === "57014") return /timeout/i.test(message) ? "timeout" : "cancelled";
  return state === undefined ? undefined : kindOfSqlState(state);
}

/** A service's error without a status: an event of a stream, or in a body that came with 200. */
function wordedVerdict(seen: object, now: number | undefined): Verdict | undefined {
  const { words, text } = wordsOf(seen);
  if (words.length > 0) {
    const told = kindOfWording(text, undefined, () => isHinted(seen, now));
    const kind = told ?? words.map(kindOfWord).find((known) => known !== undefined);
    if (kind !== undefined) return withHints(kind, seen, now, told !== undefined);
  }
  const fault = field(seen, "$fault"); // AWS
  return fault === "server" ? verdicts.transient : fault === "client" ? verdicts.invalid : undefined;
}

function insideVerdict(seen: object, now: number | undefined, search: Search): Verdict | undefined {
  for (const inside of insideOf(seen)) {
    const verdict = judge(inside, now, search);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** Nothing in it or inside it is known: what is left is what it is, and what it says. */
function verdictAtLast(seen: object): Verdict | undefined {
  const message = textField(seen, "message") ?? "";
  if (isProgramming(seen)) {
    if (browserNetworkErrors.test(message)) return verdicts.network;
    // `fetch failed` for a reason that has a code, though none we know (a bad certificate), is nobody's bug
    return textField(field(seen, "cause"), "code") === undefined ? verdicts.bug : verdicts.unknown;
  }
  if (nameOf(seen) === "APIConnectionError" || message === "Connection error.") return verdicts.network;
  if (message === "stream has been aborted") return verdicts.network; // axios, of a cut body
  if (message === "Request timed out.") return verdicts.timeout;
  const told = kindOfWording(message, undefined, () => waitInText(message) !== undefined);
  return told === undefined ? undefined : verdicts[told];
}

/** Chrome, Firefox, Safari, React Native: a `TypeError` with a fixed sentence and no cause. */
const browserNetworkErrors =
  /^(?:Failed to fetch(?: \(.*\))?|NetworkError when attempting to fetch resource\.|Load failed(?: \(.*\))?|network error|Network request failed|The Internet connection appears to be offline\.)$/;

function isProgramming(seen: unknown): boolean {
  const name = textField(seen, "name");
  if (name === "TypeError" || name === "ReferenceError" || name === "RangeError") return true;
  return seen instanceof TypeError || seen instanceof ReferenceError || seen instanceof RangeError;
}

/** The client itself could not use what the model said. */
function unusableVerdict(seen: object): Verdict {
  const why = textField(seen, "finishReason"); // AI SDK
  if (why === "content-filter") return verdicts.contentFiltered;
  if (why === "error") return verdicts.transient;
  return why === "length" || nameOf(seen) === "LengthFinishReasonError" ? cutOffVerdict : verdicts.quality;
}

/**
 * The verdict of a kind, with the wait that was asked for and the service's own word on trying again.
 * @param certain the kind is more than what a status alone tells: `x-should-retry: true` does not overrule it
 */
export function withHints(kind: FailureKind, seen: object, now: number | undefined, certain: boolean): Verdict {
  const standard = verdicts[kind];
  const should = headersOf(seen)
    .map((headers) => headerOf(headers, "x-should-retry"))
    .find((said) => said === "true" || said === "false");
  const retry = should === "false" ? false : should === "true" && !certain ? true : standard.retry;
  const waits = retry || standard.retry || kind === "exhausted";
  const retryAfterMs = waits ? waitOf(kind, seen, now) : undefined;
  if (retryAfterMs === undefined) return retry === standard.retry ? standard : Object.freeze({ ...standard, retry });
  return Object.freeze({ ...standard, retry, retryAfterMs });
}

function isHinted(seen: object, now: number | undefined): boolean {
  return waitOf("rateLimited", seen, now) !== undefined;
}

/** Ms that were asked for, by a header, or (where the kind is one of waiting) a detail of the body or the message. */
function waitOf(kind: FailureKind, seen: object, now: number | undefined): number | undefined {
  const holders = headersOf(seen);
  const at = holders.length === 0 ? 0 : (now ?? epochNow());
  for (const headers of holders) {
    const wait = askedWaitMs(headers, at) ?? (kind === "rateLimited" ? resetMs(headers, at) : undefined);
    if (wait !== undefined) return wait;
  }
  if (kind !== "rateLimited" && kind !== "overloaded") return undefined;
  return readWait(retryDelayOf(seen), 1000, 0) ?? waitInText(wordsOf(seen).text);
}

/** When the earliest of several says so, and not only the first of them. */
function againIn(verdict: Verdict, retryAfterMs: unknown): Verdict {
  return typeof retryAfterMs === "number" ? Object.freeze({ ...verdict, retryAfterMs }) : verdict;
}

function final(verdict: Verdict): Verdict {
  return verdict.retry ? Object.freeze({ ...verdict, retry: false }) : verdict;
}
