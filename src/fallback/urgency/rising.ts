// One call that becomes urgent: its stages begin in turn, beside what runs, until there is a good answer.
import type { AttemptRecord } from "../../core/attempt.ts";
import { type Listening, Run } from "../../core/beside.ts";
import { enterOnce, wasEntered } from "../../core/chain.ts";
import type { Race } from "../../core/race.ts";
import { armOnce, disarm, Timed } from "../../core/timers.ts";
import { openPromise, type Wakeable } from "../../core/wake.ts";
import type { Ways } from "../urgency.ts";
import { readyOf } from "../way.ts";

export class Rising extends Timed implements Listening, Wakeable {
  private readonly outer: AttemptRecord;
  private readonly ways: Ways;
  /** Those with which it began: what is changed since is for the calls to come. */
  private readonly stages: Ways["stages"];
  private readonly answer = openPromise();
  private readonly first: Run;
  /** Of the whole time that the call has. */
  private readonly wholeMs: number;
  private stage = 0;
  private running = 0;
  private over = false;
  private failure: { readonly threw: boolean; readonly value: unknown } | undefined = undefined;

  constructor(outer: AttemptRecord, top: number, ways: Ways, stages: Ways["stages"]) {
    super(outer.call.startedAt);
    this.outer = outer;
    this.ways = ways;
    this.stages = stages;
    this.wholeMs = outer.dueAt - outer.call.startedAt;
    this.first = new Run(outer, outer.segment, top, this);
  }

  start(): Promise<unknown> {
    this.begin(this.first);
    this.schedule();
    return this.answer.promise;
  }

  /** In the call's own async context, and not in that of the timer. */
  expire(): void {
    this.outer.call.wake(this);
  }

  cutShort(): void {
    if (this.over || this.outer.isClosed) return;
    const stage = this.stages[this.stage++];
    if (stage === undefined) return;
    const { call } = this.outer;
    const { events } = call.stack.seams;
    if (!events.quiet) events.emit("urgency.raised", { stage: this.stage, start: stage.start }, call);
    if (stage.start === "hedge") this.ways.hedge?.hurried?.get(call)?.hurry();
    else if (stage.start === "cached") this.serveCached();
    else this.beginTier(stage.start);
    this.schedule();
  }

  ended(run: Run, threw: boolean, value: unknown): void {
    this.running--;
    if (this.over) return; // it has lost
    const { verdict } = run.attempt;
    if (verdict === undefined || this.outer.isClosed) return this.end(threw, value, run);
    // of all that failed the way through the tiers has the most to tell
    if (run === this.first || this.failure === undefined) this.failure = { threw, value };
    if (run === this.first && !verdict.fallBack) return this.end(threw, value, run);
    if (this.running === 0) this.end(this.failure.threw, this.failure.value, run);
  }

  private begin(run: Run): void {
    this.running++;
    (this.outer as Race).enclose(run.attempt, this.outer.input, run);
  }

  private beginTier(which: "nextTier" | "lastTier"): void {
    const { first, outer, ways } = this;
    const { call } = outer;
    if (outer.said?.fallback === false) return;
    const tiers = which === "lastTier" ? ways.tiers.slice(-1) : ways.tiers;
    const way = tiers.find(
      ({ operation, segment }) => !wasEntered(call, operation, segment) && readyOf(segment, outer.input, outer) === 0,
    );
    if (way === undefined) return;
    const { operation, segment } = way;
    const { events } = call.stack.seams;
    const to = segment.tierName;
    if (first.attempt.onceOnly) {
      if (!events.quiet) events.emit("fallback.skipped", { tier: to, reason: "condition" }, call);
      return;
    }
    enterOnce(call, operation, segment);
    if (!events.quiet) events.emit("fallback.used", { from: call.more.tierName, to, kind: "timeout" }, call);
    outer.lend(first.attempt);
    const run = new Run(outer, segment, segment.layers.length, this);
    outer.lend(run.attempt);
    this.begin(run);
  }

  private serveCached(): void {
    const { first, outer, ways } = this;
    const stale = ways.cached?.(outer);
    if (stale === undefined) return;
    outer.lend(first.attempt);
    outer.call.more.degraded = { reason: "urgency", ageMs: stale.ageMs };
    this.finish(false, stale.value);
  }

  private end(threw: boolean, value: unknown, { attempt }: Run): void {
    const { segment, verdict } = attempt;
    if (segment.tier > 0 && verdict === undefined) {
      const { more } = this.outer.call;
      more.degraded = { reason: "urgency" };
      more.tier = segment.tier;
      more.tierName = segment.tierName;
    }
    this.finish(threw, value);
  }

  /** What still runs is ended by whoever hears it. */
  private finish(threw: boolean, value: unknown): void {
    this.over = true;
    disarm(this);
    if (threw) this.answer.reject(value);
    else this.answer.resolve(value);
  }

  private schedule(): void {
    const stage = this.stages[this.stage];
    if (this.over || stage === undefined || this.wholeMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.outer.call.stack.seams;
    const leftMs = Math.max(0, this.startedAt + stage.at * this.wholeMs - this.outer.now());
    armOnce(clock, leftMs, this);
  }
}
