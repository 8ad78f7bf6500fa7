// A wait that belongs to an attempt: it ends with it, and leaves nothing behind.
import type { AttemptRecord } from "./attempt.ts";
import type { Cuttable } from "./record.ts";
import { armOnce, disarm, Timed } from "./timers.ts";

/** Resolves when the time is over, and also when the attempt is ended: ask it then. */
export function pause(attempt: AttemptRecord, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const waiting = new Pause(attempt, resolve);
    attempt.hold(waiting);
    armOnce(attempt.call.stack.seams.clock, ms, waiting);
  });
}

class Pause extends Timed implements Cuttable {
  private readonly attempt: AttemptRecord;
  private readonly resolve: () => void;

  constructor(attempt: AttemptRecord, resolve: () => void) {
    super(attempt.now());
    this.attempt = attempt;
    this.resolve = resolve;
  }

  expire(): void {
    this.attempt.letGo(this);
    this.resolve();
  }

  abandon(): void {
    disarm(this);
    this.expire();
  }
}
