// Those of one criticality who wait: each tenant in a line of its own, and the lines by turns. Without tenants it is one line.
import type { Tenant } from "../shed/whose.ts";
import type { Queued } from "./queue.ts";

interface Line<T> {
  readonly tenant: Tenant | undefined;
  first: T | null;
  last: T | null;
}

export class Turns<T extends Queued> {
  /** Those in which somebody waits. */
  private readonly lines: Line<T>[] = [];
  private readonly byTenant = new Map<Tenant | undefined, Line<T>>();
  private turn = 0;

  get first(): T | null {
    return this.lines[this.turn]?.first ?? null;
  }

  /** Of the tenant that has most under way. */
  get last(): T | null {
    return this.longest?.last ?? null;
  }

  lastAbove(running: number): T | undefined {
    const { longest } = this;
    return longest !== undefined && ofOne(longest) > running ? (longest.last ?? undefined) : undefined;
  }

  add(one: T): void {
    const line = this.lineOf(one.tenant);
    one.ahead = line.last;
    if (line.last === null) line.first = one;
    else line.last.behind = one;
    line.last = one;
  }

  remove(one: T): void {
    const line = this.lineOf(one.tenant);
    const isNext = this.first === one;
    if (one.ahead === null) line.first = one.behind;
    else one.ahead.behind = one.behind;
    if (one.behind === null) line.last = one.ahead;
    else one.behind.ahead = one.ahead;
    one.ahead = one.behind = null;
    if (line.first === null) this.drop(line);
    else if (isNext) this.turn++;
    if (this.turn >= this.lines.length) this.turn = 0;
  }

  private lineOf(tenant: Tenant | undefined): Line<T> {
    const known = this.byTenant.get(tenant);
    if (known !== undefined) return known;
    const line: Line<T> = { tenant, first: null, last: null };
    this.byTenant.set(tenant, line);
    this.lines.push(line);
    return line;
  }

  private drop(line: Line<T>): void {
    const at = this.lines.indexOf(line);
    this.lines.splice(at, 1);
    this.byTenant.delete(line.tenant);
    if (at < this.turn) this.turn--;
  }

  private get longest(): Line<T> | undefined {
    let longest = this.lines[0];
    for (const line of this.lines) if (longest === undefined || ofOne(line) > ofOne(longest)) longest = line;
    return longest;
  }
}

/** What is nobody's is not weighed against tenants. */
function ofOne({ tenant }: Line<Queued>): number {
  return tenant?.running ?? 0;
}
