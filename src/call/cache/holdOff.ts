// How long no refresh of one answer begins: after one that renewed nothing, and while the other side wants to be left alone.

const firstMs = 1_000;
const mostMs = 60_000;
/** As far as it is doubled: `mostMs` is reached long before. */
const mostTimes = 30;

export class HoldOff {
  /** Monotonic ms. */
  private until = 0;
  /** Refreshes in a row. */
  private failed = 0;

  holds(now: number): boolean {
    return now < this.until;
  }

  /** A refresh has renewed nothing; `staleMs`: for so long what is stale may serve, and a short time is not all waited away. */
  failedAgain(now: number, staleMs: number): void {
    const ms = Math.min(firstMs, staleMs / 10) * 2 ** Math.min(this.failed++, mostTimes);
    this.atLeast(now + Math.min(ms, mostMs));
  }

  atLeast(until: number): void {
    this.until = Math.max(this.until, until);
  }
}
