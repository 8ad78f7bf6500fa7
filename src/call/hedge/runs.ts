// The runs of one call beside each other: when another begins, who wins, and when all is lost.
import { type Listening, Rivals, Run } from "../../core/beside.ts";
import { fundOwn, takeOne } from "../../core/budget.ts";
import { discard } from "../../core/discard.ts";
import type { EventMap } from "../../core/events.ts";
import { FAULT } from "../../core/final.ts";
import { hearNow } from "../../core/hub.ts";
import { LOST } from "../../core/lent.ts";
import type { Race } from "../../core/race.ts";
import type { Cut } from "../../core/record.ts";
import { mustNotRepeat } from "../../core/repeat.ts";
import type { Segment } from "../../core/stack.ts";
import { arm, armOnce, disarm } from "../../core/timers.ts";
import type { Verdict } from "../../core/verdict.ts";
import { type Open, openPromise, type Wakeable } from "../../core/wake.ts";
import type { Live } from "../hedge.ts";

export class Runs extends Rivals implements Listening, Wakeable {
  private readonly live: Live;
  private readonly targets: readonly Segment[];
  /** When the first began, monotonic ms. */
  private readonly from: number;
  /** Others than the first. */
  private begun = 0;
  private running = 1;
  private over = false;
  private others: readonly Race[] = none;
  /** What the first waits for, where it has failed before another had the answer. */
  private answer: Open | undefined = undefined;

  constructor(first: Race, at: number, live: Live, targets: readonly Segment[]) {
    super(first, at);
    this.live = live;
    this.targets = targets;
    this.from = first.startedAt;
  }

  begin(): void {
    this.schedule(this.delayMs);
  }

  /** It is time for another; in the call's own async context, and not in that of the timer. */
  expire(): void {
    this.first.call.wake(this);
  }

  /** Another one now, though its time has not come. */
  hurry(): void {
    this.cutShort();
  }

  cutShort(): void {
    if (!this.over && !this.first.isCut) this.another();
  }

  firstEnded(verdict: Verdict | undefined): void {
    const isTheEnd = verdict === undefined || verdict === FAULT || this.first.isCut;
    if (isTheEnd && !this.over) this.end(this.first, verdict === undefined);
  }

  firstFailed(verdict: Verdict): Promise<unknown> | undefined {
    const { first } = this;
    if (this.over) return undefined;
    this.running--;
    first.note();
    this.answer = openPromise();
    const goesOn = this.next(first, verdict);
    if (first.isCut) return undefined; // its caller has gone as it failed
    // what was begun may have ended already
    if (this.over || (goesOn && this.running > 0)) return this.answer.promise;
    this.end(first, false);
    return undefined;
  }

  ended({ attempt }: Run, threw: boolean, value: unknown): void {
    this.running--;
    if (this.over) return; // it has lost
    const { verdict } = attempt;
    if (verdict === undefined) return this.win(attempt, threw, value);
    const goesOn = this.next(attempt, verdict);
    if (!this.over && (!goesOn || this.running === 0)) this.win(attempt, threw, value);
  }

  /** The whole is ended. */
  abandon(cut: Cut): void {
    this.over = true;
    disarm(this);
    for (const attempt of this.others) attempt.abandon(cut);
  }

  /** Begins another where one has failed and that may do better; false: nothing else may, nor what runs. */
  private next(failed: Race, verdict: Verdict): boolean {
    // that a layer of ours turned it away says nothing of those that run; the same target is not sent more because of it
    const isRefused = verdict.kind === "notAdmitted";
    if (mustNotRepeat(failed, failed, verdict)) return isRefused;
    const { segment } = failed;
    const { fallBack, retryAfterMs } = verdict;
    const retry = verdict.retry && !isRefused;
    // that one target is busy, or will never do it, says nothing of another
    if (this.coming !== segment ? fallBack : retry && retryAfterMs === undefined) this.another();
    else if (retry) this.pushBack(verdict);
    return retry || isRefused || (fallBack && this.runsElsewhere(segment));
  }

  private runsElsewhere(than: Segment): boolean {
    const runs = this.answer === undefined ? [this.first, ...this.others] : this.others;
    return runs.some(({ done, segment }) => !done && segment !== than);
  }

  /** Where the next one goes. */
  private get coming(): Segment {
    return this.targets[this.begun % this.targets.length] ?? this.first.segment;
  }

  /** Begins another run beside those that run, where that may be. */
  private another(): void {
    const { begun, first, live } = this;
    if (begun >= live.options.extra) return;
    hearNow(first.call);
    if (first.isCut) return;
    const why = this.refusal();
    if (why !== undefined) return this.refuse(why);
    disarm(this);
    const { call } = first;
    const segment = this.coming;
    const run = new Run(first, segment, segment === first.segment ? this.at : segment.layers.length, this);
    this.others = [...this.others, run.attempt];
    const { events } = call.stack.seams;
    if (!events.quiet) {
      const attempt = call.comingAttempt(segment.tier);
      events.emit("hedge.started", { attempt, afterMs: first.now() - this.from }, call);
    }
    this.begun++;
    this.running++;
    first.runBeside(run.attempt, run, this.at);
    if (!this.over) this.schedule(this.delayMs);
  }

  private refusal(): EventMap["hedge.refused"]["why"] | undefined {
    const { first, live } = this;
    if (first.onceOnly) return "idempotent";
    if (first.remainingMs() <= live.latencies.median) return "deadline";
    return takeOne(first, live.options.budget) ? undefined : "budget";
  }

  /** The other side has said when it may be asked again. */
  private pushBack({ retryAfterMs = 0 }: Verdict): void {
    if (this.running === 0 || this.begun >= this.live.options.extra) return;
    disarm(this);
    this.refuse("pushback");
    if (retryAfterMs < this.first.remainingMs()) armOnce(this.clock, Math.max(retryAfterMs, this.delayMs), this);
  }

  private refuse(why: EventMap["hedge.refused"]["why"]): void {
    const { call } = this.first;
    const { events } = call.stack.seams;
    if (!events.quiet) events.emit("hedge.refused", { why }, call);
  }

  private schedule(ms: number): void {
    if (this.begun >= this.live.options.extra || ms === Number.POSITIVE_INFINITY) return;
    if (this.begun > 0) this.startedAt = this.first.now();
    arm(this.clock, ms, this);
  }

  private win(attempt: Race, threw: boolean, value: unknown): void {
    const { answer, first } = this;
    if (answer !== undefined) drop(first, attempt);
    first.heard(attempt);
    this.end(attempt, true); // what the others have done is told before the call settles
    if (answer === undefined) first.overtake(this.at, attempt);
    else if (threw) answer.reject(value);
    else answer.resolve(value);
  }

  /** The last word: those that still run have lost, and what others gave is let go. */
  private end(winner: Race, isAnswered: boolean): void {
    const { first, live, others } = this;
    this.over = true;
    disarm(this);
    // what lost has run at least so long
    if (isAnswered && live.options.after === "p95") live.latencies.add(first.now() - this.from);
    if (live.options.budget !== undefined) fundOwn(first, live.options.budget, this.at);
    for (const attempt of others)
      if (attempt.done) drop(attempt, winner);
      else attempt.abandon(first.isCut && first.cut ? first.cut : { reason: LOST, at: first.now(), wholeMs: 0 });
  }

  private get delayMs(): number {
    const { latencies, options } = this.live;
    return options.after === "p95" ? latencies.p95 : options.after;
  }

  private get clock() {
    return this.first.call.stack.seams.clock;
  }
}

const none: readonly Race[] = [];

/** What it gave is not what is delivered. */
function drop(loser: Race, winner: Race): void {
  const isOwn = !loser.threw && !loser.gaveWhatOthersHave;
  if (isOwn && loser.value !== winner.value) discard(loser.value, loser.call.stack.discard);
}
