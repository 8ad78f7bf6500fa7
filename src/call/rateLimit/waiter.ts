// One attempt's wait for its quotas. It ends with the attempt, which tells it: no listener and no timer of its own.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Cuttable } from "../../core/record.ts";
import { arm, disarm, Timed } from "../../core/timers.ts";
import { openPromise } from "../../core/wake.ts";
import { type Queued, rankOf } from "../bulkhead/queue.ts";
import type { Amounts, QuotaName } from "./amounts.ts";

/** Why somebody is not let in; `waitMs` `Infinity`: never. */
export interface Refusal {
  readonly quota: QuotaName;
  readonly waitMs: number;
}

/** In whose line it stands. */
interface Host {
  waitedOut(waiter: Waiter): void;
  leave(waiter: Waiter): void;
  rerank(waiter: Waiter, rank: number): void;
}

export class Waiter extends Timed implements Cuttable, Queued {
  readonly attempt: AttemptRecord;
  rank: number;
  readonly amounts: Amounts;
  /** What it waits for. */
  readonly quota: QuotaName;
  ahead: this | null = null;
  behind: this | null = null;
  refusal: Refusal | undefined = undefined;
  isIn = false;
  /** Comes to this very waiter, whatever becomes of it. */
  readonly end: Promise<unknown>;
  private readonly resolve: (waiter: Waiter) => void;
  private readonly host: Host;

  constructor(attempt: AttemptRecord, rank: number, amounts: Amounts, quota: QuotaName, host: Host) {
    super(attempt.now());
    const { promise, resolve } = openPromise();
    this.attempt = attempt;
    this.rank = rank;
    this.amounts = amounts;
    this.quota = quota;
    this.end = promise;
    this.resolve = resolve;
    this.host = host;
  }

  get isOver(): boolean {
    return this.isIn || this.refusal !== undefined;
  }

  begin(maxWait: number): void {
    const { attempt } = this;
    attempt.hold(this);
    arm(attempt.call.stack.seams.clock, maxWait, this);
  }

  admit(): void {
    this.isIn = true;
    this.stop();
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
    this.stop();
  }

  expire(): void {
    this.host.waitedOut(this);
  }

  abandon(): void {
    this.host.leave(this);
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
