// The moments of an attempt, as the places of a bulkhead take part in them.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Attempt, Bracket } from "../../core/layer.ts";
import { ADMITTED, asRefusal, refusal } from "../../core/refusal.ts";
import type { Room } from "../../core/room.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import type { Places } from "./places.ts";
import { errorOf, tellRefused } from "./refusal.ts";
import type { Waiter } from "./waiter.ts";

export class PlaceBracket implements Bracket {
  readonly places: Places;

  constructor(places: Places) {
    this.places = places;
  }

  get room(): Room {
    return this.places;
  }

  before(attempt: Attempt): unknown {
    return this.places.enter(attempt as AttemptRecord) ? attempt.input : this.wait(attempt as AttemptRecord);
  }

  after(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void {
    this.places.answered(attempt as AttemptRecord, outcome.ok ? verdict : undefined);
  }

  ended(attempt: Attempt): void {
    this.places.end(attempt as AttemptRecord);
  }

  /** When a place comes free nobody can tell: not now, then. */
  ready(): number {
    return this.places.hasRoom ? 0 : Number.POSITIVE_INFINITY;
  }

  private wait(attempt: AttemptRecord): unknown {
    const { call, input, isCut } = attempt;
    const { places } = this;
    if (isCut) {
      places.pass(attempt);
      return input;
    }
    const { events } = places.seams;
    const waiter = places.enqueue(attempt);
    if (waiter === undefined) {
      const full = places.refusal("full", attempt);
      tellRefused(places.seams, full, call);
      return refusal(errorOf(full, places.seams, call));
    }
    if (!events.quiet) events.emit("bulkhead.queued", { queued: places.queued }, call);
    return waiter.end.then((waiter) => this.goOn(waiter as Waiter));
  }

  /** In the caller's own async context, whoever has ended the wait. */
  private goOn({ attempt, refusal }: Waiter): unknown {
    if (refusal === undefined) return ADMITTED;
    const { seams } = this.places;
    if (!attempt.isCut) tellRefused(seams, refusal, attempt.call);
    throw asRefusal(errorOf(refusal, seams, attempt.call));
  }
}
