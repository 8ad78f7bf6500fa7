// Runs of what is inside a layer, beside each other, as attempts of their own: who waits for them hears of each end.
import type { AttemptRecord } from "./attempt.ts";
import { Race } from "./race.ts";
import type { Segment } from "./stack.ts";
import type { Open } from "./wake.ts";

/** Who hears how a run has ended. */
export interface Listening {
  ended(run: Run, threw: boolean, value: unknown): void;
}

/** One run; to its attempt it is the promise that it has to keep, without being one. */
export class Run implements Open {
  readonly attempt: Race;
  readonly promise = never;
  private readonly to: Listening;

  constructor(outer: AttemptRecord, segment: Segment, top: number, to: Listening) {
    this.attempt = new Race(outer.call, segment, top, outer, outer.now(), outer.made ?? outer.said);
    this.to = to;
  }

  resolve(value: unknown): void {
    this.to.ended(this, false, value);
  }

  reject(error: unknown): void {
    this.to.ended(this, true, error);
  }
}

const never = new Promise<never>(() => {});
