// What runs on though nobody waits for it any more: how long that is borne with.
import type { AttemptRecord } from "../../core/attempt.ts";
import { Timed } from "../../core/timers.ts";

/** Who is told that the time is over. */
interface Host {
  abandon(attempt: AttemptRecord, afterMs: number): void;
}

export class Overstay extends Timed {
  private readonly attempt: AttemptRecord;
  private readonly ms: number;
  private readonly host: Host;

  constructor(attempt: AttemptRecord, ms: number, host: Host) {
    super(attempt.now());
    this.attempt = attempt;
    this.ms = ms;
    this.host = host;
  }

  expire(): void {
    this.host.abandon(this.attempt, this.ms);
  }
}
