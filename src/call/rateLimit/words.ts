// What the provider has said is left of its quotas, and until when.
import type { Told } from "./headers.ts";
import type { Measure } from "./meter.ts";

/** Of the newest attempt that it answered. */
interface Word {
  left: number;
  readonly until: number;
  readonly serial: number;
}

export class Words {
  private readonly words: (Word | undefined)[] = [];

  /** Whether it is news. `sent`: so much, of which it may not know yet. */
  hear(i: number, { remaining, resetMs }: Told, { per }: Measure, sent: number, serial: number, now: number): boolean {
    const before = this.words[i];
    if (before !== undefined && before.serial > serial) return false;
    // no quota takes longer than its period to be whole: what says so is of another, or of another clock
    this.words[i] = { left: Math.max(0, remaining - sent), until: now + Math.min(resetMs ?? per, per), serial };
    return true;
  }

  take(i: number, amount: number): void {
    const word = this.words[i];
    if (word !== undefined) word.left -= amount;
  }

  /** `Infinity`: nothing is said. */
  left(i: number, now: number): number {
    const word = this.words[i];
    return word === undefined || word.until <= now ? Number.POSITIVE_INFINITY : word.left;
  }

  /** Ms until so much may be had, by what was said. */
  waitMs(i: number, amount: number, now: number): number {
    const left = this.left(i, now);
    return amount > left || left <= 0 ? (this.words[i] as Word).until - now : 0;
  }

  isOver(now: number): boolean {
    return this.words.every((word) => word === undefined || word.until <= now);
  }
}
