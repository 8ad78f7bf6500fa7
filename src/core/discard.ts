// What is done with a result nobody wants any more: late, lost a race, or dropped before the next attempt.
import { generation } from "./seams.ts";
import { shared } from "./shared.ts";
import { isNodeStream, isResponse, isWebStream } from "./streams.ts";

/** What several have or may yet get: it is no one call's to close, whichever copy asks. */
const common = shared("common", () => new WeakSet<WeakKey>());

/** The same of texts and numbers, which are known by nothing but what they are: those that came last. */
const commonPlain = shared("common texts", () => ({ values: new Set<unknown>(), born: 0 }));
const mostPlain = 5_000;
/** By a longer text nobody lets go of anything. */
const longestPlain = 1_024;

/** Whether any call has a way of its own to let go of values, which may then be of any kind. */
const ways = shared("ways to let go", () => ({ areOwn: false }));

export function letsGoItsOwnWay(): void {
  ways.areOwn = true;
}

/** From now on nobody closes it. Of plain data there is nothing to be closed. */
export function holdInCommon(value: unknown): void {
  if (!isObject(value)) {
    if (ways.areOwn && mayBeAName(value)) holdPlain(value);
  } else if (ways.areOwn || mayBeClosed(value)) common.add(value);
}

/** Of something that is open elsewhere. */
function mayBeAName(value: unknown): boolean {
  if (typeof value === "string") return value !== "" && value.length <= longestPlain;
  return typeof value === "number" || typeof value === "bigint";
}

function holdPlain(value: unknown): void {
  const plain = plainInCommon();
  plain.delete(value);
  plain.add(value);
  if (plain.size > mostPlain)
    for (const oldest of plain) {
      plain.delete(oldest);
      break;
    }
}

/** After a `reset()` no cache has any of them. */
function plainInCommon(): Set<unknown> {
  if (commonPlain.born !== generation()) {
    commonPlain.born = generation();
    commonPlain.values.clear();
  }
  return commonPlain.values;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Lets a result go so that nothing it holds stays open: by `own` where the user gave one, else a response's body or a stream
 * is cancelled, an iterator returned, a disposable disposed; not what several have. Never throws; what is left to wait for is waited for by nobody.
 */
export function discard(value: unknown, own: ((value: unknown) => unknown) | undefined): void {
  if (isObject(value) ? common.has(value) : plainInCommon().has(value)) return;
  if (own !== undefined) quietly(() => own(value));
  else if (isObject(value)) quietly(() => letGo(value));
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function mayBeClosed(value: object): boolean {
  try {
    return (
      Symbol.dispose in value || Symbol.asyncDispose in value || Symbol.asyncIterator in value || "return" in value
    );
  } catch {
    return true; // a proxy that throws
  }
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
