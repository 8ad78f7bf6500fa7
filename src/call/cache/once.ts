// What can be read once only, and so cannot be given to several.
import { isNodeStream, isResponse, isWebStream } from "../../core/streams.ts";

/** What it is, where it is of that kind. */
export function onceOnly(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    if (isResponse(value)) return "a Response";
    if (isWebStream(value) || isNodeStream(value) || Symbol.asyncIterator in value) return "a stream";
    return typeof (value as { next?: unknown }).next === "function" ? "an iterator" : undefined;
  } catch {
    return undefined; // a proxy that throws says nothing
  }
}
