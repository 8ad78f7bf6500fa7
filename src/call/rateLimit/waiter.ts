// One attempt's wait for its quotas.
import type { AttemptRecord } from "../../core/attempt.ts";
import { Waiting } from "../bulkhead/waiting.ts";
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

export class Waiter extends Waiting<Refusal> {
  readonly amounts: Amounts;
  /** What it waits for. */
  readonly quota: QuotaName;
  isIn = false;
  private readonly host: Host;

  constructor(attempt: AttemptRecord, rank: number, amounts: Amounts, quota: QuotaName, host: Host) {
    super(attempt, rank);
    this.amounts = amounts;
    this.quota = quota;
    this.host = host;
  }

  get isOver(): boolean {
    return this.isIn || this.refusal !== undefined;
  }

  override admit(): void {
    this.isIn = true;
    super.admit();
  }

  expire(): void {
    this.host.waitedOut(this);
  }

  protected leave(): void {
    this.host.leave(this);
  }

  protected rerank(rank: number): void {
    this.host.rerank(this, rank);
  }
}
