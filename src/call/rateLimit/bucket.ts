// A token bucket: holds a burst, and is filled evenly. No period holds more than the limit and the burst.
import type { Measure, Meter } from "./meter.ts";
import { tiny } from "./meter.ts";

export class Bucket implements Meter {
  capacity: number;
  private perMs: number;
  private tokens: number;
  private at: number;

  constructor({ limit, per }: Measure, burst: number, now: number) {
    this.capacity = limit === 0 ? 0 : burst;
    this.perMs = limit / per;
    this.tokens = this.capacity;
    this.at = now;
  }

  waitMs(now: number, amount: number, ahead: number): number {
    this.fill(now);
    const all = amount + ahead;
    const missing = all - this.tokens;
    if (all > 0 && missing <= tiny * Math.min(1, all)) return 0;
    if (all === 0 && this.tokens > 0) return 0; // nobody knows how much it is: there has to be something
    return Math.max(tiny, missing) / this.perMs;
  }

  take(now: number, amount: number): void {
    this.fill(now);
    this.tokens -= amount;
  }

  giveBack(now: number, amount: number): void {
    this.fill(now);
    this.tokens = Math.min(this.capacity, this.tokens + amount);
  }

  left(now: number): number {
    this.fill(now);
    return Math.max(0, this.tokens);
  }

  spent(now: number): number {
    this.fill(now);
    return this.capacity - this.tokens;
  }

  change({ limit, per, burst }: Measure, now: number): void {
    const spent = this.spent(now);
    this.capacity = limit === 0 ? 0 : (burst as number);
    this.perMs = limit / per;
    this.tokens = this.capacity - spent;
  }

  private fill(now: number): void {
    if (now <= this.at) return;
    this.tokens = Math.min(this.capacity, this.tokens + (now - this.at) * this.perMs);
    this.at = now;
  }
}
