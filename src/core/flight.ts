// One run for all who ask the same at the same time: a call of its own that has several parents.
import type { AttemptRecord } from "./attempt.ts";
import type { Said } from "./context.ts";
import { WAITS } from "./lastResort.ts";
import { LOST } from "./lent.ts";
import { Race } from "./race.ts";
import type { Parent } from "./rare.ts";
import { CallRecord, type Cut } from "./record.ts";
import { Seat } from "./seat.ts";
import type { Stack } from "./stack.ts";
import { passStale } from "./stale.ts";
import type { Failure, Verdict } from "./verdict.ts";
import { goOn, openPromise } from "./wake.ts";
import { Wishes } from "./wishes.ts";

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
  private readonly seats = new Set<Seat>();
  private readonly wishes = new Wishes();
  /** In whose name it speaks. */
  private teller: AttemptRecord | null = null;
  /** How many of its attempts are told. */
  private told = 0;
  private run: Race | null = null;

  constructor(stack: Stack, tower: Tower) {
    const { promise, resolve, reject } = openPromise();
    super(stack, resolve, reject);
    this.tower = tower;
    if (!stack.recovers && stack.seams.events.quiet) return;
    this.keepContext();
    promise.then(goOn);
  }

  /** What of caches further in it takes. */
  get accept(): Said["accept"] {
    return this.wishes.said.accept;
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
    return this.latest(({ dueAt }) => dueAt);
  }
  override get deadlineAt(): number | undefined {
    const at = this.latest(({ deadlineAt }) => deadlineAt ?? Number.POSITIVE_INFINITY);
    return at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  /** A place in it, which ends with the attempt; `patienceMs` 0: as long as it takes. */
  join(attempt: AttemptRecord, patienceMs: number): Seat {
    const seat = new Seat(this, attempt, patienceMs);
    this.seats.add(seat);
    if (this.teller === null) this.teller = attempt;
    else {
      const { more } = attempt.call;
      more.shared = { call: this.id, attempts: more.shared?.attempts ?? 0 };
      for (const failure of this.failures) attempt.call.fail(failure);
    }
    this.agree(attempt, 1);
    return seat;
  }

  begin(input: unknown): void {
    const { context } = this.teller as AttemptRecord;
    const { accept, idempotencyKey, labels, previous } = context;
    Object.assign(this.wishes.said, { accept, idempotencyKey, labels });
    if (previous.length > 0) this.more.handed = previous;
    const veiled = (this.teller as AttemptRecord).call.rare?.veiled;
    if (veiled) this.more.veiled = veiled;
    const run = new Race(this, this.stack, this.stack.layers.length, null, this.startedAt, this.wishes.said);
    this.run = run;
    this.root = run;
    run.begin(input);
    this.entered();
  }

  leave(seat: Seat, cut: Cut | undefined): void {
    if (!this.seats.delete(seat)) return;
    const { attempt } = seat;
    if (cut !== undefined) attempt.heard(this.run ?? attempt);
    if (attempt === this.teller) this.account();
    if (this.seats.size === 0) {
      this.tower.deserted(this);
      if (this.rare?.lastResort) {
        attempt.call.more.lastResort = this.rare.lastResort;
        this.rare.lastResort = null;
      }
      this.abandon(cut ?? { reason: LOST, at: attempt.now(), wholeMs: 0 });
      return;
    }
    if (attempt === this.teller) {
      const [next] = this.seats;
      this.teller = next?.attempt ?? null;
      if (this.run !== null) rename(this.run, this.id);
    }
    this.agree(attempt, -1);
  }

  /** Whether this call is a part of what it runs, and would wait for itself. */
  runs(call: CallRecord, seen = new Set<CallRecord>()): boolean {
    if (call === this) return true;
    if (seen.has(call)) return false;
    seen.add(call);
    if (call instanceof Flight) return [...call.seats].some(({ attempt }) => this.runs(attempt.call, seen));
    const parent = call.parent as AttemptRecord | null;
    return parent !== null && this.runs(parent.call, seen);
  }

  override adopt(child: CallRecord): void {
    this.teller?.call.adopt(child);
  }

  override fail(failure: Failure): void {
    super.fail(failure);
    if (this.seats.size === 0) this.teller?.call.fail(failure);
    else for (const { attempt } of this.seats) attempt.call.fail(failure);
  }

  override finish(ok: boolean, value: unknown, verdict: Verdict | undefined): void {
    if (this.ended) return;
    if (!ok && this.rare !== null && this.rare.lastResort !== null) {
      value = this.rare.lastResort.instead(value, this);
      if (value === WAITS) return;
    }
    this.close();
    if (verdict !== undefined) this.run?.note();
    if (ok && this.rare !== null) passStale(this.rare);
    this.account();
    const own: Landing = { ok, value, verdict, flight: this };
    const landing = this.seats.size === 0 ? own : this.tower.landed(own);
    const { run, seats } = this;
    for (const seat of seats) {
      const { shared } = seat.attempt.call.more;
      if (shared !== undefined) shared.attempts += this.attempts;
      if (landing === own && run !== null) seat.attempt.heard(run);
      seat.land(landing);
    }
    seats.clear();
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
  private agree({ context }: AttemptRecord, sign: 1 | -1): void {
    if (this.wishes.count(context, sign) && this.run !== null) raise(this.run, this.wishes.said.criticality);
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
  for (const kid of attempt.more.kids) if (kid instanceof Race) raise(kid, criticality);
}
