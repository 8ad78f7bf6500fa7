// What time-outs and answers such as a 503 say: whether they are many, and whether they become fewer when fewer run.
import { isMany } from "./samples.ts";
import type { Window } from "./window.ts";

/** A lowering that is tried: does it make drops fewer? */
interface Trial {
  /** Of the results, as it began. */
  readonly share: number;
  /** A little less than were served at once: drops that are for the load would be gone here. */
  readonly enough: number;
  /** The limit of before the last step. */
  above: number;
  /** At the floor, and most are dropped still. */
  isDown: boolean;
}

/** A share of the results: what is not clearly more says nothing. */
const few = 0.05;
/** Of drops that are not for the load, only clearly more than so many times their share are news. */
const margin = 1.5;
/** After so many results, those of before count half. */
const memory = 1_000;
/** Of those served at once: drops that are as many with so few are not for the load. */
const below = 0.8;
/** By one step. */
const step = 0.9;
/** For so long it stays below where there was overload. */
const leastHeld = 1_000;
/** After drops that did not become fewer it tries again: later each time. */
const [leastPause, mostPause] = [30_000, 300_000];

export class Overload {
  /** Such a share of drops is no news. */
  usual = few;
  /** Where there was overload the last time: towards it slowly. */
  private ceiling = Number.POSITIVE_INFINITY;
  /** When that was. */
  private foundAt = Number.NEGATIVE_INFINITY;
  /** Where the limit was before drops lowered it: when they are over it goes back there by doubling. 0: nowhere. */
  regain = 0;
  private trial: Trial | undefined = undefined;
  private looksAgainAt = Number.POSITIVE_INFINITY;
  private pause = leastPause;
  /** How many are served at once, on the average of the last windows. */
  private served = 0;
  /** The last trial: its share of drops, what was enough, and when it was. */
  private share = 0;
  private enough = 0;
  private triedAt = Number.NEGATIVE_INFINITY;
  /** Results, and the drops among them, since the last decision. */
  private told = 0;
  private drops = 0;

  /** What the limit is to be by the drops of a window; `undefined`: they say nothing, and the latency speaks. */
  weigh(window: Window, limit: number, min: number, now: number): number | undefined {
    if (now >= this.looksAgainAt) {
      this.usual = few;
      this.looksAgainAt = Number.POSITIVE_INFINITY;
    }
    const told = window.samples.count + window.drops;
    this.told += told;
    this.drops += window.drops;
    if (this.trial !== undefined) return this.judge(this.trial, limit, min, now);
    const alone = isMany(window.drops, told, this.usual);
    this.served += (window.served - this.served) * 0.2;
    if (!alone && !isMany(this.drops, this.told, this.usual)) {
      if (this.told > memory) this.keep(0.5);
      return undefined;
    }
    const share = alone ? window.drops / told : this.drops / this.told;
    this.regain = Math.max(this.regain, limit);
    this.keep(0);
    const reached = window.isReached ? limit : Math.min(limit, window.peak);
    if (now < this.triedAt + leastPause && limit >= this.hold) {
      this.found(reached, now); // that they are for the load is known
      return step * reached;
    }
    // where they come again below the limit at which they were before, fewer were so by chance: it is the same trial
    const isSame = now < this.triedAt + leastPause && limit <= this.ceiling && share <= margin * this.share;
    const before = isSame ? this.enough : 0;
    this.share = share;
    this.enough = Math.max(before, below * (alone ? window.served : this.served));
    this.triedAt = now;
    this.trial = { share, enough: this.enough, above: reached, isDown: false };
    return this.lower(this.trial, reached);
  }

  /** Whether few results are enough to go on: each is awaited. */
  get isUrgent(): boolean {
    return this.trial === undefined ? this.isBack : this.trial.isDown;
  }

  /** Drops are over, and the limit is not where it was. */
  get isBack(): boolean {
    return this.trial === undefined && this.regain > 0 && this.ceiling === Number.POSITIVE_INFINITY;
  }

  /** Near to where there was overload it goes by small steps, and not at once. */
  below(to: number, limit: number, now: number): number {
    if (limit > this.ceiling * 1.1) this.ceiling = Number.POSITIVE_INFINITY;
    const further = now < this.foundAt + leastHeld ? limit : limit + Math.max(1, limit * 0.02);
    return Math.min(to, Math.max(this.hold, further));
  }

  /** Just below where there was overload. */
  private get hold(): number {
    const { ceiling } = this;
    return Math.max(ceiling * 0.95, Math.floor(ceiling) - 0.5);
  }

  private found(limit: number, now: number): void {
    this.ceiling = limit;
    this.foundAt = now;
  }

  private judge(trial: Trial, limit: number, min: number, now: number): number {
    const error = (1 - trial.share) / trial.share / this.told; // squared, and as a share of it
    const share = this.drops / this.told;
    const isLess = share < trial.share / 2;
    // a half is known for what it is by two standard errors, and by three where much rests on it
    if (error > 1 / 16 || (share < 0.75 * trial.share && error > 1 / 36)) return limit;
    this.keep(0);
    if (isLess) {
      this.trial = undefined;
      if (!trial.isDown) {
        this.found(trial.above, now);
        return Math.max(limit, step * trial.above);
      }
      this.ceiling = Number.POSITIVE_INFINITY; // at the floor it is not the limit that helped: the other side is back
      return limit;
    }
    if (limit > Math.max(min, trial.enough)) {
      trial.above = limit;
      return this.lower(trial, limit);
    }
    if (share >= 0.5 && limit <= min) {
      trial.isDown = true;
      return limit;
    }
    this.trial = undefined;
    this.usual = Math.min(0.95, Math.max(few, share * margin));
    this.looksAgainAt = now + this.pause;
    this.pause = Math.min(mostPause, 2 * this.pause);
    return Math.max(limit, Math.min(this.regain, this.hold));
  }

  /** Where most are served, at once to where it has to show: a slow search would refuse many. */
  private lower({ share, enough }: Trial, limit: number): number {
    return share < 0.5 ? Math.min(limit * step, enough) : limit * step;
  }

  private keep(share: number): void {
    this.told *= share;
    this.drops *= share;
  }
}
