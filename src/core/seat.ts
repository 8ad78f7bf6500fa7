// The place of one attempt in a flight that several share.
import type { AttemptRecord } from "./attempt.ts";
import type { Said } from "./context.ts";
import type { Flight, Landing } from "./flight.ts";
import type { Cut, Cuttable } from "./record.ts";
import { arm, disarm, Timed } from "./timers.ts";

/** Who takes what comes of it. */
export interface Sitter {
  readonly attempt: AttemptRecord;
  landed(landing: Landing): void;
  /** It did not want to wait so long; gives whether it leaves: if not, it waits on. */
  tooSlow(): boolean;
  cut(reason: unknown): void;
}

export class Seat extends Timed implements Cuttable {
  readonly attempt: AttemptRecord;
  /** What it wants of the run. */
  readonly wish: Said;
  private readonly flight: Flight;
  private readonly sitter: Sitter;

  /** `patienceMs` 0: as long as it takes. */
  constructor(flight: Flight, sitter: Sitter, patienceMs: number) {
    const { attempt } = sitter;
    super(patienceMs > 0 ? attempt.now() : 0);
    this.flight = flight;
    this.attempt = attempt;
    this.wish = attempt.made ?? attempt.said ?? nothing;
    this.sitter = sitter;
    attempt.hold(this);
    if (patienceMs > 0) arm(attempt.call.stack.seams.clock, patienceMs, this);
  }

  land(landing: Landing): void {
    this.rise();
    this.sitter.landed(landing);
  }

  /** Only this one is rejected. */
  abandon(cut: Cut): void {
    this.rise();
    this.flight.leave(this, cut);
    this.sitter.cut(cut.reason);
  }

  expire(): void {
    if (!this.sitter.tooSlow()) return;
    this.rise();
    this.flight.leave(this, undefined);
  }

  private rise(): void {
    disarm(this);
    this.attempt.letGo(this);
  }
}

const nothing: Said = Object.freeze({});
