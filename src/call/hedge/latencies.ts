// How long the operation takes, of late: what its own slowest twentieth is told by.

/** So many answers are looked at, the latest. */
const kept = 100;
/** Before there are so many, nobody can say what is slow. */
const fewest = 20;
/** It is worked out anew after so many. */
const every = 10;
/** Delays are rounded up to a power of this, so that all calls wait on few lists of timers. */
const step = 1.1;

export class Latencies {
  /** Ms; `Infinity` while there are too few answers. */
  p95 = Number.POSITIVE_INFINITY;
  median = 0;
  private readonly ring: number[] = [];
  private seen = 0;

  add(ms: number): void {
    this.ring[this.seen++ % kept] = ms;
    if (this.seen >= fewest && this.seen % every === 0) this.workOut();
  }

  private workOut(): void {
    const sorted = Float64Array.from(this.ring).sort();
    const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
    this.median = at(0.5);
    this.p95 = rounded(at(0.95));
  }
}

function rounded(ms: number): number {
  if (ms <= 1) return 1;
  return Math.ceil(step ** Math.ceil(Math.log(ms) / Math.log(step)));
}
