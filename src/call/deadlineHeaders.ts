// What is left of a call's deadline, for the service that it asks.
import { around } from "../core/around.ts";
import { epochNow } from "../core/clock.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { CallContext } from "../core/operation.ts";

/**
 * Headers for a request made inside a call: `x-deadline-ms`, the whole milliseconds that are left, and not the time of day,
 * so that two machines need not agree on it. None without a deadline. Without a context: of the `within` around, if any.
 * @throws OptionsInvalidError for what is no context
 * @example
 * const user = protect("user", (id: string, context) => fetch(`http://users/${id}`, { signal: context.signal, headers: deadlineHeaders(context) }), { deadline: "2s" });
 * console.log(typeof user); // → function
 * @see gRPC over HTTP2, grpc-timeout
 */
export function deadlineHeaders(context?: Pick<CallContext, "remainingMs"> | undefined): Record<string, string> {
  const leftMs = context === undefined ? leftInside() : leftOf(context);
  if (leftMs === Number.POSITIVE_INFINITY) return {};
  return { "x-deadline-ms": String(Math.max(0, Math.floor(leftMs))) };
}

function leftOf(context: Pick<CallContext, "remainingMs">): number {
  if (typeof context?.remainingMs === "function") return context.remainingMs();
  const wanted = "a call's context, or nothing inside `within`";
  throw new OptionsInvalidError("deadlineHeaders", [{ path: "context", got: context, wanted }]);
}

function leftInside(): number {
  const deadlineAt = around.options?.(undefined)?.deadlineAt;
  return deadlineAt === undefined ? Number.POSITIVE_INFINITY : deadlineAt - epochNow();
}
