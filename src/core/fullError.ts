// The refusal of a bulkhead, with its figures.
import { HoldfastError, named, says } from "./errors.ts";

/** Not called: as many as allowed were running, and no place in the queue or none for so long. */
export class BulkheadFullError extends HoldfastError {
  readonly running: number;
  readonly queued: number;
  /** So many may run; after it was lowered it may be less than `running`. */
  readonly limit: number;
  /** The name of the bulkhead, or of the component it is laid round. */
  readonly bulkhead: string;
  /** `queueTimeout`: no place came free in time; `displaced`: its place in the queue went to a more critical call; `fairness`: to one of a tenant that has less under way. */
  readonly reason: "full" | "queueTimeout" | "displaced" | "fairness";
  /** A call that has a place, and in which the refused one was made: it may have waited for itself. */
  declare readonly heldBy?: string | undefined;
  constructor(
    operation: string,
    running: number,
    queued: number,
    reason: BulkheadFullError["reason"] = "full",
    { limit = running, bulkhead = "", heldBy }: Partial<Pick<BulkheadFullError, "limit" | "bulkhead" | "heldBy">> = {},
  ) {
    // nobody can say when a place comes free: the queue is where to wait
    super(undefined, { code: "BULKHEAD_FULL", operation });
    this.running = running;
    this.queued = queued;
    this.limit = limit;
    this.bulkhead = bulkhead;
    this.reason = reason;
    if (heldBy !== undefined) this.heldBy = heldBy;
  }
}
says(BulkheadFullError, (e) => {
  const which = e.bulkhead === "" || e.bulkhead === e.operation ? "its bulkhead" : `the bulkhead "${e.bulkhead}"`;
  const [what, now] = fullness[e.reason] ?? fullness.full;
  const counts = `${e.running} running, ${e.limit} allowed, ${e.queued} waiting`;
  return `${named(e)} was not called: ${what(which)} (${counts}). ${e.heldBy === undefined ? now : nested(e.heldBy)}`;
});

export function nested(heldBy: string, limit = "bulkhead"): string {
  return `"${heldBy}", in which it was made, has a place there and may be waiting for it: lay the ${limit} round one of the two.`;
}

const fullness: Readonly<Record<BulkheadFullError["reason"], readonly [(which: string) => string, string]>> = {
  full: [(which) => `${which} is full`, "Send less at once, or raise its `concurrency` or `queue`."],
  queueTimeout: [
    (which) => `no place in ${which} came free while it waited`,
    "Send less at once, or raise its `concurrency` or `queueTimeout`.",
  ],
  displaced: [
    (which) => `a more critical call took its place in the queue of ${which}`,
    "Send less at once, raise its `concurrency` or `queue`, or say a higher `criticality`.",
  ],
  fairness: [
    (which) => `a tenant that has less under way took its place in the queue of ${which}`,
    "Send less at once for this tenant, or raise its `concurrency` or `queue`.",
  ],
};
