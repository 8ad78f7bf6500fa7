// The body that is on its way when its call is answered: it can be cut, and its end is the call's true end.
import { nodeBody, nodeResponseBody } from "./nodeBody.ts";
import { shared } from "./shared.ts";
import { isNodeStream, isResponse, isWebStream, type NodeStream } from "./streams.ts";
import { responseBody, streamBody } from "./webBody.ts";

export interface Body {
  readonly ended: boolean;
  /** Once; at once where it has ended. A listener must not lead to the value, or nobody's body would never be collected. */
  onEnd(listener: () => void): void;
  /** Whoever reads gets this very reason as the error, now or later; what feeds the body is closed. Not after the end. */
  cut(reason: unknown): void;
}

const bodies = shared("bodies", () => new WeakMap<object, Body>());

/**
 * The body of a `Response`, a web stream or a readable stream of Node's, the same each time; `undefined` where none is on its
 * way. The value stays the object it is: what reads a web stream is laid over it as own properties.
 */
export function bodyOf(value: unknown): Body | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined;
    let body = bodies.get(value);
    if (body === undefined) {
      body = begin(value);
      if (body === undefined) return undefined;
      bodies.set(value, body);
    }
    return body.ended ? undefined : body;
  } catch {
    // a proxy that throws, a frozen response: it cannot be followed
    return undefined;
  }
}

function begin(value: object): Body | undefined {
  if (isWebStream(value)) return value.locked ? undefined : streamBody(value);
  if (isNodeStream(value)) return onItsWay(value) ? nodeBody(value) : undefined;
  if (!isResponse(value)) return undefined;
  const { body, bodyUsed, headers } = value;
  if (typeof body !== "object" || body === null || bodyUsed || headers.get("content-length") === "0") return undefined;
  if (isWebStream(body)) return body.locked ? undefined : responseBody(value, body);
  return isNodeStream(body) && onItsWay(body) ? nodeResponseBody(value, body) : undefined;
}

/** Neither at its end nor destroyed, and no socket: that is a connection, which outlives the call that made it. */
function onItsWay(stream: NodeStream): boolean {
  return stream.readable === true && !("connect" in stream);
}
