// The way of an attempt out through its layers: what came of it is judged, told, refused or recovered, from the inside.
import { ANSWERED, CUT, DONE, EXPIRED, HELD, JUDGING, NOTED, RECOVERING, THREW } from "./attempt.ts";
import { failureOf } from "./failure.ts";
import { FAULT } from "./final.ts";
import { isRefusal } from "./refusal.ts";
import type { FusedLayer } from "./stack.ts";
import { disarm } from "./timers.ts";
import { leavesFrom, tellEnds } from "./trueEnd.ts";
import type { Verdict } from "./verdict.ts";
import { WayIn } from "./wayIn.ts";
import { errorVerdict, valueVerdict } from "./weigh.ts";

export abstract class WayOut extends WayIn {
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

  /** Goes on outwards from this layer with this outcome. */
  protected come(from: number, threw: number, value: unknown, verdict: Verdict | undefined): void {
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

  /** Tells the layers in between that nothing came of it. */
  protected lose(from: number, to: number, error: unknown, verdict: Verdict): void {
    this.flags |= THREW;
    this.value = error;
    this.verdict = verdict;
    for (let i = from; i < to; i++) {
      const { after } = this.segment.layers[i] as FusedLayer;
      this.at = i;
      if (after !== undefined) this.tell(after);
    }
  }

  protected tell(after: NonNullable<FusedLayer["after"]>): void {
    try {
      after(this, this.outcome, this.verdict);
    } catch (error) {
      this.fault(error);
    }
  }

  /** Gives whether it has to be waited for. */
  protected judge(judge: NonNullable<FusedLayer["judge"]>): boolean {
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
      const goes = this.is(what) && this.at === at;
      if (goes) this.flags &= ~what;
      return goes;
    };
    end.then(
      (value) => {
        if (!goesOn()) return;
        // what was begun beside it may have come to something else, and be the last that was heard
        const latest = this.last !== null && !this.last.threw && this.last.value === value ? this.last : this;
        const known = what === RECOVERING && !latest.threw && latest.value === value;
        if (known && (this.is(EXPIRED) || this.more.number !== undefined)) this.standFor(latest);
        this.come(at + 1, 0, value, known ? latest.verdict : undefined);
      },
      (error) => {
        if (!goesOn()) return;
        if (what === RECOVERING) this.fail(error);
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
      if (this.isFinal(value)) call.gaveUp = true;
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

  /** A layer gave this error in place of the outcome; one that carries what a user's function threw is that. */
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
    // when it was asked about a failure that is told already: that is one more
    if (this.is(NOTED)) this.call.fail(failureOf(this, "bug", this.now(), null));
  }

  private async again(at: number, delayMs: number): Promise<unknown> {
    if (delayMs > 0) await this.pause(delayMs);
    return this.ask(this.segment, at, this.inputAt(at));
  }
}
