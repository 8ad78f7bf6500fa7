// When the other side may be asked again, by its own word: `Retry-After` and the reset headers of the providers.

/** In ms, most exact first; `x-ms-…` is Azure's, `grpc-…` a gRPC server's pushback. */
const inMs = ["retry-after-ms", "x-ms-retry-after-ms", "grpc-retry-pushback-ms"];

/** When a limit is full again. Services send several (requests, tokens): the later one counts. */
const resets = [
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
  "anthropic-ratelimit-requests-reset",
  "anthropic-ratelimit-tokens-reset",
  "anthropic-ratelimit-input-tokens-reset",
  "anthropic-ratelimit-output-tokens-reset",
  "anthropic-ratelimit-unified-reset",
  "x-ratelimit-reset-after",
  "x-ratelimit-reset",
  "x-rate-limit-reset",
  "ratelimit-reset",
];

const units: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const wholeDuration = /^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/;
const durationPart = /(\d+(?:\.\d+)?)(ms|us|µs|ns|[dhms])/g;

/** A number of ms this large (31 years) is no wait but a point in time. */
const epochFrom = 1e12;

/**
 * Ms until the other side may be asked again, from its headers: `Retry-After` where it is sent, else the later of the
 * reset headers. `undefined` when there is none, or it cannot be read, or is negative or past.
 * Takes a `Headers`, anything else with `get`, or a plain object with names in any case.
 * @see RFC 9110 "HTTP Semantics", R. Fielding and others, 2022, §10.2.3
 */
export function retryAfterMs(headers: unknown, nowEpochMs: number): number | undefined {
  return askedWaitMs(headers, nowEpochMs) ?? resetMs(headers, nowEpochMs);
}

/** `Retry-After` and its kin in ms alone: it tells of a wait whatever the status. */
export function askedWaitMs(headers: unknown, nowEpochMs: number): number | undefined {
  for (const name of inMs) {
    const wait = readWait(headerOf(headers, name), 1, nowEpochMs);
    if (wait !== undefined) return wait;
  }
  return readWait(headerOf(headers, "retry-after"), 1000, sentAt(headers, nowEpochMs));
}

/** The reset headers alone: sent with every answer, so they tell of a wait only beside a refusal for the rate. */
export function resetMs(headers: unknown, nowEpochMs: number): number | undefined {
  let later = 0;
  const now = sentAt(headers, nowEpochMs);
  for (const name of resets) later = Math.max(later, readWait(headerOf(headers, name), 1000, now) ?? 0);
  return later === 0 ? undefined : later; // 0 is what a service sends that keeps no count
}

/** What their own clock says (`Date`), by which they tell points in time; ours where they do not say. */
export function sentAt(headers: unknown, nowEpochMs: number): number {
  const at = readDate(headerOf(headers, "date")?.trim() ?? "");
  return Number.isNaN(at) ? nowEpochMs : at;
}

/** The wait a message speaks of: `try again in 7m12s`, `retry after 26 seconds`, Google's `"retryDelay": "34s"`. */
export function waitInText(text: string): number | undefined {
  const short = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[dhms]))+)(?![a-z])/i.exec(text)?.[1];
  if (short !== undefined) return readWait(short, 1000, 0);
  const [, count, unit] = /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) (second|minute|hour)s?\b/i.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return readWait(`${count}${unit[0]?.toLowerCase()}`, 1000, 0);
  return readWait(/retryDelay\\?"\s*:\s*\\?"([\d.]+s)/.exec(text)?.[1], 1000, 0);
}

/** Reads a number (of `unit` ms, or Unix s or ms), `6m0s`, an HTTP date or an RFC 3339 one, as ms from now. */
export function readWait(text: string | undefined, unit: number, nowEpochMs: number): number | undefined {
  const said = text?.trim();
  if (said === undefined) return undefined;
  let wait = Number.NaN;
  if (/^\d+(?:\.\d+)?$/.test(said)) {
    const count = Number(said);
    if (count * unit < epochFrom) wait = count * unit;
    else wait = (count < 1e11 ? count * 1000 : count) - nowEpochMs;
  } else if (wholeDuration.test(said)) {
    wait = 0;
    for (const [, count, name] of said.matchAll(durationPart)) wait += Number(count) * (units[name ?? ""] ?? 0);
  } else {
    wait = readDate(said) - nowEpochMs;
  }
  return wait >= 0 && wait < Number.POSITIVE_INFINITY ? Math.round(wait) : undefined;
}

/** Only what is a date by its form: `Date.parse` alone reads `-5` as one. */
function readDate(said: string): number {
  if (/^[A-Za-z]{3,9},? .*\d\d:\d\d:\d\d/.test(said)) {
    // asctime has no zone, and HTTP's dates are all GMT
    return Date.parse(/(?:GMT|UTC|[+-]\d{4})$/.test(said) ? said : `${said} GMT`);
  }
  if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:/.test(said)) {
    return Date.parse(/(?:[Zz]|[+-]\d\d:?\d\d)$/.test(said) ? said : `${said}Z`);
  }
  return Number.NaN;
}

/** One header's text, whatever holds it; of several values the first. */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  try {
    const holder = headers as { readonly get?: unknown } & Readonly<Record<string, unknown>>;
    // of a class with a method `get` (Headers, Map, gRPC's Metadata) the entries are no properties
    const found = typeof holder.get === "function" ? (headers as Map<string, unknown>).get(name) : holder[name];
    return (
      first(found) ?? (typeof Headers === "function" && headers instanceof Headers ? undefined : search(headers, name))
    );
  } catch {
    return undefined;
  }
}

function search(headers: object, name: string): string | undefined {
  const entries: Iterable<readonly [unknown, unknown]> = headers instanceof Map ? headers : Object.entries(headers);
  for (const [key, value] of entries) {
    if (typeof key === "string" && key.length === name.length && key.toLowerCase() === name) return first(value);
  }
  return undefined;
}

function first(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" ? one : typeof one === "number" ? String(one) : undefined;
}
