// What is done with a result nobody wants any more: late, lost a race, or dropped before the next attempt.
import { isNodeStream, isResponse, isWebStream } from "./streams.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Lets a result go so that nothing it holds stays open: by `own` where the user gave one, else a response's body or a stream
 * is cancelled, an iterator returned, a disposable disposed. Never throws; what is left to wait for is waited for by nobody.
 */
export function discard(value: unknown, own: ((value: unknown) => unknown) | undefined): void {
  if (own !== undefined) quietly(() => own(value));
  else if ((typeof value === "object" && value !== null) || typeof value === "function") quietly(() => letGo(value));
}

function letGo(value: object): unknown {
  if (isWebStream(value) || isNodeStream(value)) return close(value);
  if (isResponse(value)) {
    const { body, bodyUsed } = value;
    return bodyUsed || typeof body !== "object" || body === null ? undefined : close(body);
  }
  const shape = value as Readonly<Record<PropertyKey, unknown>>;
  if (typeof shape.next === "function" && typeof shape.return === "function") return call(value, shape.return);
  if (Symbol.asyncIterator in value && shape.controller instanceof AbortController) return shape.controller.abort(); // a model client's stream
  return call(value, shape[Symbol.asyncDispose] ?? shape[Symbol.dispose]);
}

function close(stream: object): unknown {
  if (isWebStream(stream)) return stream.locked ? undefined : stream.cancel();
  if (!isNodeStream(stream) || stream.destroyed === true) return undefined;
  // what it says in closing concerns nobody, and must not end the process
  stream.on("error", nothing);
  return stream.destroy();
}

function call(on: object, method: unknown): unknown {
  return typeof method === "function" ? (method as Method).call(on) : undefined;
}

async function quietly(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // nobody wants the result, and so nobody wants to know
  }
}

function nothing(): void {}
