// Who waits in a flight for one caller of a cache, and what the caller makes of its end.
import type { AttemptRecord } from "../../core/attempt.ts";
import { FAULT, Fault } from "../../core/final.ts";
import type { Landing } from "../../core/flight.ts";
import type { CallRecord } from "../../core/record.ts";
import type { Sitter } from "../../core/seat.ts";
import { openPromise } from "../../core/wake.ts";

/** What it comes to for one who did not want to wait so long. */
export const TOO_SLOW: unique symbol = Symbol("too slow");

/** Of a caller who has nothing else to choose from: the end of the flight is its answer. */
export class Direct implements Sitter {
  readonly attempt: AttemptRecord;
  private readonly open = openPromise();

  constructor(attempt: AttemptRecord) {
    this.attempt = attempt;
  }

  get answer(): Promise<unknown> {
    return this.open.promise;
  }

  landed(landing: Landing): void {
    try {
      this.open.resolve(answerOf(this.attempt.call, landing));
    } catch (error) {
      this.open.reject(error);
    }
  }

  tooSlow(): boolean {
    return false;
  }

  cut(reason: unknown): void {
    this.open.reject(reason);
  }
}

/** Of one who may take something stale, or wait again: it is told how the flight ended, in its own async context. */
export class Choosing implements Sitter {
  readonly attempt: AttemptRecord;
  private readonly open = openPromise();
  private readonly mayTakeStale: () => boolean;

  constructor(attempt: AttemptRecord, mayTakeStale: () => boolean) {
    this.attempt = attempt;
    this.mayTakeStale = mayTakeStale;
  }

  /** Rejects when the attempt is ended before. */
  get end(): Promise<Landing | typeof TOO_SLOW> {
    return this.open.promise as Promise<Landing | typeof TOO_SLOW>;
  }

  landed(landing: Landing): void {
    this.open.resolve(landing);
  }

  tooSlow(): boolean {
    if (!this.mayTakeStale()) return false;
    this.open.resolve(TOO_SLOW);
    return true;
  }

  cut(reason: unknown): void {
    this.open.reject(reason);
  }
}

/** The value, or throws: an error, a value that tells of a failure. */
export function answerOf(call: CallRecord, { flight, ok, value, verdict }: Landing): unknown {
  const { rare } = flight;
  if (rare !== null) {
    const { degraded, restsOnLess, reviewId, tier, tierName } = rare;
    if (tier > 0 || degraded !== undefined) Object.assign(call.more, { degraded, tier, tierName });
    if (reviewId !== undefined) call.more.reviewId = reviewId;
    if (restsOnLess) call.more.restsOnLess = true;
  }
  if (verdict !== undefined && flight.gaveUp) call.gaveUp = true;
  if (ok) return value;
  throw verdict === FAULT ? new Fault(value) : value;
}
