// What is left of a call's deadline, for the service that it asks.
import type { CallContext } from "../core/operation.ts";

/**
 * Headers for a request made inside a call: `x-deadline-ms`, the whole milliseconds that are left, and not the time of day,
 * so that two machines need not agree on it. None without a deadline.
 * @example
 * const user = protect("user", (id: string, context) => fetch(`http://users/${id}`, { signal: context.signal, headers: deadlineHeaders(context) }), { deadline: "2s" });
 * console.log(typeof user); // → function
 * @see gRPC over HTTP2, grpc-timeout
 */
export function deadlineHeaders(context: Pick<CallContext, "remainingMs">): Record<string, string> {
  const leftMs = context.remainingMs();
  if (leftMs === Number.POSITIVE_INFINITY) return {};
  return { "x-deadline-ms": String(Math.max(0, Math.floor(leftMs))) };
}
