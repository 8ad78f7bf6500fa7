// One run for all who ask the same at the same time: a call of its own that has several parents.
import type { AttemptRecord } from "./attempt.ts";
import type { Said } from "./context.ts";
import { WAITS } from "./lastResort.ts";
import { LOST } from "./lent.ts";
import { passOn } from "./passOn.ts";
import { Race } from "./race.ts";
import type { Parent } from "./rare.ts";
import { CallRecord, type Cut } from "./record.ts";
import type { Seat } from "./seat.ts";
import type { Stack } from "./stack.ts";
import type { Failure, Verdict } from "./verdict.ts";
import { goOn, openPromise } from "./wake.ts";
import { type Live, Wishes } from "./wishes.ts";

const unsaid: Said = Object.freeze({});
/** Where nothing goes on after a timer, nobody has to be woken. */
const nobody = { promise: Promise.resolve(), resolve: () => {}, reject: () => {} };

/** How a flight ended, for everybody in it. */
export interface Landing {
  readonly ok: boolean;
  readonly value: unknown;
  readonly verdict: Verdict | undefined;
  readonly flight: Flight;
}

/** What whoever began it makes of its end: the landing for those who are in it. */
export interface Tower {
  landed(landing: Landing): Landing;
  /** All have left: it is cut, and what it may still give is nobody's. */
  deserted(flight: Flight): void;
}

/**
 * It runs while anybody is in it, under the latest deadline and the highest criticality of those who are. What it does is
 * told as the doing of one of them: of the first, and when that leaves of the next; the stories of the others name that one.
 */
export class Flight extends CallRecord {
  private readonly tower: Tower;
  /** Mostly one; the first of them is the teller's. */
  private first: Seat | null = null;
  private others: Set<Seat> | null = null;
  private said: Live = unsaid;
  /** Of several. */
  private wishes: Wishes | null = null;
  /** In whose name it speaks. */
  private teller: AttemptRecord | null = null;
  /** How many of its attempts are told. */
  private told = 0;
  private run: Race | null = null;

  constructor(stack: Stack, tower: Tower, startedAt: number) {
    const wakes = stack.recovers || !stack.seams.events.quiet;
    const open = wakes ? openPromise() : nobody;
    super(stack, open, startedAt);
    this.tower = tower;
    if (!wakes) return;
    this.keepContext();
    open.promise.then(goOn);
  }

  /** What of caches further in it takes. */
  get accept(): Said["accept"] {
    return this.said.accept;
  }
  override get isShared(): boolean {
    return true;
  }
  override get id(): string {
    return this.teller?.call.id ?? super.id;
  }
  override get labels(): Readonly<Record<string, string>> {
    return this.teller?.call.labels ?? super.labels;
  }
  override get parent(): (Parent & AttemptRecord) | null {
    return this.teller;
  }
  /** Of those who are in it the latest; live. */
  override get dueAt(): number {
    const isOver = this.first === null && this.cut === null;
    return isOver ? super.dueAt : this.latest(({ dueAt }) => dueAt);
  }
  override get deadlineAt(): number | undefined {
    const at = this.latest(({ deadlineAt }) => deadlineAt ?? Number.POSITIVE_INFINITY);
    return at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  /** For it, which ends with the attempt. */
  join(seat: Seat): void {
    const { attempt, wish } = seat;
    if (this.first === null) {
      this.first = seat;
      this.teller = attempt;
      const { accept, criticality, fallback, idempotencyKey, labels, retry } = wish;
      this.said = { accept, criticality, fallback, idempotencyKey, labels, retry };
      return;
    }
    const { more } = attempt.call;
    more.shared = { call: this.id, attempts: more.shared?.attempts ?? 0 };
    for (const failure of this.failures) attempt.call.fail(failure);
    this.others ??= new Set();
    this.others.add(seat);
    if (this.wishes === null) {
      this.wishes = new Wishes(this.said);
      this.wishes.count(this.first.wish, 1);
    }
    this.agree(seat, 1);
  }

  begin({ call, input }: AttemptRecord): void {
    const { previous } = call;
    if (previous.length > 0) this.more.handed = previous;
    const veiled = call.rare?.veiled;
    if (veiled) this.more.veiled = veiled;
    const run = new Race(this, this.stack, this.stack.layers.length, null, this.startedAt, this.said);
    this.run = run;
    this.root = run;
    run.begin(input);
    this.entered();
  }

  leave(seat: Seat, cut: Cut | undefined): void {
    if (!this.drop(seat)) return;
    const { attempt } = seat;
    if (cut !== undefined) attempt.heard(this.run ?? attempt);
    this.account();
    if (this.first === null) {
      this.tower.deserted(this);
      if (this.rare?.lastResort) {
        attempt.call.more.lastResort = this.rare.lastResort;
        this.rare.lastResort = null;
      }
      this.abandon(cut ?? { reason: LOST, at: attempt.now(), wholeMs: 0 });
      return;
    }
    if (attempt === this.teller) {
      this.teller = this.first.attempt;
      if (this.run !== null) rename(this.run, this.id);
    }
    this.agree(seat, -1);
  }

  private drop(seat: Seat): boolean {
    if (seat !== this.first) return this.others?.delete(seat) ?? false;
    this.first = null;
    for (const next of this.others ?? []) {
      this.first = next;
      this.others?.delete(next);
      break;
    }
    return true;
  }

  private get seats(): readonly Seat[] {
    if (this.first === null) return [];
    return this.others === null ? [this.first] : [this.first, ...this.others];
  }

  /** Whether this call is a part of what it runs, and would wait for itself. */
  runs(call: CallRecord, seen = new Set<CallRecord>()): boolean {
    if (call === this) return true;
    if (seen.has(call)) return false;
    seen.add(call);
    if (call instanceof Flight) return call.seats.some(({ attempt }) => this.runs(attempt.call, seen));
    const parent = call.parent as AttemptRecord | null;
    return parent !== null && this.runs(parent.call, seen);
  }

  override adopt(child: CallRecord): void {
    super.adopt(child); // whether what must not happen twice may have happened is asked of it
    this.teller?.call.adopt(child);
  }

  override fail(failure: Failure): void {
    super.fail(failure);
    if (this.first === null) this.teller?.call.fail(failure);
    else for (const { attempt } of this.seats) attempt.call.fail(failure);
  }

  override finish(ok: boolean, value: unknown, verdict: Verdict | undefined): void {
    if (this.ended) return;
    if (!ok && this.rare !== null && this.rare.lastResort !== null) {
      value = this.rare.lastResort.instead(value, this);
      if (value === WAITS) return;
    }
    this.close();
    this.run?.note();
    if (ok && this.rare !== null) passOn(this, this.rare, value);
    this.account();
    const own: Landing = { ok, value, verdict, flight: this };
    const landing = this.first === null ? own : this.tower.landed(own);
    const { dueAt, run, seats } = this;
    if (dueAt !== Number.POSITIVE_INFINITY) this.more.dueAt = dueAt;
    for (const seat of seats) {
      const shared = seat.attempt.call.rare?.shared;
      if (shared !== undefined) shared.attempts += this.attempts;
      if (landing === own && run !== null) seat.attempt.heard(run);
      seat.land(landing);
    }
    this.first = this.others = null;
    this.run = this.root = null;
    this.answer(true, undefined);
  }

  /** Its attempts, and what was put right, become a part of the story of whom it speaks for. */
  private account(): void {
    const { rare, teller } = this;
    if (teller === null) return;
    teller.call.attempts += this.attempts - this.told;
    this.told = this.attempts;
    for (const { path, rule } of rare?.corrections?.splice(0) ?? []) teller.call.more.correct(path, rule);
  }

  /** What all who are in it want together, also of what is under way. */
  private agree({ wish }: Seat, sign: 1 | -1): void {
    if (this.wishes?.count(wish, sign) && this.run !== null) raise(this.run, this.said.criticality);
  }

  private latest(of: (attempt: AttemptRecord) => number): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { attempt } of this.seats) latest = Math.max(latest, of(attempt));
    return latest;
  }
}

/** What is yet to be called is told of in another's name. */
function rename(attempt: AttemptRecord, id: string): void {
  if (attempt.made !== null && !attempt.called) attempt.made.call = id;
  for (const kid of attempt.more.kids) if (kid instanceof Race) rename(kid, id);
}

function raise(attempt: AttemptRecord, criticality: Said["criticality"]): void {
  if (attempt.made !== null) attempt.made.criticality = criticality;
  for (const kid of attempt.more.kids)
    if (kid instanceof Race) raise(kid, criticality);
    else kid.reranked?.();
}
