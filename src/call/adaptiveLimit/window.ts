// One window of observation. Only what was begun in it is a sample of it, and it waits for those: whoever takes the first
// answers that come has the quick ones alone.
import { isMany, Samples } from "./samples.ts";

/** Fewer say nothing. */
export const fewest = 10;
/** A window that is so many latencies old, and a second, has what it will get. */
const latencies = 20;
const leastMs = 1_000;
/** On the average so many of those that may run, or it was only a crest. */
const crowded = 0.8;
/** Of those begun in it, the last that are waited for: so many latencies after its end. */
const tail = 3;

export class Window {
  readonly samples = new Samples();
  /** Operations that were told to be too many: time-outs, and answers that say so. */
  drops = 0;
  /** So well has the mean to be known (standard error, as a share of it), or the window goes on. */
  precision = 0.2;
  /** So many results it has at least. */
  least = fewest;
  /** Such a share of drops is no reason to end it. */
  usual = 0;
  /** The most that ran at once. */
  peak = 0;
  /** Whether somebody wanted a place and got none. */
  isReached = false;
  private latency = 0;
  /** How many ran, added up over those that ended. */
  private crowd = 0;
  private freely = 0;
  /** For so long drops held their places, in all. */
  private dropped = 0;
  private from = Number.NaN;
  private until = Number.NaN;
  private begun = 0;
  private seen = 0;

  /** `latency`: how long one took the last time, for who has not seen any yet. */
  open(now: number, latency: number): void {
    this.latency = latency;
    this.samples.clear();
    this.drops = this.dropped = this.peak = this.crowd = this.begun = this.seen = 0;
    this.isReached = false;
    this.from = now;
    this.until = Number.NaN;
  }

  enter(running: number): void {
    if (running > this.peak) this.peak = running;
    if (!(this.until >= 0)) this.begun++;
  }

  /** Somebody wanted a place and got none. */
  miss(): void {
    if (!this.isReached) this.freely = this.begun;
    this.isReached = true;
  }

  /** Whether the limit was reached for most of it, with so many running: else what it saw is not how it is at the limit. */
  isFull(limit: number): boolean {
    return this.isReached && this.freely <= this.begun / 2 && this.crowd >= crowded * limit * this.seen;
  }

  /** How many ran on the average, as a share of the most. */
  get evenness(): number {
    return this.seen === 0 || this.peak === 0 ? 1 : Math.min(1, this.crowd / this.seen / this.peak);
  }

  /** How many of those that ran were served, on the average: of the places, the part of the time that those held that were. */
  get served(): number {
    const ok = this.samples.count * this.samples.mean;
    return ok === 0 ? 0 : ((this.crowd / this.seen) * ok) / (ok + this.dropped);
  }

  has(startedAt: number): boolean {
    if (Number.isNaN(this.from)) this.from = startedAt; // the very first
    return startedAt >= this.from && !(startedAt > this.until);
  }

  /** One that was begun in it has ended: of what is neither a success nor a drop, nothing is taken but that. */
  end(now: number, startedAt: number, how: "ok" | "drop" | "other", running: number): void {
    this.seen++;
    this.crowd += running;
    if (how === "ok") this.samples.add(now - startedAt);
    else if (how === "drop") {
      this.drops++;
      this.dropped += now - startedAt;
    }
  }

  /** Whether it says what it can say; `dropped`: it will not say enough. */
  state(now: number): "open" | "complete" | "dropped" {
    const { samples, drops } = this;
    if (!(this.until >= 0)) {
      const told = samples.count + drops;
      const isOld = now - this.from >= Math.max(leastMs, latencies * Math.max(samples.mean, this.latency));
      if (told < this.least) return isOld ? "dropped" : "open";
      const says = samples.count >= this.least ? samples.error <= this.precision : isMany(drops, told, this.usual);
      if (!says && !isOld) return "open";
      this.until = now;
    }
    return this.seen >= this.begun || now >= this.until + tail * Math.max(samples.mean, this.latency)
      ? "complete"
      : "open";
  }
}
