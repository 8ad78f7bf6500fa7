// What few calls need: apart from their record, so that the many stay small.
import type { Body } from "./body.ts";
import type { Cost } from "./operation.ts";
import type { CallRecord } from "./record.ts";
import type { Timed } from "./timers.ts";

/** The attempt in which a call was made. */
export interface Parent {
  leave(child: CallRecord): void;
}

/** The timer of a deadline, which on a body's way holds no process. */
interface BodyTimer extends Timed {
  letProcessEnd(): void;
}

export class Rare {
  parent: Parent | null = null;
  children: CallRecord[] | null = null;
  labels: Readonly<Record<string, string>> = noLabels;
  cost: Cost = free;
  /** Monotonic ms; `Infinity`: no deadline. */
  dueAt = Number.POSITIVE_INFINITY;
  deadline: BodyTimer | null = null;
  corrections: { readonly path: string; readonly rule: string }[] | null = null;
  degraded: { readonly reason: string; readonly ageMs?: number | undefined } | undefined = undefined;
  reviewId: string | undefined = undefined;
  /** That answered, or was asked last. */
  tier = 0;
  tierName: string;
  /** Attempts of later tiers, by tier. */
  counts: number[] | null = null;
  /** Tiers that were entered in the chain of calls of which this one is the outermost. */
  entered: Set<unknown> | null = null;
  /** A delivered body that is not at its end. */
  body: Body | null = null;

  constructor(name: string) {
    this.tierName = name;
  }
}

export const noLabels: Readonly<Record<string, string>> = Object.freeze({});
export const free: Cost = Object.freeze({});
