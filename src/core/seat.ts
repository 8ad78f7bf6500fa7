// The place of one attempt in a flight that several share.
import type { AttemptRecord } from "./attempt.ts";
import type { Flight, Landing } from "./flight.ts";
import type { Cut, Cuttable } from "./record.ts";
import { arm, disarm, Timed } from "./timers.ts";
import { openPromise } from "./wake.ts";

/** What it comes to for one who did not want to wait so long. */
export const TOO_SLOW: unique symbol = Symbol("too slow");

export class Seat extends Timed implements Cuttable {
  readonly attempt: AttemptRecord;
  private readonly flight: Flight;
  private readonly open = openPromise();

  constructor(flight: Flight, attempt: AttemptRecord, patienceMs: number) {
    super(attempt.now());
    this.flight = flight;
    this.attempt = attempt;
    attempt.hold(this);
    if (patienceMs > 0) arm(attempt.call.stack.seams.clock, patienceMs, this);
  }

  /** Rejects when the attempt is ended before. */
  get landed(): Promise<Landing | typeof TOO_SLOW> {
    return this.open.promise as Promise<Landing | typeof TOO_SLOW>;
  }

  land(landing: Landing): void {
    this.rise();
    this.open.resolve(landing);
  }

  /** Only this one is rejected. */
  abandon(cut: Cut): void {
    this.rise();
    this.flight.leave(this, cut);
    this.open.reject(cut.reason);
  }

  expire(): void {
    this.rise();
    this.flight.leave(this, undefined);
    this.open.resolve(TOO_SLOW);
  }

  private rise(): void {
    disarm(this);
    this.attempt.letGo(this);
  }
}
