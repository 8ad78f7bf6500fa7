// Smooth: never several together, each as long after the one before as its share of the period.
import type { Measure, Meter } from "./meter.ts";
import { tiny } from "./meter.ts";
import { SlidingWindow } from "./slidingWindow.ts";

export class Smooth implements Meter {
  capacity: number;
  private interval: number;
  private next = 0;
  /** Where amounts differ, spaces alone would let the last one of a period stand over it. */
  private readonly window: SlidingWindow | undefined;

  constructor(measure: Measure, whole: boolean) {
    this.capacity = measure.limit;
    this.interval = measure.per / measure.limit;
    this.window = whole ? undefined : new SlidingWindow(measure);
  }

  waitMs(now: number, amount: number, ahead: number): number {
    if (this.capacity === 0) return Number.POSITIVE_INFINITY;
    const spaced = this.next - now + ahead * this.interval;
    const wait = spaced > tiny ? spaced : 0;
    return this.window === undefined ? wait : Math.max(wait, this.window.waitMs(now, amount, ahead));
  }

  take(now: number, amount: number): void {
    this.window?.take(now, amount);
    this.next = Math.max(now, this.next) + amount * this.interval;
  }

  /** The last place of a row of one by one is there again; an earlier one stays empty: two would stand together. */
  giveBack(now: number, amount: number, since: number): void {
    const next = this.next - amount * this.interval;
    if (this.window === undefined) {
      if (next <= since + tiny) this.next = next; // what was taken last was taken by then: it was this
      return;
    }
    this.window.giveBack(now, amount, since);
    this.next = Math.max(now, next);
  }

  left(now: number): number {
    if (this.next > now + tiny) return 0;
    return this.window === undefined ? Math.min(1, this.capacity) : this.window.left(now);
  }

  spent(now: number): number {
    return Math.max(this.ahead(now), this.window?.spent(now) ?? 0);
  }

  /** What was taken and has not had its time yet. */
  private ahead(now: number): number {
    return this.interval === Number.POSITIVE_INFINITY ? 0 : Math.max(0, this.next - now) / this.interval;
  }

  change(measure: Measure, now: number): void {
    const ahead = this.ahead(now);
    this.capacity = measure.limit;
    this.interval = measure.per / measure.limit;
    this.next = measure.limit === 0 ? 0 : now + ahead * this.interval;
    this.window?.change(measure);
  }
}
