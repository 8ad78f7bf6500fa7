// How a bulkhead says no: as an error, and as an event.
import type { About } from "../../core/bus.ts";
import { stackless } from "../../core/errors.ts";
import { BulkheadFullError } from "../../core/fullError.ts";
import type { LiveSeams } from "../../core/seams.ts";
import type { Refusal } from "./waiter.ts";

export function tellRefused({ events }: LiveSeams, refusal: Refusal, about: About): void {
  if (!events.quiet) events.emit("bulkhead.refused", refusal, about);
}

export function errorOf(refusal: Refusal, seams: LiveSeams, { name, component }: About): BulkheadFullError {
  const { running, queued, limit, reason, heldBy } = refusal;
  const bulkhead = bulkheadOf(seams, { component });
  return stackless(() => new BulkheadFullError(name, running, queued, reason, { limit, bulkhead, heldBy }));
}

export function bulkheadOf({ name }: LiveSeams, { component }: Pick<About, "component">): string {
  return name ?? component;
}
