// A sliding window: no period, wherever it is laid, holds more than the limit. What was taken comes back a period after.
import type { Measure, Meter } from "./meter.ts";
import { tiny } from "./meter.ts";

/** What was taken close together comes back together, with the last of it: later than it might, never earlier. */
interface Slot {
  readonly first: number;
  last: number;
  amount: number;
}

/** So many slots a period: at most a 128th of it is given away. */
const parts = 128;

export class SlidingWindow implements Meter {
  capacity: number;
  private per: number;
  private slots: Slot[] = [];
  private head = 0;
  private used = 0;

  constructor({ limit, per }: Measure) {
    this.capacity = limit;
    this.per = per;
  }

  waitMs(now: number, amount: number, ahead: number): number {
    this.drop(now);
    const { capacity, per, slots } = this;
    const all = amount + ahead;
    let over = this.used + all - capacity;
    if (fits(over, all)) return 0;
    if (capacity === 0) return Number.POSITIVE_INFINITY;
    // all that was taken comes back, each at its time, also where it is more than there ever was
    for (let i = this.head; i < slots.length; i++) {
      const { amount: freed, last } = slots[i] as Slot;
      over -= freed;
      if (fits(over, all)) return Math.max(tiny, last + per - now);
    }
    return this.behind(now, all - capacity, ahead);
  }

  /** They take what is there, and what comes back as it comes; so does that, and so on every period. `over`: so much of theirs has to be back. */
  private behind(now: number, over: number, ahead: number): number {
    const { capacity, per, slots } = this;
    const periods = Math.max(1, Math.ceil(over / capacity - tiny));
    let missing = over - (periods - 1) * capacity;
    let { used } = this;
    let taken = Math.max(0, Math.min(ahead, capacity - used));
    missing -= taken;
    if (missing <= tiny) return periods * per;
    for (let i = this.head; i < slots.length; i++) {
      const { amount: freed, last } = slots[i] as Slot;
      used -= freed;
      const most = Math.max(taken, Math.min(ahead, capacity - used));
      missing -= most - taken;
      taken = most;
      if (missing <= tiny) return periods * per + last + per - now;
    }
    return (periods + 1) * per;
  }

  take(now: number, amount: number): void {
    if (amount === 0) return;
    const { slots } = this;
    const latest = slots[slots.length - 1];
    this.used += amount;
    if (latest !== undefined && now - latest.first < this.per / parts) {
      latest.last = now;
      latest.amount += amount;
    } else slots.push({ first: now, last: now, amount });
  }

  /** From the oldest of those in which it can be: they come back soonest, so that nothing comes back before its time. */
  giveBack(now: number, amount: number, since: number): void {
    this.drop(now);
    if (since + this.per <= now) return; // it is back already
    let left = Math.min(amount, this.used);
    this.used -= left;
    const { head, slots } = this;
    const from = since - Math.max(1, this.per / parts); // it is told when it began, which is a moment after it was taken
    const first = slots.findIndex(({ last }, i) => i >= head && last >= from);
    const count = slots.length - head;
    for (let i = 0; i < count && left > 0; i++) {
      const slot = slots[head + ((Math.max(0, first - head) + i) % count)] as Slot;
      const given = Math.min(left, slot.amount);
      slot.amount -= given;
      left -= given;
    }
  }

  left(now: number): number {
    this.drop(now);
    return Math.max(0, this.capacity - this.used);
  }

  spent(now: number): number {
    this.drop(now);
    return this.used;
  }

  change({ limit, per }: Measure): void {
    this.capacity = limit;
    this.per = per;
  }

  private drop(now: number): void {
    const { slots, per } = this;
    while (this.head < slots.length) {
      const { amount, last } = slots[this.head] as Slot;
      if (last + per > now + tiny) break;
      this.used -= amount;
      this.head++;
    }
    if (this.head === slots.length) {
      if (this.head === 0) return;
      slots.length = this.head = this.used = 0; // and no error of rounding is left
    } else if (this.head > parts) {
      slots.splice(0, this.head);
      this.head = 0;
    }
  }
}

/** Of what nobody knows how much it is, there has to be something. */
function fits(over: number, all: number): boolean {
  return all > 0 ? over <= tiny * Math.min(1, all) : over < 0;
}
