// The outcomes of the last seconds and the decision that they are too bad: opossum's, driven by our clock.
import CircuitBreaker from "opossum";

const buckets = 10;
/** opossum opens above its threshold, we at it; no two rates of countable calls lie so close together. */
const justBelow = 1 - 1e-12;

export interface Rule {
  /** From this share of failures on it is too bad; `undefined`: only counted. */
  readonly rate: number | undefined;
  /** Fewer calls than these say nothing. */
  readonly minimumCalls: number;
  /** Ms, counted in tenths of it. */
  readonly window: number;
}

export class RollingWindow {
  private readonly engine: CircuitBreaker<[error: unknown], never>;
  private readonly width: number;
  private readonly turning = new Turning();
  private turnedAt: number;
  private bucket: CircuitBreaker.Bucket;

  /** `before`: a window by another rule, whose outcomes this one goes on with; it is ended. */
  constructor({ rate, minimumCalls, window }: Rule, now: number, before?: RollingWindow) {
    this.width = window / buckets;
    this.turnedAt = now;
    // opossum copies `volumeThreshold` when it is made: another rule is another engine
    this.engine = new CircuitBreaker(fail, {
      name: "holdfast", // else it makes up a random one, which costs more than all the rest
      timeout: false,
      enableSnapshots: false,
      rollingPercentilesEnabled: false,
      rotateBucketController: this.turning as unknown as NonNullable<CircuitBreaker.Options["rotateBucketController"]>,
      resetTimeout: 2 ** 31 - 1, // when to probe is ours to say
      errorThresholdPercentage: rate === undefined ? Number.POSITIVE_INFINITY : rate * 100 * justBelow,
      volumeThreshold: minimumCalls,
      rollingCountTimeout: window,
      rollingCountBuckets: buckets,
    });
    if (before !== undefined) this.takeOver(before, now);
    this.bucket = this.current();
  }

  success(now: number): void {
    if (now - this.turnedAt >= this.width) this.moveOn(now);
    // what opossum's own "success" would count, without its promise, its events and its list of latencies
    this.bucket.fires++;
    this.bucket.successes++;
  }

  /** Gives whether it is too bad now. */
  failure(now: number, error: unknown): boolean {
    if (now - this.turnedAt >= this.width) this.moveOn(now);
    this.engine.fire(error).catch(ignore);
    this.bucket.latencyTimes.length = 0; // nobody reads them, and they grow
    return this.engine.opened;
  }

  counts(now: number): { readonly calls: number; readonly failures: number } {
    if (now - this.turnedAt >= this.width) this.moveOn(now);
    const { fires, failures } = this.engine.stats;
    return { calls: fires, failures };
  }

  /** An engine that has opened holds a timer of 24 days, and the timer holds the engine. */
  end(): void {
    this.engine.shutdown();
  }

  /** Each slot of the other goes where none of its outcomes stays for longer than this window is. */
  private takeOver(before: RollingWindow, now: number): void {
    if (now - before.turnedAt >= before.width) before.moveOn(now);
    this.turnedAt = before.turnedAt;
    const { window } = this.engine.status;
    const times = before.width / this.width;
    before.engine.status.window.forEach(({ fires, successes, failures }, slot) => {
      const target = window[Math.ceil(slot * times)];
      if (target === undefined) return;
      target.fires += fires;
      target.successes += successes;
      target.failures += failures;
    });
    before.end();
  }

  /** No timer of its own: it is as late as its next call. */
  private moveOn(now: number): void {
    const passed = Math.floor((now - this.turnedAt) / this.width);
    for (let i = Math.min(passed, buckets); i > 0; i--) this.turning.turn();
    this.turnedAt += passed * this.width;
    this.bucket = this.current();
  }

  private current(): CircuitBreaker.Bucket {
    return this.engine.status.window[0] as CircuitBreaker.Bucket;
  }
}

/** What opossum would have an EventEmitter for, without a list of listeners for each of ten thousand breakers. */
class Turning {
  turn: () => void = ignore;

  on(_: "rotate", turn: () => void): void {
    this.turn = turn;
  }
  listenerCount(): number {
    return 0;
  }
  removeListener(): void {}
}

/** What opossum calls: it is only ever fired with a failure. */
function fail(error: unknown): never {
  throw error;
}

function ignore(): void {}
