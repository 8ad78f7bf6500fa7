// Runs of what is inside a layer, beside each other: as attempts of their own, or beside the attempt itself.
import type { AttemptRecord } from "./attempt.ts";
import { Race } from "./race.ts";
import type { Cut, Cuttable } from "./record.ts";
import type { Segment } from "./stack.ts";
import { Timed } from "./timers.ts";
import type { Verdict } from "./verdict.ts";
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

/** What a layer begins beside an attempt that is itself the first run of what is inside it; kept with that attempt. */
export abstract class Rivals extends Timed implements Cuttable {
  protected readonly first: Race;
  /** The index of the layer. */
  protected readonly at: number;

  constructor(first: Race, at: number) {
    super(first.startedAt);
    this.first = first;
    this.at = at;
    first.more.rivals = this;
  }

  /** The first has come to this, and nothing goes on after a success or what ends all. */
  abstract firstEnded(verdict: Verdict | undefined): void;
  /** It has failed: gives what to wait for instead, if anything. */
  abstract firstFailed(verdict: Verdict): Promise<unknown> | undefined;
  /** The whole is ended. */
  abstract abandon(cut: Cut): void;
}

const never = new Promise<never>(() => {});
