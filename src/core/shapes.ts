// Where the clients keep what they know of a failure: status, code, headers and body, read without ever throwing.

/** One property, whatever it is read from: a getter or a proxy that throws has nothing to say. */
export function field(of: unknown, key: PropertyKey): unknown {
  if ((typeof of !== "object" && typeof of !== "function") || of === null) return undefined;
  try {
    return (of as Readonly<Record<PropertyKey, unknown>>)[key];
  } catch {
    return undefined;
  }
}

export function textField(of: unknown, key: PropertyKey): string | undefined {
  const value = field(of, key);
  return typeof value === "string" ? value : undefined;
}

/** The HTTP status that this error, `Response` or body itself tells of, if it is one of failure (400–599). */
export function statusOf(seen: unknown): number | undefined {
  const response = field(seen, "response");
  return (
    httpStatus(field(seen, "status")) ??
    httpStatus(field(seen, "statusCode")) ?? // AI SDK, got, undici
    httpStatus(field(response, "status")) ?? // axios, ky, superagent
    httpStatus(field(response, "statusCode")) ??
    httpStatus(field(field(seen, "$metadata"), "httpStatusCode")) ?? // AWS
    httpStatus(field(seen, "code")) ?? // Google's clients, and openai for an error inside a 200
    bodyStatus(bodyOf(seen))
  );
}

/** Likewise, of what is inside it too: a client's retry error has no status of its own. */
export function statusWithin(seen: unknown, depth = 0): number | undefined {
  const status = statusOf(seen);
  if (status !== undefined || depth >= 4) return status;
  for (const inside of insideOf(seen)) {
    const found = statusWithin(inside, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function bodyStatus(body: object | undefined): number | undefined {
  return httpStatus(field(body, "code")) ?? httpStatus(field(body, "status"));
}

/** A status of failure, of what may be one. */
export function httpStatus(value: unknown): number | undefined {
  const status = typeof value === "string" && /^[45]\d\d$/.test(value) ? Number(value) : value;
  return typeof status === "number" && status >= 400 && status < 600 && Number.isInteger(status) ? status : undefined;
}

/** The error as the service wrote it: what clients keep beside their own, unwrapped from `{ error: {…} }`. */
export function bodyOf(seen: unknown): object | undefined {
  const response = field(seen, "response");
  const body =
    objectOrNone(field(seen, "error")) ?? // openai, Anthropic, a body itself
    objectOrNone(field(seen, "data")) ?? // AI SDK, Google
    objectOrNone(field(response, "data")) ?? // axios
    parsedBody(seen) ??
    parsedBody(response); // got
  return objectOrNone(field(body, "error")) ?? body;
}

/** Of a `Response` the body is a stream that is somebody else's to touch. */
function parsedBody(of: unknown): object | undefined {
  return isResponse(of) ? undefined : objectOrNone(field(of, "body"));
}

/** By its tag, not `instanceof`: Node loads its fetch at the first look at `Response`, and undici has one of its own. */
export function isResponse(seen: unknown): boolean {
  return field(seen, Symbol.toStringTag) === "Response" && typeof field(seen, "status") === "number";
}

function objectOrNone(value: unknown): object | undefined {
  return typeof value === "object" && value !== null ? value : undefined;
}

/** gRPC's number, of an error that is one of gRPC: other numbers mean other things elsewhere. */
export function grpcCodeOf(seen: unknown): number | undefined {
  const code = field(seen, "code");
  if (typeof code !== "number") return undefined;
  return field(seen, "metadata") !== undefined || field(seen, "details") !== undefined ? code : undefined;
}

/** PostgreSQL's (and by the standard MySQL's) five characters. */
export function sqlStateOf(seen: unknown): string | undefined {
  const state = textField(seen, "sqlState") ?? textField(seen, "code");
  return state !== undefined && /^\d[0-9A-Z]{4}$/.test(state) ? state : undefined;
}

/** The name of its class; clients that leave `name` at `Error` still have one. */
export function nameOf(seen: unknown): string {
  const name = textField(seen, "name");
  if (name !== undefined && name !== "" && name !== "Error") return name;
  return textField(field(seen, "constructor"), "name") ?? name ?? "";
}

/** Everything that may hold headers, nearest first. */
export function headersOf(seen: unknown): readonly unknown[] {
  const response = field(seen, "response");
  return [
    field(seen, "headers"),
    field(seen, "responseHeaders"), // AI SDK
    field(response, "headers"),
    field(field(seen, "$response"), "headers"), // AWS
    field(seen, "metadata"), // gRPC
    field(field(bodyOf(seen) ?? seen, "metadata"), "headers"), // OpenRouter tells the provider's in its body
  ].filter((headers) => typeof headers === "object" && headers !== null);
}

/** The errors inside: the last one of a client's own retries or of several addresses tried, the cause, what it wraps. */
export function insideOf(seen: unknown): readonly unknown[] {
  const inside: unknown[] = [];
  const last = field(seen, "lastError") ?? errorsOf(seen)?.at(-1);
  if (last !== undefined) inside.push(last);
  const cause = field(seen, "cause");
  if (cause !== undefined) inside.push(cause);
  const wrapped = objectOrNone(field(seen, "error"));
  if (wrapped !== undefined) inside.push(wrapped);
  return inside;
}

/** Of an `AggregateError` and of a client's retry error: one for each thing that was tried. */
export function errorsOf(seen: unknown): readonly unknown[] | undefined {
  const errors = field(seen, "errors");
  try {
    return Array.isArray(errors) && errors.length > 0 ? errors : undefined;
  } catch {
    return undefined;
  }
}

/** Google's RetryInfo, among the details of an error. */
export function retryDelayOf(seen: unknown): string | undefined {
  const details = field(bodyOf(seen) ?? seen, "details");
  if (!Array.isArray(details)) return undefined;
  return details.map((detail) => textField(detail, "retryDelay")).find((delay) => delay !== undefined);
}

/** What its words are: kind words first, then sentences. */
export function wordsOf(seen: unknown): { readonly words: readonly string[]; readonly text: string } {
  const body = bodyOf(seen);
  const words = [
    textField(body, "code"),
    textField(seen, "code"),
    textField(body, "type"),
    textField(seen, "type"),
    textField(body, "status"), // Google's, by name
    textField(seen, "status"),
    textField(field(body ?? seen, "innererror"), "code"), // Azure
  ].filter((word) => word !== undefined);
  const sentences = [textField(body, "message"), textField(seen, "message"), textField(seen, "responseBody")];
  return { words, text: [...words, ...sentences.filter((sentence) => sentence !== undefined)].join("\n") };
}
