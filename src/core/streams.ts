// What tells a stream or a response from other values: by shape, because each client brings its own classes.

interface Emitter {
  on(event: string | symbol, listener: () => void): unknown;
  once(event: string | symbol, listener: () => void): unknown;
  removeListener(event: string | symbol, listener: () => void): unknown;
}

/** What is asked of Node's streams, and of streams like them. */
export interface NodeStream extends Emitter {
  readonly readable?: unknown;
  readonly destroyed?: unknown;
  /** Of the response to a request. */
  readonly req?: Emitter | null;
  destroy(error?: Error): unknown;
}

/** `fetch`'s own, undici's, or node-fetch's, whose body is one of Node's streams. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: unknown;
  readonly bodyUsed: boolean;
}

type Shape = Readonly<Record<PropertyKey, unknown>>;

export function isWebStream(value: object): value is ReadableStream<unknown> {
  const { getReader, cancel } = value as Shape;
  return typeof getReader === "function" && typeof cancel === "function";
}

/** Readable or not: writable ones have these too. */
export function isNodeStream(value: object): value is NodeStream {
  const { pipe, on, destroy } = value as Shape;
  return typeof pipe === "function" && typeof on === "function" && typeof destroy === "function";
}

/** A stream of either kind, or anything else that is read by waiting for its next part: a generator, a model client's stream. */
export function isStream(value: object): boolean {
  return isWebStream(value) || isNodeStream(value) || Symbol.asyncIterator in value;
}

/** With a body, which can be read once; without one it can be asked for it as often as anybody likes. */
export function isRequestWithBody(value: object): boolean {
  const { method, text } = value as Shape;
  return typeof method === "string" && typeof text === "function" && Boolean((value as Shape).body);
}

export function isResponse(value: object): value is ResponseLike {
  const { status, text, headers } = value as Shape;
  return typeof status === "number" && typeof text === "function" && typeof headers === "object";
}
