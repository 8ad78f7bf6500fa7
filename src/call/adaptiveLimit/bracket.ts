// The moments of an attempt, as a limit that is found out takes part in them.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Attempt, Bracket } from "../../core/layer.ts";
import type { Room } from "../../core/room.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import { heldAround } from "../bulkhead/around.ts";
import { rankOf } from "../bulkhead/queue.ts";
import { shedFor } from "../shed/refusal.ts";
import type { Crowd } from "./crowd.ts";

export class LimitBracket implements Bracket {
  private readonly crowd: Crowd;

  constructor(crowd: Crowd) {
    this.crowd = crowd;
  }

  get room(): Room {
    return this.crowd;
  }

  before(attempt: Attempt): unknown {
    const { crowd } = this;
    const record = attempt as AttemptRecord;
    if (crowd.enter(record)) return attempt.input;
    const heldBy = heldAround(record, crowd, (around) => crowd.places.holds(around));
    return shedFor("limit", record, rankOf(record.said?.criticality), crowd.seams, crowd.latencyMs, heldBy);
  }

  after(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void {
    const { crowd } = this;
    const record = attempt as AttemptRecord;
    const how = verdict === undefined ? "ok" : isDrop(verdict) ? "drop" : "other";
    crowd.refresh();
    crowd.finder.end(record.now(), record.startedAt, how, crowd.places.running);
    if (verdict !== undefined && outcome.ok) crowd.places.answered(record, verdict);
  }

  ended(attempt: Attempt): void {
    const record = attempt as AttemptRecord;
    this.crowd.left(rankOf(record.said?.criticality));
    this.crowd.places.end(record);
  }

  /** When a place comes free nobody can tell: not now, then. */
  ready(): number {
    return this.crowd.free(1) > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
}

/** The other side, or the time that it was given, says that it was too much. */
function isDrop({ kind, counts }: Verdict): boolean {
  return kind === "overloaded" || (kind === "timeout" && counts);
}
