// How long the operation takes, of late: what its own slowest twentieth is told by.

/**
 * So many answers are looked at, the latest. With fewer, some slow answers in a row pass for how the operation is, and
 * the delay grows with what it should cut short.
 */
const kept = 500;
/** Before there are so many, nobody can say what is slow. */
const fewest = 20;
/** Told to this factor, rounded up: they are counted, not sorted, and all calls wait on few lists of timers. */
const step = 1.1;
const buckets = 256;

export class Latencies {
  /** Ms; `Infinity` while there are too few answers. */
  p95 = Number.POSITIVE_INFINITY;
  private counts = new Uint16Array();
  /** The bucket of each, the oldest at `next` once there are enough. */
  private ring = new Uint8Array();
  private next = 0;
  private size = 0;
  /** The bucket of the 95th percentile, and how many are above it. */
  private bucket = 0;
  private above = 0;

  add(ms: number): void {
    if (this.size === 0) this.makeRoom();
    const { counts, ring, next } = this;
    if (this.size < kept) this.size++;
    else this.count(ring[next] as number, -1);
    const bucket = bucketOf(ms);
    ring[next] = bucket;
    this.count(bucket, 1);
    this.next = next + 1 === kept ? 0 : next + 1;
    const mayBeAbove = Math.floor(this.size * 0.05);
    const before = this.bucket;
    while (this.above > mayBeAbove) this.above -= counts[++this.bucket] as number;
    while (this.bucket > 0 && this.above + (counts[this.bucket] as number) <= mayBeAbove)
      this.above += counts[this.bucket--] as number;
    if (this.size > fewest ? this.bucket !== before : this.size === fewest) this.p95 = longest(this.bucket);
  }

  /** Ms; what half of them take at most. */
  get median(): number {
    let left = this.size;
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left * 2 <= this.size) return longest(bucket);
    }
    return 0;
  }

  /** Only now: a hedge that nobody calls needs none. */
  private makeRoom(): void {
    this.counts = new Uint16Array(buckets);
    this.ring = new Uint8Array(kept);
  }

  private count(bucket: number, by: 1 | -1): void {
    (this.counts[bucket] as number) += by;
    if (bucket > this.bucket) this.above += by;
  }
}

function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms) / Math.log(step)));
}

function longest(bucket: number): number {
  return Math.ceil(step ** bucket);
}
