// How the health of the whole follows from that of its components.
import type { Health } from "../core/events.ts";
import type { Criticality } from "../core/operation.ts";

export interface Part {
  readonly status: Health;
  readonly criticality: Criticality;
}

/** That one thing is known to be bad says more than that another is not known. */
const rank: Readonly<Record<Health, number>> = { healthy: 0, unknown: 1, degraded: 2, unhealthy: 3 };

export function isWorse(a: Health, b: Health): boolean {
  return rank[a] > rank[b];
}

export function worstFirst<P extends Part>(parts: readonly P[]): readonly P[] {
  return parts.toSorted((a, b) => rank[b.status] - rank[a.status]);
}

/** Whether the whole falls with it. */
export function decides(criticality: Criticality): boolean {
  return criticality === "critical" || criticality === "normal";
}

/**
 * The worst of the components that decide. What is sheddable, or works in the background, makes the whole degraded at
 * most, and unknown only where nothing else is known.
 */
export function rollUp(parts: Iterable<Part>): Health {
  let worst: Health | undefined;
  for (const { status, criticality } of parts) {
    const counted = decides(criticality) ? status : atMostDegraded(status);
    if (counted !== undefined && (worst === undefined || isWorse(counted, worst))) worst = counted;
  }
  return worst ?? "unknown";
}

function atMostDegraded(status: Health): Health | undefined {
  if (status === "unknown") return undefined;
  return status === "unhealthy" ? "degraded" : status;
}
