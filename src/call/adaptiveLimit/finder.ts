// The search for the limit: from how long it takes with so many at once, against how long it takes with few.
import type { EventMap } from "../../core/events.ts";
import { Overload } from "./overload.ts";
import { fewest, Window } from "./window.ts";

export interface Bounds {
  /** The part of the limit that is kept for nobody. */
  readonly open: number;
  readonly min: number;
  readonly max: number;
}

/** A measurement of the base latency: fewer run for a moment, so that nobody waits at the other side. */
interface Measuring {
  readonly width: number;
  /** The mean before it was this narrow. */
  readonly before: number;
  /** The mean at the whole limit, and what that was then. */
  readonly full: number;
  readonly at: number;
  readonly begunAt: number;
  isNarrow: boolean;
}

/** Where it begins, unless told otherwise by `min`: what does little harm to a small service, and is soon doubled for a large one. */
const first = 10;
/** So much longer than the base latency may it take: the queue that keeps the other side busy. */
const gain = 1.4;
/** At the limit and up to here there is no queue: the limit may double. The first time where there is little. */
const [noQueue, littleQueue] = [1.15, 1.3];
/** So many windows in a row without a queue are no chance: the other side has become larger. */
const calmWindows = 3;
/** By so much the limit grows after a measurement that found no queue: the first one, and later ones. */
const [firstly, later] = [2, 1.5];
/** So much less than the base latency is no chance: the other side has become faster. */
const faster = 0.8;
/** How well a mean has to be known: roughly where a step halves or doubles, well where it is small. */
const [roughly, well] = [0.2, 0.1];
/** Of the limit, for a measurement: less than what keeps the other side busy. */
const narrowed = 0.6;
/** A limit that has fallen to this share is either right or rests on a base latency of the past. */
const doubted = 0.6;
const leastEven = 0.75;
/** So few samples say enough for the way back to where the limit was. */
const leastBack = 3;
/** Between two measurements, jittered by a quarter either way. */
const [leastBetween, mostBetween, latenciesBetween] = [10_000, 300_000, 200];

export class Finder {
  limit: number;
  /** Mean latency with no queue at the other side; `NaN`: not known yet. */
  base = Number.NaN;
  readonly window = new Window();
  private bounds: Bounds;
  private readonly random: () => number;
  private readonly changed: (facts: EventMap["limit.changed"]) => void;
  private measuring: Measuring | undefined = undefined;
  private isKnown = false;
  private measureAt = 0;
  private measuredLimit = 0;
  private doubles = false;
  /** How many windows in a row had no queue, though the limit had found its place. */
  private calm = 0;
  private readonly overload = new Overload();

  constructor(bounds: Bounds, random: () => number, changed: (facts: EventMap["limit.changed"]) => void) {
    this.bounds = bounds;
    this.random = random;
    this.changed = changed;
    this.limit = this.within(first);
  }

  /** How many may run now: during a measurement fewer, but never fewer than `min`. */
  get width(): number {
    const { measuring } = this;
    return measuring === undefined ? Math.floor(this.limit) : Math.max(this.bounds.min, measuring.width);
  }

  bind(bounds: Bounds): void {
    this.bounds = bounds;
    this.limit = this.within(this.limit);
  }

  /** One that ran has ended; `running` with it. */
  end(now: number, startedAt: number, how: "ok" | "drop" | "other", running: number): void {
    const { measuring, window } = this;
    if (measuring !== undefined && !measuring.isNarrow) return this.narrow(measuring, now, running);
    if (window.has(startedAt)) window.end(now, startedAt, how, running);
    const state = window.state(now);
    if (state === "open") return;
    if (state === "complete") this.weigh(now);
    else if (measuring !== undefined) this.endMeasuring(now);
    this.reopen(now, measuring !== undefined && this.measuring === undefined);
  }

  /** After a measurement only when the places are taken again. */
  private reopen(now: number, wasNarrow = false): void {
    const { overload, window } = this;
    window.precision = this.measuring !== undefined || (this.isKnown && !this.doubles) ? well : roughly;
    if (overload.isBack) window.precision = Number.POSITIVE_INFINITY;
    window.least = overload.isUrgent ? Math.min(fewest, Math.max(leastBack, 2 * Math.floor(this.limit))) : fewest;
    window.usual = overload.usual;
    window.open(wasNarrow ? now + this.base : now, window.samples.mean || this.base || 0);
  }

  /** What ran before it was narrow is no sample. */
  private narrow(measuring: Measuring, now: number, running: number): void {
    if (running - 1 <= measuring.width) measuring.isNarrow = true;
    else if (now - measuring.begunAt > Math.max(1_000, 20 * measuring.full)) this.endMeasuring(now);
    else return;
    this.reopen(now);
  }

  private weigh(now: number): void {
    const { samples } = this.window;
    const told = this.overload.weigh(this.window, this.limit, this.bounds.min, now);
    if (told !== undefined) {
      if (this.measuring !== undefined) this.endMeasuring(now);
      this.doubles = false;
      this.measuredLimit = Math.min(this.measuredLimit, told);
      this.move(told, told < this.limit ? "overload" : "latency");
    } else if (samples.count < this.window.least) return;
    else if (this.measuring !== undefined) this.measured(this.measuring, samples.mean, now);
    else if (!this.window.isReached) this.idle(samples.mean);
    else this.busy(samples.mean, now);
  }

  /** The limit was not reached: it does not rise. With few running, this is the base latency. */
  private idle(mean: number): void {
    const { peak } = this.window;
    if (peak <= narrowed * this.limit || !(mean >= faster * this.base)) this.learn(mean, 0.25);
    else if (mean > gain * this.base) this.move(Math.max(peak + 1, (this.limit * gain * this.base) / mean), "latency");
  }

  private busy(mean: number, now: number): void {
    const { base } = this;
    if (this.goesBack(mean)) return;
    if (!this.isKnown) {
      this.base = mean;
      return this.measure(0.5, mean, this.limit, now);
    }
    const isFull = this.window.isFull(Math.floor(this.limit) * this.bounds.open);
    const hasNoQueue = mean <= noQueue * base && isFull;
    // the other side has become faster, or larger: which of the two, a measurement tells
    this.calm = hasNoQueue && !this.doubles ? this.calm + 1 : 0;
    const { limit } = this;
    if (mean < faster * base || this.calm >= calmWindows) return this.measure(narrowed, mean, limit, now);
    if (hasNoQueue && this.doubles) this.learn(mean, 0.25);
    // where it was a crest, there it takes longer than the mean says
    const crest = Math.max(leastEven, this.window.evenness);
    this.doubles = mean <= noQueue * base && this.doubles; // also where the limit was not full for long enough to tell
    const twice = hasNoQueue && this.doubles;
    const isFar = twice || mean > 2 * base;
    const aim = twice ? this.limit * 2 : (this.limit * gain * base * crest) / mean + 1;
    if (aim < this.limit || isFull) this.moveTo(isFar ? aim : this.limit + (aim - this.limit) / 2, now);
    if (this.limit <= doubted * this.measuredLimit) this.measure(0.5, mean, limit, now);
    else if (now >= this.measureAt && !hasNoQueue) this.measure(narrowed, mean, limit, now);
  }

  /** To where the limit was before drops lowered it, for as long as the latency does not speak against it. */
  private goesBack(mean: number): boolean {
    const { overload, window } = this;
    if (!overload.isBack) return false;
    const to = this.within(Math.min(overload.regain, 2 * this.limit));
    if (to <= this.limit || mean > (window.samples.count < fewest ? 2 : gain) * this.base) overload.regain = 0;
    else this.move(to, "latency");
    return overload.regain > 0;
  }

  /** `at`: the limit at which it took so long. */
  private measure(share: number, before: number, at: number, now: number, full = before): void {
    const width = Math.max(1, Math.floor(Math.min(this.width, this.limit) * share));
    this.measuring = { width, before, full, at, begunAt: now, isNarrow: false };
  }

  private measured({ width, before, full, at }: Measuring, mean: number, now: number): void {
    const isAsBefore = this.isKnown && mean <= 1.15 * this.base;
    if (!isAsBefore && mean < 0.85 * before && width > Math.max(1, this.bounds.min))
      return this.measure(0.5, mean, at, now, full); // there was a queue, and there may be one still
    this.learn(mean, isAsBefore && mean >= faster * this.base ? 0.25 : this.share(mean));
    const isFirst = this.measuredLimit === 0;
    const hadNoQueue = full <= (isFirst ? littleQueue : noQueue) * this.base;
    this.doubles = hadNoQueue;
    this.isKnown = true;
    this.endMeasuring(now);
    const aim = hadNoQueue ? at * (isFirst ? firstly : later) : (at * gain * this.base) / full + 1;
    // when it had fallen for a base latency of the past, it goes back to where it took so long
    if (hadNoQueue || aim < this.limit || at > this.limit) this.moveTo(hadNoQueue ? aim : Math.min(aim, at), now);
    this.measuredLimit = this.limit;
  }

  private endMeasuring(now: number): void {
    this.measuring = undefined;
    const between = Math.min(mostBetween, Math.max(leastBetween, latenciesBetween * this.base));
    this.measureAt = now + between * (0.75 + this.random() / 2);
  }

  /** What chance alone may make of a mean is no news: by more than three standard errors it is. */
  private share(mean: number): number {
    return this.isKnown && Math.abs(mean / this.base - 1) < 3 * this.window.samples.error ? 0.25 : 1;
  }

  private learn(mean: number, share: number): void {
    this.base = Number.isNaN(this.base) ? mean : this.base + (mean - this.base) * share;
  }

  private moveTo(to: number, now: number): void {
    this.move(this.overload.below(to, this.limit, now), "latency");
  }

  private move(to: number, why: "latency" | "overload"): void {
    const before = Math.floor(this.limit);
    this.limit = this.within(to);
    const after = Math.floor(this.limit);
    if (after !== before) this.changed({ from: before, to: after, why });
  }

  private within(limit: number): number {
    return Math.min(this.bounds.max, Math.max(this.bounds.min, limit));
  }
}
