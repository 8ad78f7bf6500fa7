// The race of an attempt at its operation, its ends from outside, and its way out through the layers.
import { ANSWERED, CALLED, CUT, DONE, EXPIRED, HELD, JUDGING, RECOVERING, RUNNING, THREW, WAITING } from "./attempt.ts";
import { bodyOf } from "./body.ts";
import { discard } from "./discard.ts";
import { stackless, TimeoutError } from "./errors.ts";
import { FAULT, Fault } from "./final.ts";
import { tellAbandoned, tellEnded } from "./late.ts";
import { LOST } from "./lent.ts";
import { pause } from "./pause.ts";
import type { Cut } from "./record.ts";
import { isRefusal } from "./refusal.ts";
import type { FusedLayer, Segment } from "./stack.ts";
import { disarm } from "./timers.ts";
import { isDone, leavesFrom, opened, tellEnd, tellEnds } from "./trueEnd.ts";
import type { Verdict } from "./verdict.ts";
import { type Open, openPromise } from "./wake.ts";
import { WayIn } from "./wayIn.ts";
import { cutVerdict, errorVerdict, valueVerdict } from "./weigh.ts";

export class Race extends WayIn {
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

  // --- the race

  protected settle(threw: number, value: unknown): void {
    if (threw === 0 && this.flags === (RUNNING | CALLED) && this.outer === null && isDone(this, value))
      return this.succeed(value);
    const { at } = this;
    this.flags &= ~RUNNING;
    if (!this.is(ANSWERED) && this.is(CUT | EXPIRED)) this.cutShort();
    if (this.is(ANSWERED)) this.settleLate(threw, value);
    else {
      if (!this.called) this.closeLent(value, false);
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
    if (!this.called) this.closeLent(value, true);
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

  protected weigh(at: number, threw: number, value: unknown): void {
    let verdict: Verdict | undefined;
    try {
      verdict = threw !== 0 ? errorVerdict(this, value) : valueVerdict(this, value);
    } catch (error) {
      return this.answer(at, THREW, error, FAULT);
    }
    this.answer(at, threw, value, verdict);
  }

  protected answer(at: number, threw: number, value: unknown, verdict: Verdict | undefined): void {
    this.flags |= ANSWERED;
    disarm(this);
    leavesFrom(this, at);
    this.come(at, threw, value, verdict);
  }

  // --- the way out

  /** Goes on outwards from this layer with this outcome. */
  private come(from: number, threw: number, value: unknown, verdict: Verdict | undefined): void {
    this.flags = (this.flags & ~THREW) | threw;
    this.value = value;
    this.verdict = verdict;
    const { layers } = this.segment;
    for (let i = from; i < this.top; i++) {
      const layer = layers[i] as FusedLayer;
      this.at = i;
      if (layer.after !== undefined) this.tell(layer.after);
      if (layer.judge !== undefined && this.verdict === undefined && this.judge(layer.judge)) return tellEnds(this);
      if (
        layer.recover !== undefined &&
        (this.verdict !== undefined || layer.hearing?.hearsSuccess) &&
        this.recover(layer.recover)
      )
        return tellEnds(this); // it may take long, and holds nothing further in meanwhile
    }
    this.at = this.top;
    this.finish();
  }

  private tell(after: NonNullable<FusedLayer["after"]>): void {
    try {
      after(this, this.outcome, this.verdict);
    } catch (error) {
      this.fault(error);
    }
  }

  /** Gives whether it has to be waited for. */
  private judge(judge: NonNullable<FusedLayer["judge"]>): boolean {
    const { value } = this;
    try {
      const judged = judge(this, value);
      if (judged === value) return false;
      if (judged instanceof Promise) {
        this.await(JUDGING, judged, value);
        return true;
      }
      this.value = judged;
    } catch (error) {
      this.refuseValue(error, value);
    }
    return false;
  }

  private refuseValue(error: unknown, value: unknown): void {
    if (!isRefusal(error)) return this.fault(error);
    this.more.produced = value;
    this.fail(error);
  }

  private recover(recover: NonNullable<FusedLayer["recover"]>): boolean {
    if (this.is(CUT) || this.verdict === FAULT) return false;
    const { at } = this;
    try {
      const again = (options?: { delayMs?: number | undefined }) => this.again(at, options?.delayMs ?? 0);
      const recovered = recover(this, this.outcome, this.verdict, again);
      if (recovered === undefined) return false;
      this.await(RECOVERING, Promise.resolve(recovered), undefined);
      return true;
    } catch (error) {
      this.fault(error);
      return false;
    }
  }

  /** Goes on when a judgement or a recovery has come to its end, unless the attempt was ended meanwhile. */
  private await(what: typeof JUDGING | typeof RECOVERING, end: Promise<unknown>, judged: unknown): void {
    const { at } = this;
    this.flags |= what;
    const goesOn = () => {
      if (this.is(CUT)) this.cutShort();
      const goes = this.is(what);
      this.flags &= ~what;
      return goes;
    };
    end.then(
      (value) => {
        if (!goesOn()) return;
        const latest = this.last ?? this;
        const known = what === RECOVERING && !latest.threw && latest.value === value;
        this.come(at + 1, 0, value, known ? latest.verdict : undefined);
      },
      (error) => {
        if (!goesOn()) return;
        if (Fault.is(error)) this.fault(error.error);
        else if (what === RECOVERING) this.fail(error);
        else this.refuseValue(error, judged);
        this.come(at + 1, THREW, this.value, this.verdict);
      },
    );
  }

  private finish(): void {
    const { call, outer, promised, threw, value, verdict } = this;
    this.flags |= DONE;
    // a call that ends here notes its failure when its story is asked for
    if (verdict !== undefined && (outer !== null || !call.stack.seams.events.quiet)) this.note();
    tellEnds(this);
    this.forgetInput();
    if (outer === null) {
      // what ended a call made in it for good ends this one for good
      if (verdict !== undefined && call.parent !== null && this.isFinal(value)) call.gaveUp = true;
      call.finish(!threw, value, verdict);
      // a body nobody reads is to be collected; what several share has none, and they are yet to ask what was thought of it
      if (this.is(HELD) || (!threw && call.stack.ends && !call.isShared)) this.forgetValue();
      return;
    }
    this.promised = null;
    outer.heard(this);
    if (threw) promised?.reject(value);
    else promised?.resolve(value);
  }

  /** A layer gave this error in place of the outcome. */
  private fail(error: unknown): void {
    this.flags |= THREW;
    this.value = error;
    try {
      this.verdict = errorVerdict(this, error);
    } catch (fault) {
      this.fault(fault);
    }
  }

  /** A user's function threw. */
  private fault(error: unknown): void {
    this.flags |= THREW;
    this.value = error;
    this.verdict = FAULT;
    this.noteFault();
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
    opened(this, kid, this.at);
    kid.promised = promised;
    kid.begin(input);
    return promised.promise;
  }

  pause(ms: number): Promise<void> {
    return this.is(CUT) ? Promise.resolve() : pause(this, ms);
  }

  private async again(at: number, delayMs: number): Promise<unknown> {
    if (delayMs > 0) await this.pause(delayMs);
    return this.ask(this.segment, at, this.inputAt(at));
  }
}
