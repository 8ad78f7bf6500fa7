// The moments of a call, as load shedding takes part in them.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Attempt, Bracket } from "../../core/layer.ts";
import { rankOf } from "../bulkhead/queue.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { shedFor } from "./refusal.ts";

export class ShedBracket implements Bracket {
  private readonly keeper: Gatekeeper;

  constructor(keeper: Gatekeeper) {
    this.keeper = keeper;
    keeper.bracket = this;
  }

  before(attempt: Attempt): unknown {
    const { keeper } = this;
    const record = attempt as AttemptRecord;
    const rank = rankOf(record.said?.criticality);
    const why = keeper.refuses(record, rank);
    return why === undefined ? attempt.input : shedFor(why, record, rank, keeper.seams, keeper.latencyMs());
  }

  after(attempt: Attempt): void {
    this.keeper.answered(attempt as AttemptRecord);
  }

  /** Of what is normal; the limits inside tell of themselves. */
  ready(): number {
    return this.keeper.pressure() >= 1 ? Number.POSITIVE_INFINITY : 0;
  }
}
