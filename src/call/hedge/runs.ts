// The runs of one call beside each other: when another begins, who wins, and when all is lost.
import type { AttemptRecord } from "../../core/attempt.ts";
import { type Listening, Run } from "../../core/beside.ts";
import { fundOwn, takeOne } from "../../core/budget.ts";
import type { EventMap } from "../../core/events.ts";
import type { Race } from "../../core/race.ts";
import { mustNotRepeat } from "../../core/repeat.ts";
import type { Segment } from "../../core/stack.ts";
import { arm, armOnce, disarm, Timed } from "../../core/timers.ts";
import type { Verdict } from "../../core/verdict.ts";
import { openPromise, type Wakeable } from "../../core/wake.ts";
import type { Live } from "../hedge.ts";

export class Runs extends Timed implements Listening, Wakeable {
  private readonly outer: AttemptRecord;
  private readonly top: number;
  private readonly live: Live;
  private readonly targets: readonly Segment[];
  private readonly answer = openPromise();
  private readonly first: Run;
  private begun = 0;
  private running = 0;
  private over = false;

  constructor(outer: AttemptRecord, top: number, live: Live, targets: readonly Segment[]) {
    super(outer.now());
    this.outer = outer;
    this.top = top;
    this.live = live;
    this.targets = targets;
    this.first = new Run(outer, outer.segment, top, this);
  }

  start(): Promise<unknown> {
    this.begin(this.first);
    if (!this.over) this.schedule(this.delayMs);
    return this.answer.promise;
  }

  /** It is time for another; in the call's own async context, and not in that of the timer. */
  expire(): void {
    this.outer.call.wake(this);
  }

  /** Another one now, though its time has not come. */
  hurry(): void {
    this.cutShort();
  }

  cutShort(): void {
    if (!this.over && !this.outer.isClosed) this.another();
  }

  ended(run: Run, threw: boolean, value: unknown): void {
    this.running--;
    if (this.over) return; // it has lost
    const { verdict } = run.attempt;
    if (verdict === undefined || this.outer.isClosed) return this.end(threw, value, run);
    // that a layer of ours turned it away says nothing of those that run
    if (verdict.kind === "notAdmitted") return this.running > 0 ? undefined : this.end(threw, value, run);
    if (!verdict.retry || mustNotRepeat(run.attempt, run.attempt, verdict)) return this.end(threw, value, run);
    if (verdict.retryAfterMs === undefined) this.another();
    else this.pushBack(verdict);
    if (this.running === 0) this.end(threw, value, run);
  }

  private begin(run: Run): void {
    this.begun++;
    this.running++;
    (this.outer as Race).enclose(run.attempt, this.outer.input, run);
  }

  /** Begins another run beside those that run, where that may be. */
  private another(): void {
    const { begun, first, live, outer, targets } = this;
    if (begun > live.options.extra) return;
    const why = this.refusal();
    if (why !== undefined) return this.refuse(why);
    disarm(this);
    const { call } = outer;
    const segment = targets[(begun - 1) % targets.length] ?? outer.segment;
    if (begun === 1) outer.lend(first.attempt);
    const run = new Run(outer, segment, this.top, this);
    outer.lend(run.attempt);
    const { events } = call.stack.seams;
    if (!events.quiet) {
      const attempt = call.comingAttempt(segment.tier);
      events.emit("hedge.started", { attempt, afterMs: outer.now() - first.attempt.startedAt }, call);
    }
    this.begin(run);
    if (!this.over) this.schedule(this.delayMs);
  }

  private refusal(): EventMap["hedge.refused"]["why"] | undefined {
    const { first, live, outer } = this;
    if (first.attempt.onceOnly) return "idempotent";
    if (outer.remainingMs() <= live.latencies.median) return "deadline";
    return takeOne(outer, live.options.budget) ? undefined : "budget";
  }

  /** The other side has said when it may be asked again. */
  private pushBack({ retryAfterMs = 0 }: Verdict): void {
    if (this.running === 0 || this.begun > this.live.options.extra) return;
    disarm(this);
    this.refuse("pushback");
    if (retryAfterMs < this.outer.remainingMs()) armOnce(this.clock, Math.max(retryAfterMs, this.delayMs), this);
  }

  private refuse(why: EventMap["hedge.refused"]["why"]): void {
    const { call } = this.outer;
    const { events } = call.stack.seams;
    if (!events.quiet) events.emit("hedge.refused", { why }, call);
  }

  private schedule(ms: number): void {
    if (this.begun > this.live.options.extra || ms === Number.POSITIVE_INFINITY) return;
    if (this.begun > 1) this.startedAt = this.outer.now();
    arm(this.clock, ms, this);
  }

  /** The last word: those that still run are ended by whoever hears it. */
  private end(threw: boolean, value: unknown, run: Run): void {
    const { answer, first, live } = this;
    this.over = true;
    disarm(this);
    // what lost has run at least so long
    if (live.options.after === "p95" && (!threw || run !== first))
      live.latencies.add(first.attempt.now() - first.attempt.startedAt);
    if (live.options.budget !== undefined) fundOwn(first.attempt, live.options.budget, this.top);
    if (threw) answer.reject(value);
    else answer.resolve(value);
  }

  private get delayMs(): number {
    const { latencies, options } = this.live;
    return options.after === "p95" ? latencies.p95 : options.after;
  }

  private get clock() {
    return this.outer.call.stack.seams.clock;
  }
}
