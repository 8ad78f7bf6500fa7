// Who waits for a place: the more critical first, within one criticality whoever came first.

/** Links of the line it stands in. */
export interface Queued {
  /** 0: the most critical. */
  readonly rank: number;
  ahead: this | null;
  behind: this | null;
}

interface Line<T> {
  first: T | null;
  last: T | null;
}

const ranks: Readonly<Partial<Record<string, number>>> = { critical: 0, normal: 1, sheddable: 2, background: 3 };

/** What says nothing, or nothing that is known, is normal. */
export function rankOf(criticality: string | undefined): number {
  return ranks[criticality ?? "normal"] ?? 1;
}

export class Queue<T extends Queued> {
  size = 0;
  /** Made when somebody waits: most bulkheads of a large program are never full. */
  private readonly lines: Line<T>[] = [];

  add(one: T): void {
    this.lines[one.rank] ??= { first: null, last: null };
    const line = this.lines[one.rank] as Line<T>;
    one.ahead = line.last;
    if (line.last === null) line.first = one;
    else line.last.behind = one;
    line.last = one;
    this.size++;
  }

  remove(one: T): void {
    const line = this.lines[one.rank] as Line<T>;
    if (one.ahead === null) line.first = one.behind;
    else one.ahead.behind = one.behind;
    if (one.behind === null) line.last = one.ahead;
    else one.behind.ahead = one.ahead;
    one.ahead = one.behind = null;
    this.size--;
  }

  get first(): T | undefined {
    for (const line of this.lines) {
      const first = line?.first ?? null;
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
    for (let i = this.lines.length - 1; i > rank; i--) {
      const last = this.lines[i]?.last ?? null;
      if (last !== null) return last;
    }
    return undefined;
  }
}
