// The race of an attempt at its operation, its ends from outside, and what is begun in it.
import {
  ANSWERED,
  type AttemptRecord,
  CALLED,
  CUT,
  DONE,
  EXPIRED,
  HELD,
  JUDGING,
  RECOVERING,
  RUNNING,
  THREW,
  WAITING,
} from "./attempt.ts";
import { bodyOf } from "./body.ts";
import { discard } from "./discard.ts";
import { stackless, TimeoutError } from "./errors.ts";
import { tellAbandoned, tellEnded } from "./late.ts";
import { LOST } from "./lent.ts";
import { pause } from "./pause.ts";
import type { Cut } from "./record.ts";
import type { FusedLayer, Segment } from "./stack.ts";
import { disarm } from "./timers.ts";
import { isDone, leavesFrom, opened, tellEnd, tellEnds } from "./trueEnd.ts";
import { type Open, openPromise } from "./wake.ts";
import { WayOut } from "./wayOut.ts";
import { cutVerdict } from "./weigh.ts";

export class Race extends WayOut {
  // --- ends from outside

  /** Its time-out: ends the attempt, not what it is part of. */
  expire(afterMs: number): void {
    if (this.is(ANSWERED)) return;
    this.flags |= EXPIRED;
    const reason = stackless(() => new TimeoutError(this.context.name, afterMs));
    this.endInside({ reason, at: this.now(), wholeMs: afterMs });
    this.call.wake(this);
  }

  abandon(cut: Cut): void {
    if (this.is(CUT | DONE)) return;
    this.flags |= CUT;
    this.endInside(cut);
    if (this.is(RUNNING | WAITING | JUDGING | RECOVERING)) this.call.wake(this);
    this.more.rivals?.abandon(cut);
  }

  private endInside(cut: Cut): void {
    this.cut = cut;
    if (this.is(RUNNING | WAITING | JUDGING)) this.abort(cut.reason);
    this.endKids(cut);
  }

  cutShort(): void {
    const { cut } = this;
    if (this.is(DONE) || cut === null) return;
    if (!this.is(ANSWERED)) {
      tellAbandoned(this, cut);
      if (this.is(CUT)) this.answer(this.at, THREW, cut.reason, cutVerdict(this, cut));
      else this.weigh(this.at, THREW, cut.reason);
    } else if (this.is(CUT) && this.is(JUDGING | RECOVERING)) {
      this.flags &= ~(JUDGING | RECOVERING);
      this.come(this.at + 1, THREW, cut.reason, cutVerdict(this, cut));
    }
  }

  /** What was begun beside it has the answer of the layer of this index: all inside that has lost. */
  overtake(at: number, winner: AttemptRecord): void {
    const cut: Cut = { reason: LOST, at: this.now(), wholeMs: 0 };
    const from = this.is(ANSWERED) ? this.at + 1 : this.at;
    if (!this.is(ANSWERED)) {
      tellAbandoned(this, cut);
      disarm(this);
      leavesFrom(this, from);
    }
    this.endInside(cut);
    if (this.is(JUDGING)) discard(this.value, this.call.stack.discard);
    this.flags = (this.flags & ~JUDGING) | ANSWERED;
    this.lose(from, at, LOST, cutVerdict(this, cut));
    this.standFor(winner);
    this.come(at + 1, winner.threw ? THREW : 0, winner.value, winner.verdict);
    tellEnds(this);
  }

  // --- the race

  protected settle(threw: number, value: unknown): void {
    if (threw === 0 && this.flags === (RUNNING | CALLED) && this.outer === null && isDone(this, value))
      return this.succeed(value);
    const { at } = this;
    this.flags &= ~RUNNING;
    if (!this.is(ANSWERED) && this.is(CUT | EXPIRED)) this.cutShort();
    if (this.is(ANSWERED)) this.settleLate(threw, value);
    else {
      if (!this.called) this.closeLent(value, false, threw);
      if (threw === 0 && this.call.stack.ends) this.keepBody(value);
      this.weigh(at, threw, value);
    }
    tellEnds(this);
  }

  /** The way out of most calls, as `weigh` and `come` would go it. */
  private succeed(value: unknown): void {
    const { at, call, segment, top } = this;
    this.flags = ANSWERED | CALLED;
    this.value = value;
    if (this.timer !== null) disarm(this);
    for (let i = at; i < top; i++) {
      const { after, judge } = segment.layers[i] as FusedLayer;
      if (after === undefined && judge === undefined) continue;
      this.at = i;
      if (after !== undefined) this.tell(after);
      const waits = judge !== undefined && this.verdict === undefined && this.judge(judge);
      if (this.verdict === undefined && !waits) continue;
      leavesFrom(this, at);
      if (!waits) this.come(i + 1, THREW, this.value, this.verdict);
      return tellEnds(this);
    }
    this.flags |= DONE;
    if (call.stack.ends) for (let i = at; i < top; i++) tellEnd(this, segment.layers[i] as FusedLayer);
    this.input = undefined;
    call.finish(true, this.value, undefined);
  }

  /** Nobody waits for it any more. */
  private settleLate(threw: number, value: unknown): void {
    if (!this.called) this.closeLent(value, true, threw);
    else if (threw === 0) discard(value, this.call.stack.discard);
    tellEnded(this, threw === 0);
  }

  /** The true end of what delivers a body is the body's. */
  private keepBody(value: unknown): void {
    const body = bodyOf(value);
    if (body === undefined) return;
    this.flags |= HELD;
    body.onEnd(() => {
      this.flags &= ~HELD;
      tellEnds(this);
    });
  }

  // --- what is begun in it

  ask(segment: Segment, top: number, input: unknown): Promise<unknown> {
    const next = new Race(this.call, segment, top, this, this.now(), this.repeated);
    next.replace(this.last ?? this);
    return this.enclose(next, input);
  }

  /** Runs an attempt as part of this one. */
  enclose(kid: Race, input: unknown, promised: Open = openPromise()): Promise<unknown> {
    if (this.is(CUT | DONE)) return Promise.reject(this.cut?.reason ?? LOST);
    this.hold(kid);
    this.run(kid, input, promised, this.at);
    return promised.promise;
  }

  /** Runs an attempt beside this one, for the layer of this index: what ends only what is inside that spares it. */
  runBeside(kid: Race, promised: Open, at: number): void {
    this.run(kid, this.inputAt(at), promised, at);
  }

  private run(kid: Race, input: unknown, promised: Open, at: number): void {
    opened(this, kid, at);
    kid.promised = promised;
    kid.begin(input);
  }

  pause(ms: number): Promise<void> {
    return this.is(CUT) ? Promise.resolve() : pause(this, ms);
  }
}
