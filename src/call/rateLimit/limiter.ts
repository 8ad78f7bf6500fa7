// The quotas of a rate limit, and who waits for them.
import type { AttemptRecord } from "../../core/attempt.ts";
import { generation, generationSince, type LiveSeams } from "../../core/seams.ts";
import { Queue, rankOf } from "../bulkhead/queue.ts";
import { type Amounts, type QuotaName, quotaNames } from "./amounts.ts";
import type { Told } from "./headers.ts";
import type { Meter } from "./meter.ts";
import { fits, meterOf } from "./meters.ts";
import { longestPauseMs } from "./pause.ts";
import type { Settings } from "./settings.ts";
import { type Refusal, Waiter } from "./waiter.ts";
import { Words } from "./words.ts";

/** So many wait at the most, whatever they wait for: what stands behind them is refused. */
export const mostWaiting = 10_000;

const requests: QuotaName = "requests";

export class Limiter {
  settings: Settings;
  readonly seams: LiveSeams;
  /** All that was ever taken, by quota: what was taken between two moments is their difference. */
  readonly taken = [0, 0, 0, 0, 0];
  /** Grows with every `reset()`: what was taken before is not given back. */
  born = generation();
  private meters: (Meter | undefined)[] = [];
  private words: Words | undefined = undefined;
  /** Until when the other side has asked to be left alone, monotonic ms. */
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private readonly queue = new Queue<Waiter>();
  /** What waits, by rank and quota. */
  private readonly sums = [0, 1, 2, 3].map(() => [0, 0, 0, 0, 0]);
  private timer: (() => void) | undefined = undefined;

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
    this.meters = this.made(settings);
  }

  get waiting(): number {
    return this.queue.size;
  }

  /** How long nobody is let in any more, as the other side has asked. */
  get pausedMs(): number {
    this.refresh();
    return Math.max(0, this.pausedUntil - this.now());
  }

  /** Other settings, what is spent stays spent: a lowered limit holds now, a raised one lets waiters in now. Ends a pause. */
  change(settings: Settings): void {
    this.refresh();
    const now = this.now();
    this.meters = quotaNames.map((name, i) => {
      const measure = settings[name];
      const meter = this.meters[i];
      if (measure === undefined || meter === undefined) return measure && this.madeOne(settings, i, now);
      if (fits(meter, settings.shape, measure)) {
        meter.change(measure, now);
        return meter;
      }
      const other = this.madeOne(settings, i, now);
      other?.take(now, meter.spent(now));
      return other;
    });
    this.settings = settings;
    this.pausedUntil = Number.NEGATIVE_INFINITY;
    this.admit();
  }

  /** As new after a `reset()`, but for those who still wait: their calls are under way. */
  refresh(): void {
    if (this.born === generation()) return;
    this.born = generation();
    this.meters = this.made(this.settings);
    this.words = undefined;
    this.pausedUntil = Number.NEGATIVE_INFINITY;
    this.admit();
  }

  /** Takes all of it or nothing: gives why not. */
  take(amounts: Amounts, rank: number): Refusal | undefined {
    this.refresh();
    const now = this.now();
    const wait = this.waitFor(now, amounts, rank);
    if (wait === undefined) this.taking(now, amounts);
    return wait;
  }

  /** Ms until such a call would be let in, or may wait. */
  readyMs(amounts: Amounts): number {
    this.refresh();
    const wait = this.waitFor(this.now(), amounts, 1)?.waitMs ?? 0;
    const { maxWait, whenFull } = this.settings;
    return whenFull === "wait" && wait <= maxWait && this.queue.size < mostWaiting ? 0 : wait;
  }

  /** Lets an attempt wait, where it may and can still be let in in its time; else `undefined`. */
  enqueue(attempt: AttemptRecord, amounts: Amounts, { quota, waitMs }: Refusal): Waiter | undefined {
    const { maxWait, whenFull } = this.settings;
    if (whenFull === "reject" || this.queue.size >= mostWaiting) return undefined;
    if (waitMs === Number.POSITIVE_INFINITY || waitMs > maxWait || waitMs > attempt.remainingMs()) return undefined;
    const waiter = new Waiter(attempt, rankOf(attempt.said?.criticality), amounts, quota, this);
    this.queue.add(waiter);
    this.sum(waiter, 1);
    waiter.begin(maxWait);
    this.admit();
    return waiter;
  }

  waitedOut(waiter: Waiter): void {
    this.admit(); // it may be its turn in this very moment
    if (waiter.isOver) return;
    this.remove(waiter);
    const wait = this.waitFor(this.now(), waiter.amounts, waiter.rank);
    waiter.refuse(wait ?? { quota: waiter.quota, waitMs: 0 });
    this.admit();
  }

  rerank(waiter: Waiter, rank: number): void {
    this.remove(waiter);
    waiter.rank = rank;
    this.queue.add(waiter);
    this.sum(waiter, 1);
    this.admit();
  }

  /** Its attempt is over: whoever stands behind it may be next. */
  leave(waiter: Waiter): void {
    this.remove(waiter);
    this.admit();
  }

  /** It was as much as `used`: less comes back, more is owed. `since`: it was taken no earlier. */
  settle(amounts: Amounts, used: Amounts, since: number): void {
    this.refresh();
    const now = this.now();
    for (let i = 0; i < quotaNames.length; i++) {
      const more = (used[i] as number) - (amounts[i] as number);
      if (more === 0) continue;
      (this.taken[i] as number) += more;
      this.words?.take(i, more);
      const meter = this.meters[i];
      if (more > 0) meter?.take(now, more);
      else meter?.giveBack(now, -more, since);
    }
    this.admit();
  }

  /** What is left of each quota. */
  get left(): Readonly<Record<string, number>> {
    this.refresh();
    const now = this.now();
    const all = quotaNames.flatMap((name, i) => (this.meters[i] === undefined ? [] : [[name, this.leftOf(i, now)]]));
    return Object.fromEntries(all) as Record<string, number>;
  }

  /** Nothing is spent and nobody waits: it can be forgotten. */
  get isIdle(): boolean {
    const now = this.now();
    return (
      this.queue.size === 0 &&
      (this.words?.isOver(now) ?? true) &&
      this.pausedUntil <= now &&
      this.meters.every((meter) => meter === undefined || meter.spent(now) <= 0)
    );
  }

  /** The provider has told that less is left than was thought. `since`: how much had been taken when it was asked. */
  hear(told: readonly Told[], serial: number, since: Amounts): readonly { from: number; to: number }[] {
    this.refresh();
    const now = this.now();
    const changes: { from: number; to: number }[] = [];
    for (const one of told) {
      const i = quotaNames.indexOf(one.quota);
      const measure = this.settings[one.quota];
      if (measure === undefined) continue;
      const from = this.leftOf(i, now);
      const sent = (this.taken[i] as number) - (since[i] as number);
      this.words ??= new Words();
      if (!this.words.hear(i, one, measure, sent, serial, now)) continue;
      const to = this.leftOf(i, now);
      if (Math.floor(to) < Math.floor(from)) changes.push({ from, to });
    }
    this.admit();
    return changes;
  }

  /** The other side has asked to be left alone for so long: it is, as far as one answer may say so. */
  pause(ms: number): void {
    this.refresh();
    this.pausedUntil = Math.max(this.pausedUntil, this.now() + Math.min(ms, longestPauseMs(this.settings)));
    this.arm();
  }

  /** Whether this attempt was begun after the last `reset()`: what was taken before is not given back. */
  knows(attempt: AttemptRecord): boolean {
    return attempt.serial > generationSince();
  }

  private now(): number {
    return this.seams.clock.monotonic();
  }
  private made(settings: Settings): (Meter | undefined)[] {
    const now = this.now();
    return quotaNames.map((_, i) => this.madeOne(settings, i, now));
  }

  private madeOne(settings: Settings, i: number, now: number): Meter | undefined {
    const name = quotaNames[i] as QuotaName;
    const measure = settings[name];
    return measure && meterOf(settings.shape, measure, name === requests, now);
  }

  private leftOf(i: number, now: number): number {
    if (this.pausedUntil > now) return 0;
    const left = this.meters[i]?.left(now) ?? 0;
    return Math.max(0, Math.min(left, this.words?.left(i, now) ?? left));
  }

  /** Why it cannot be taken now by one of this rank; those who are before it in the line go first. */
  private waitFor(now: number, amounts: Amounts, rank: number): Refusal | undefined {
    const { meters, words } = this;
    let longest = 0;
    let quota = requests;
    const paused = this.pausedUntil - now;
    if (paused > 0) longest = paused;
    for (let i = 0; i < meters.length; i++) {
      const meter = meters[i];
      if (meter === undefined) continue;
      const amount = amounts[i] as number;
      let wait = meter.waitMs(now, amount, this.queue.size === 0 ? 0 : this.before(rank, i));
      if (amount > meter.capacity * (1 + 1e-9) || meter.capacity === 0) wait = Number.POSITIVE_INFINITY;
      if (words !== undefined) wait = Math.max(wait, words.waitMs(i, amount, now));
      if (wait > longest) {
        longest = wait;
        quota = quotaNames[i] as QuotaName;
      }
    }
    return longest === 0 ? undefined : { quota, waitMs: longest };
  }

  private before(rank: number, i: number): number {
    let sum = 0;
    for (let at = 0; at <= rank; at++) sum += (this.sums[at] as number[])[i] as number;
    return sum;
  }

  private taking(now: number, amounts: Amounts): void {
    for (let i = 0; i < amounts.length; i++) {
      const amount = amounts[i] as number;
      if (amount === 0) continue;
      (this.taken[i] as number) += amount;
      this.meters[i]?.take(now, amount);
      this.words?.take(i, amount);
    }
  }

  private sum({ amounts, rank }: Waiter, by: 1 | -1): void {
    const sums = this.sums[rank] as number[];
    for (let i = 0; i < amounts.length; i++) (sums[i] as number) += by * (amounts[i] as number);
    if (this.queue.size === 0) for (const all of this.sums) all.fill(0); // and no error of rounding is left
  }

  private remove(waiter: Waiter): void {
    this.queue.remove(waiter);
    this.sum(waiter, -1);
  }

  /** Lets in who can be let in, in their order; then waits for the next. */
  private admit(): void {
    const now = this.now();
    for (let first = this.queue.first; first !== undefined; first = this.queue.first) {
      const wait = this.waitFor(now, first.amounts, -1);
      if (wait !== undefined && wait.waitMs !== Number.POSITIVE_INFINITY) break;
      this.remove(first);
      if (wait === undefined) {
        this.taking(now, first.amounts);
        first.admit();
      } else first.refuse(wait);
    }
    this.arm();
  }

  /** One timer, for the first in the line. */
  private arm(): void {
    this.timer?.();
    this.timer = undefined;
    const { first } = this.queue;
    if (first === undefined) return;
    const wait = this.waitFor(this.now(), first.amounts, -1)?.waitMs ?? 0;
    this.timer = this.seams.clock.timer(wait, { expire: () => this.admit() });
  }
}
