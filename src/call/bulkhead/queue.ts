// Who waits for a place: the more critical first, within one criticality the tenants by turns, and of one whoever came first.
import type { Tenant } from "../shed/whose.ts";
import { Turns } from "./turns.ts";

/** Links of the line it stands in. */
export interface Queued {
  /** 0: the most critical. */
  readonly rank: number;
  /** Where tenants are told apart. */
  readonly tenant?: Tenant | undefined;
  ahead: this | null;
  behind: this | null;
}

const ranks: Readonly<Partial<Record<string, number>>> = { critical: 0, normal: 1, sheddable: 2, background: 3 };

/** What says nothing, or nothing that is known, is normal. */
export function rankOf(criticality: string | undefined): number {
  return ranks[criticality ?? "normal"] ?? 1;
}

export class Queue<T extends Queued> {
  size = 0;
  /** By rank. Made when somebody waits: most bulkheads of a large program are never full. */
  private readonly ranks: Turns<T>[] = [];

  add(one: T): void {
    this.ranks[one.rank] ??= new Turns();
    this.ranks[one.rank]?.add(one);
    this.size++;
  }

  remove(one: T): void {
    this.ranks[one.rank]?.remove(one);
    this.size--;
  }

  get first(): T | undefined {
    for (const turns of this.ranks) {
      const first = turns?.first ?? null;
      if (first !== null) return first;
    }
    return undefined;
  }

  takeFirst(): T | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Of the least critical the one who came last, where it is less critical than this rank. */
  lastBelow(rank: number): T | undefined {
    for (let i = this.ranks.length - 1; i > rank; i--) {
      const last = this.ranks[i]?.last ?? null;
      if (last !== null) return last;
    }
    return undefined;
  }

  /** Of the same rank the last of the tenant that has most under way, where that is more than this. */
  lastAbove(rank: number, running: number): T | undefined {
    return this.ranks[rank]?.lastAbove(running);
  }
}
