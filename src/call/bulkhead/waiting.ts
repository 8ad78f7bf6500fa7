// One attempt's wait in a queue. It ends with the attempt, which tells it: no listener and no timer of its own.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Cuttable } from "../../core/record.ts";
import { arm, disarm, Timed } from "../../core/timers.ts";
import { openPromise } from "../../core/wake.ts";
import { type Queued, rankOf } from "./queue.ts";

/** `Refusal`: why it was not let in. */
export abstract class Waiting<Refusal> extends Timed implements Cuttable, Queued {
  readonly attempt: AttemptRecord;
  rank: number;
  ahead: this | null = null;
  behind: this | null = null;
  refusal: Refusal | undefined = undefined;
  /** Comes to this very waiter, whatever becomes of it. */
  readonly end: Promise<unknown>;
  private readonly resolve: (waiter: this) => void;

  constructor(attempt: AttemptRecord, rank: number) {
    super(attempt.now());
    const { promise, resolve } = openPromise();
    this.attempt = attempt;
    this.rank = rank;
    this.end = promise;
    this.resolve = resolve;
  }

  begin(longestMs: number): void {
    const { attempt } = this;
    attempt.hold(this);
    arm(attempt.call.stack.seams.clock, longestMs, this);
  }

  admit(): void {
    this.stop();
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
    this.stop();
  }

  /** Its attempt is over: it is answered without this. */
  abandon(): void {
    this.leave();
    this.stop();
  }

  /** It waits for several, and another of them has come or gone. */
  reranked(): void {
    const rank = rankOf(this.attempt.said?.criticality);
    if (rank !== this.rank) this.rerank(rank);
  }

  protected abstract leave(): void;
  protected abstract rerank(rank: number): void;

  private stop(): void {
    disarm(this);
    this.attempt.letGo(this);
    this.resolve(this);
  }
}
