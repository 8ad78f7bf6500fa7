// How much of a limit the lower may have after a higher one was refused: less at once, and slowly more again.

/** Of what it had, when somebody above it was refused; at most once in the time that a call takes. */
const less = 0.7;
/** So much of the whole it gets back in the time that a call takes. */
const back = 0.02;
/** Where nobody knows how long that is, ms. */
const unknownMs = 100;

export class Squeeze {
  /** Whether anybody has less than all. */
  isOn = false;
  /** By level: two of each rank, the second of who is above its fair share. */
  private readonly shares = new Array<number>(8).fill(1);
  /** Until when nobody below this level passes: the place that comes free next is not theirs. */
  private readonly held = new Array<number>(8).fill(0);
  private at = 0;
  private perMs = 0;

  /** One of this level was refused for want of room. */
  refused(level: number, now: number, latencyMs: number): void {
    const ms = latencyMs > 0 ? latencyMs : unknownMs;
    this.recover(now);
    this.perMs = back / ms;
    // for the critical there is a share that is kept: it is not for them that others have less for long
    if (level > 0 && now >= (this.held[level] as number))
      for (let below = level + 1; below < this.shares.length; below++)
        this.shares[below] = (this.shares[below] as number) * less;
    this.held[level] = now + ms;
    this.isOn = true;
  }

  /** One of this level was refused for the sake of those above it: nobody below it passes either. */
  holds(level: number, now: number, latencyMs: number): void {
    this.held[level] = now + (latencyMs > 0 ? latencyMs : unknownMs);
  }

  /** The share of a limit that one of this level may find taken and still come in. */
  share(level: number, now: number): number {
    for (let above = 0; above < level; above++) if (now < (this.held[above] as number)) return 0;
    this.recover(now);
    return this.shares[level] as number;
  }

  private recover(now: number): void {
    const grown = (now - this.at) * this.perMs;
    this.at = now;
    this.isOn = false;
    for (let level = 0; level < this.shares.length; level++) {
      const share = Math.min(1, (this.shares[level] as number) + grown);
      this.shares[level] = share;
      if (share < 1) this.isOn = true;
    }
  }
}
