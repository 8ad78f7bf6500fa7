// The state that follows from results, one after another: it changes only when enough of them in a row say so.
import type { Health } from "../core/events.ts";

/** What one look, or one call, says. */
export type Result = Exclude<Health, "unknown">;

export interface Thresholds {
  /** So many results in a row that are worse change the state for the worse. */
  readonly failureThreshold: number;
  /** So many results in a row that are better change it for the better. */
  readonly successThreshold: number;
}

/** Results in a row that do not yet change the state. */
export interface Row {
  readonly count: number;
  /** So many would change it, to this. */
  readonly of: number;
  readonly to: Result;
}

/** Unknown stands between those that can be worked with and the one that cannot. */
const rank: Readonly<Record<Health, number>> = { healthy: 0, degraded: 1, unknown: 1.5, unhealthy: 2 };

/**
 * Goes no further than all of the results in a row went: of three worse ones the mildest counts, of better ones the
 * worst. @see Kubernetes, "Configure Liveness, Readiness and Startup Probes", `failureThreshold`, `successThreshold`
 */
export class Gauge {
  level: Health = "unknown";
  thresholds: Thresholds;
  /** The first result decides: it is the answer to a question, not one of many calls. */
  private readonly firstDecides: boolean;
  private direction = 0;
  private count = 0;
  private least: Result = "healthy";

  constructor(thresholds: Thresholds, firstDecides: boolean) {
    this.thresholds = thresholds;
    this.firstDecides = firstDecides;
  }

  hear(result: Result): void {
    if (this.level === "unknown" && this.firstDecides) return this.become(result);
    const direction = Math.sign(rank[result] - rank[this.level]);
    const goesOn = direction !== 0 && direction === this.direction;
    this.direction = direction;
    this.count = goesOn ? this.count + 1 : 1;
    // the nearest to where it is
    if (!goesOn || Math.sign(rank[this.least] - rank[result]) === direction) this.least = result;
    const { failureThreshold, successThreshold } = this.thresholds;
    if (direction > 0 && this.count >= failureThreshold) this.become(this.least);
    if (direction < 0 && this.count >= successThreshold) this.become(this.least);
  }

  /** On the way to worse; also to better, while nothing is known. */
  get row(): Row | undefined {
    const { count, direction, level, thresholds, least: to } = this;
    if (direction > 0) return { count, of: thresholds.failureThreshold, to };
    return direction < 0 && level === "unknown" ? { count, of: thresholds.successThreshold, to } : undefined;
  }

  /** Whatever was heard before. */
  become(level: Health): void {
    this.level = level;
    this.direction = 0;
    this.count = 0;
  }
}
