// One attempt's wait for a place. It ends with the attempt, which tells it: no listener and no timer of its own.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { EventMap } from "../../core/events.ts";
import type { Cuttable } from "../../core/record.ts";
import { arm, disarm, Timed } from "../../core/timers.ts";
import { openPromise } from "../../core/wake.ts";
import { type Queued, rankOf } from "./queue.ts";

export type Refusal = EventMap["bulkhead.refused"];

/** Whose queue it stands in. */
interface Host {
  turnAway(waiter: Waiter, reason: "queueTimeout"): void;
  leaveQueue(waiter: Waiter): void;
  rerank(waiter: Waiter, rank: number): void;
}

export class Waiter extends Timed implements Cuttable, Queued {
  readonly attempt: AttemptRecord;
  rank: number;
  ahead: this | null = null;
  behind: this | null = null;
  /** Why it got none. */
  refusal: Refusal | undefined = undefined;
  /** Comes to this very waiter, whatever becomes of it. */
  readonly end: Promise<unknown>;
  private readonly resolve: (waiter: Waiter) => void;
  private readonly host: Host;

  constructor(attempt: AttemptRecord, rank: number, host: Host) {
    super(attempt.now());
    const { promise, resolve } = openPromise();
    this.attempt = attempt;
    this.rank = rank;
    this.end = promise;
    this.resolve = resolve;
    this.host = host;
  }

  begin(queueTimeout: number): void {
    const { attempt } = this;
    attempt.hold(this);
    arm(attempt.call.stack.seams.clock, queueTimeout, this);
  }

  admit(): void {
    this.stop();
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
    this.stop();
  }

  /** It has waited as long as it may. */
  expire(): void {
    this.host.turnAway(this, "queueTimeout");
  }

  /** Its attempt is over: it is answered without this. */
  abandon(): void {
    this.host.leaveQueue(this);
    this.stop();
  }

  /** It waits for several, and another of them has come or gone. */
  reranked(): void {
    const rank = rankOf(this.attempt.said?.criticality);
    if (rank !== this.rank) this.host.rerank(this, rank);
  }

  private stop(): void {
    disarm(this);
    this.attempt.letGo(this);
    this.resolve(this);
  }
}
