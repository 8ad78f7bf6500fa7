// How a rate limit says no: as an error, and as an event.
import type { About } from "../../core/bus.ts";
import { stackless } from "../../core/errors.ts";
import { RateLimitedError } from "../../core/loadErrors.ts";
import type { LiveSeams } from "../../core/seams.ts";
import type { Refusal } from "./waiter.ts";

export function tellRefused({ events }: LiveSeams, { quota, waitMs }: Refusal, about: About): void {
  if (!events.quiet) events.emit("limit.refused", { retryAfterMs: Math.ceil(waitMs), quota }, about);
}

export function errorOf({ quota, waitMs }: Refusal, seams: LiveSeams, { name, component }: About): RateLimitedError {
  const retryAfterMs = waitMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, Math.ceil(waitMs));
  return stackless(() => new RateLimitedError(name, quota, retryAfterMs, seams.name ?? component));
}
