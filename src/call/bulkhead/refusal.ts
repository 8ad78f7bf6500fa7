// How a bulkhead says no: as an error, and as an event.
import type { About } from "../../core/bus.ts";
import { BulkheadFullError, stackless } from "../../core/errors.ts";
import type { LiveSeams } from "../../core/seams.ts";
import type { Refusal } from "./waiter.ts";

/** Tells it, and gives the error. */
export function refused({ events }: LiveSeams, refusal: Refusal, about: About): BulkheadFullError {
  if (!events.quiet) events.emit("bulkhead.refused", refusal, about);
  const { running, queued, reason } = refusal;
  return stackless(() => new BulkheadFullError(about.name, running, queued, reason));
}

/** Whose events they are that no call causes. */
export function aboutOf({ name = "bulkhead" }: LiveSeams): About {
  return { name, component: name };
}
