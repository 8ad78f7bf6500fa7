// Latencies of one window: their mean, and how well it is known. And what of a share is more than chance.

/** Clearly more than the share that is usual, and not by chance: three standard errors and two more. */
export function isMany(drops: number, told: number, usual: number): boolean {
  const expected = usual * told;
  return drops - expected >= 2 + 3 * Math.sqrt(expected * (1 - usual));
}

export class Samples {
  count = 0;
  mean = 0;
  private squares = 0;

  add(ms: number): void {
    this.count++;
    const off = ms - this.mean;
    this.mean += off / this.count;
    this.squares += off * (ms - this.mean);
  }

  /** Standard error of the mean, as a share of it. */
  get error(): number {
    if (this.count < 2 || this.mean === 0) return this.mean === 0 ? 0 : Number.POSITIVE_INFINITY;
    return Math.sqrt(this.squares / (this.count - 1) / this.count) / this.mean;
  }

  clear(): void {
    this.count = this.mean = this.squares = 0;
  }
}
