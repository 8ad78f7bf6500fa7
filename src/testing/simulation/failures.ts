// The ways in which a simulated service fails, and whether it had got the request.

interface Way {
  /** What is thrown; or, where `delivered`, what is given as if it were an answer. */
  readonly make: () => unknown;
  /** It may have acted on the request: said here by the service, and nowhere deduced. */
  readonly received: boolean;
  /** Thrown before there is a promise. */
  readonly synchronous?: true;
  readonly delivered?: true;
}

const http = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  Object.assign(new Error(`the service said ${status}`), { status, headers });

/** Ms that a service with a hint asks for. */
export const hintMs = 40;

export const failures = {
  refused: {
    make: () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
    received: false,
  },
  reset: { make: () => Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }), received: true },
  "500": { make: () => http(500), received: true },
  "503": { make: () => http(503), received: true },
  "503, try later": { make: () => http(503, { "retry-after-ms": `${hintMs}` }), received: false },
  "429": { make: () => http(429), received: false },
  "429, try later": { make: () => http(429, { "retry-after-ms": `${hintMs}` }), received: false },
  "400": { make: () => http(400), received: true },
  "401": { make: () => http(401), received: true },
  bug: { make: () => new TypeError("cannot read properties of undefined"), received: true },
  string: { make: () => "no error at all", received: true },
  "own abort": { make: () => new DOMException("a time-out of the client's own", "AbortError"), received: true },
  throws: { make: () => new Error("thrown before there was a promise"), received: true, synchronous: true },
  "error as value": {
    make: () => ({ error: { code: 500, message: "failed, with status 200" } }),
    received: true,
    delivered: true,
  },
} as const satisfies Readonly<Record<string, Way>>;

export type FailureName = keyof typeof failures;

export function wayOf(name: FailureName): Way {
  return failures[name];
}
