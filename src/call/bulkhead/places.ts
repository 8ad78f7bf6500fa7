// The places of a bulkhead: who has one, who waits for one, and when it is free again.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Room } from "../../core/room.ts";
import { generation, generationSince, type LiveSeams } from "../../core/seams.ts";
import { armUnheld, disarm } from "../../core/timers.ts";
import { stillRuns } from "../../core/trueEnd.ts";
import type { Verdict } from "../../core/verdict.ts";
import { type Tenant, whose } from "../shed/whose.ts";
import { heldAround } from "./around.ts";
import { Overstay } from "./overstay.ts";
import { Queue, rankOf } from "./queue.ts";
import { bulkheadOf } from "./refusal.ts";
import { type Refusal, Waiter } from "./waiter.ts";

/** Options as it works with them: milliseconds, every default filled in. */
export interface Settings {
  readonly concurrency: number;
  readonly queue: number;
  /** `Infinity`: no limit. */
  readonly queueTimeout: number;
  /** `Infinity`: never. */
  readonly abandonAfter: number;
}

export class Places implements Room {
  /** Its number is declared. */
  readonly grows = false;
  /** Nobody asks it how long one takes. */
  readonly latencyMs = Number.NaN;
  settings: Settings;
  readonly seams: LiveSeams;
  /** How many have a place. */
  running = 0;
  /** How many run without one: theirs was given to others. */
  abandoned = 0;
  /** Grows with every `reset()`: what was taken before is not given back. */
  born = generation();
  /** Attempts up to this serial were begun before the last `reset()`. */
  private since = 0;
  private readonly queue = new Queue<Waiter>();
  /** What is not as its serial says: has none, has lost it, or has it though it was begun before the last `reset()`. */
  private odd: WeakMap<AttemptRecord, "none" | "lost" | "late"> | undefined = undefined;
  private overstays: Map<AttemptRecord, Overstay> | undefined = undefined;

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
  }

  get queued(): number {
    return this.queue.size;
  }

  /** Other settings, while calls are under way: who has a place or waits keeps it, a raised limit lets waiters in now. */
  change(settings: Settings): void {
    this.refresh();
    this.settings = settings;
    this.admit();
  }

  /** As new after a `reset()`, but for those who still wait: their calls are under way. */
  refresh(): void {
    if (this.born === generation()) return;
    this.born = generation();
    this.since = generationSince();
    this.running = this.abandoned = 0;
    this.odd = undefined;
    if (this.overstays !== undefined) for (const overstay of this.overstays.values()) disarm(overstay);
    this.overstays = undefined;
    this.admit();
  }

  /** Gives whether a place was free. */
  take(): boolean {
    this.refresh();
    if (this.running >= this.settings.concurrency) return false;
    this.running++;
    return true;
  }

  /** The same for an attempt. */
  enter(attempt: AttemptRecord): boolean {
    if (!this.take()) return false;
    if (attempt.serial <= this.since) this.note(attempt, "late");
    return true;
  }

  /** Passes without a place: it is over, and calls nothing. */
  pass(attempt: AttemptRecord): void {
    this.note(attempt, "none");
  }

  /** Whether a call that comes now would get a place, or may wait for one. */
  get hasRoom(): boolean {
    this.refresh();
    const { concurrency, queue } = this.settings;
    return this.running < concurrency || this.queue.size < queue;
  }

  /** Of any rank: who comes first. */
  free(): number {
    this.refresh();
    const { concurrency, queue } = this.settings;
    return concurrency - this.running + queue - this.queue.size;
  }

  /** Who waits is let in by turns, and makes room for those who have less: no place has to be kept for them. */
  get isFair(): boolean {
    return this.settings.queue > 0;
  }

  /** Whether one who waits would make room for a call of this tenant, which is not counted yet. */
  yields(rank: number, { running }: Pick<Tenant, "running">): boolean {
    return (this.queue.lastBelow(rank) ?? this.queue.lastAbove(rank, running + 1)) !== undefined;
  }

  get size(): number {
    return this.settings.concurrency + this.settings.queue;
  }

  missed(): void {
    // its number is declared: it learns nothing of it
  }

  /** Lets an attempt wait, in the place of a less critical one, or one of a tenant that has more, where the queue is full; `undefined`: there is no place to wait in. */
  enqueue(attempt: AttemptRecord): Waiter | undefined {
    const { queue, settings } = this;
    const rank = rankOf(attempt.said?.criticality);
    const tenant = whose(attempt.call);
    const displaced = queue.size >= settings.queue ? this.lastBelow(rank, tenant) : null;
    if (displaced === undefined) return undefined;
    const waiter = new Waiter(attempt, rank, this, tenant);
    queue.add(waiter);
    if (displaced !== null) this.turnAway(displaced, displaced.rank === rank ? "fairness" : "displaced");
    waiter.begin(settings.queueTimeout);
    return waiter;
  }

  private lastBelow(rank: number, tenant: Tenant | undefined): Waiter | undefined {
    const { queue } = this;
    return queue.lastBelow(rank) ?? (tenant && queue.lastAbove(rank, tenant.running));
  }

  rerank(waiter: Waiter, rank: number): void {
    this.queue.remove(waiter);
    waiter.rank = rank;
    this.queue.add(waiter);
  }

  turnAway(waiter: Waiter, reason: Refusal["reason"]): void {
    this.queue.remove(waiter);
    waiter.refuse(this.refusal(reason, waiter.attempt));
  }

  /** Why somebody is not let in, with the figures of now. */
  refusal(reason: Refusal["reason"], attempt?: AttemptRecord): Refusal {
    const heldBy = attempt && this.heldAround(attempt);
    const { running, queued, settings } = this;
    return { running, queued, limit: settings.concurrency, reason, ...(heldBy !== undefined && { heldBy }) };
  }

  private heldAround(attempt: AttemptRecord): string | undefined {
    return heldAround(attempt, this, (around) => this.holds(around));
  }

  /** Its attempt is over: the next one moves up. */
  leaveQueue(waiter: Waiter): void {
    const { attempt } = waiter;
    this.queue.remove(waiter);
    const heldBy = this.heldAround(attempt);
    if (heldBy !== undefined) attempt.more.waitedFor = { bulkhead: bulkheadOf(this.seams, attempt.call), heldBy };
    this.pass(attempt);
  }

  /** A place is free again. */
  giveBack(): void {
    this.running--;
    this.admit();
  }

  /** The true end of an attempt. */
  end(attempt: AttemptRecord): void {
    this.refresh();
    const { odd, overstays } = this;
    if (odd !== undefined || attempt.serial <= this.since) {
      const had = this.holds(attempt);
      if (odd?.get(attempt) === "lost") this.abandoned--;
      odd?.delete(attempt);
      if (!had) return;
    }
    if (overstays !== undefined) this.forgive(attempt, overstays);
    this.giveBack();
  }

  /** It has its answer, which may be a value that tells of a failure, and it may run on. */
  answered(attempt: AttemptRecord, told: Verdict | undefined): void {
    const { abandonAfter } = this.settings;
    if (told === undefined && abandonAfter === Number.POSITIVE_INFINITY) return;
    if (!this.holds(attempt)) return;
    if (!stillRuns(attempt)) return told === undefined ? undefined : this.letGo(attempt, told);
    if (abandonAfter === Number.POSITIVE_INFINITY) return;
    this.overstays ??= new Map();
    const overstay = new Overstay(attempt, abandonAfter, this);
    this.overstays.set(attempt, overstay);
    armUnheld(attempt.call.stack.seams.clock, abandonAfter, overstay);
  }

  /** A failing response is kept until the next attempt starts, unread: a back-off holds no place, and no retry waits for itself. */
  private letGo(attempt: AttemptRecord, { retry, fallBack }: Verdict): void {
    if (!attempt.call.stack.recovers || !(retry || fallBack)) return; // it is delivered
    this.pass(attempt);
    this.giveBack();
  }

  /** It has run on for too long: its place goes to others. What never ends is not kept by being counted. */
  abandon(attempt: AttemptRecord, afterMs: number): void {
    this.overstays?.delete(attempt);
    if (!stillRuns(attempt)) return; // its body is on its way, and is read
    this.note(attempt, "lost");
    this.abandoned++;
    this.giveBack();
    const { events } = this.seams;
    if (events.quiet) return;
    events.emit("bulkhead.abandoned", { afterMs, running: this.running, abandoned: this.abandoned }, attempt.call);
  }

  private note(attempt: AttemptRecord, what: "none" | "lost" | "late"): void {
    this.odd ??= new WeakMap();
    this.odd.set(attempt, what);
  }

  holds(attempt: AttemptRecord): boolean {
    const odd = this.odd?.get(attempt);
    return odd === undefined ? attempt.serial > this.since : odd === "late";
  }

  private forgive(attempt: AttemptRecord, overstays: Map<AttemptRecord, Overstay>): void {
    const overstay = overstays.get(attempt);
    if (overstay === undefined) return;
    overstays.delete(attempt);
    disarm(overstay);
  }

  private admit(): void {
    while (this.queue.size > 0 && this.running < this.settings.concurrency) {
      const next = this.queue.takeFirst() as Waiter;
      this.running++;
      if (next.attempt.serial <= this.since) this.note(next.attempt, "late");
      next.admit();
    }
  }
}
