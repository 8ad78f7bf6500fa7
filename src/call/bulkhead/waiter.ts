// One attempt's wait for a place.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { EventMap } from "../../core/events.ts";
import type { Tenant } from "../shed/whose.ts";
import { Waiting } from "./waiting.ts";

export type Refusal = EventMap["bulkhead.refused"];

/** Whose queue it stands in. */
interface Host {
  turnAway(waiter: Waiter, reason: "queueTimeout"): void;
  leaveQueue(waiter: Waiter): void;
  rerank(waiter: Waiter, rank: number): void;
}

export class Waiter extends Waiting<Refusal> {
  readonly tenant: Tenant | undefined;
  private readonly host: Host;

  constructor(attempt: AttemptRecord, rank: number, host: Host, tenant: Tenant | undefined) {
    super(attempt, rank);
    this.host = host;
    this.tenant = tenant;
  }

  /** It has waited as long as it may. */
  expire(): void {
    this.host.turnAway(this, "queueTimeout");
  }

  protected leave(): void {
    this.host.leaveQueue(this);
  }

  protected rerank(rank: number): void {
    this.host.rerank(this, rank);
  }
}
