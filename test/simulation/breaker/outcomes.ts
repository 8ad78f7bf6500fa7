// What a breaker may still count: where the library is free to do one thing or the other, between which bounds.

export type Bounds = readonly [least: number, most: number];

export interface Counted {
  /** When it counts: at the earliest, and at the latest. */
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
  readonly slow: boolean;
  /** Else it may have been no outcome at all. */
  readonly sure: boolean;
}

const slots = 10;

export class Outcomes {
  private all: Counted[] = [];
  private readonly window: number;
  private readonly minimumCalls: number;

  constructor(window: number, minimumCalls: number) {
    this.window = window;
    this.minimumCalls = minimumCalls;
  }

  add(counted: Counted): void {
    this.all.push(counted);
  }

  clear(): void {
    this.all = [];
  }

  /** A tenth of the window is forgotten at a time: what is about to be may have been already. */
  within(now: number, which: (counted: Counted) => boolean): Bounds {
    this.all = this.all.filter(({ to }) => now - to < this.window);
    const those = this.all.filter(which);
    const surely = ({ from, sure }: Counted) => sure && now - from < this.window * (1 - 1 / slots);
    return [those.filter(surely).length, those.length];
  }

  /** Whether this share of them is bad: surely, and perhaps. */
  exceeds(rate: number, now: number, bad: (counted: Counted) => boolean): readonly [must: boolean, may: boolean] {
    const [leastBad, mostBad] = this.within(now, bad);
    const [leastGood, mostGood] = this.within(now, (counted) => !bad(counted));
    const share = (bad: number, good: number) => (bad === 0 ? 0 : bad / (bad + good)) >= rate;
    return [
      share(leastBad, mostGood) && leastBad + leastGood >= this.minimumCalls,
      share(mostBad, leastGood) && mostBad + mostGood >= this.minimumCalls,
    ];
  }
}
