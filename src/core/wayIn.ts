// The way of an attempt in through its layers, to the race at the operation.
import { ANSWERED, AttemptRecord, CALLED, CUT, RUNNING, SPARED, THREW, WAITING } from "./attempt.ts";
import { FAULT } from "./final.ts";
import { answersByFailing, INSTEAD, takeAnswer } from "./instead.ts";
import type { Operation } from "./operation.ts";
import { ADMITTED, isRefusal, REFUSED, takeRefusal } from "./refusal.ts";
import type { FusedLayer } from "./stack.ts";
import { arm } from "./timers.ts";
import { tellEnd } from "./trueEnd.ts";
import type { Verdict } from "./verdict.ts";

export abstract class WayIn extends AttemptRecord {
  begin(input: unknown): void {
    this.input = input;
    this.descend(this.top - 1);
  }

  /** Turned away before any of its layers is asked. */
  refuse(error: unknown): void {
    this.turnAway(this.top, error);
  }

  private descend(from: number): void {
    const { layers, operation } = this.segment;
    for (let i = from; i >= 0; i--) {
      const layer = layers[i] as FusedLayer;
      if (layer.before !== undefined) {
        let given: unknown;
        try {
          given = layer.before(this);
        } catch (error) {
          return this.refused(i + 1, error);
        }
        if (given === REFUSED) return this.turnAway(i + 1, takeRefusal());
        if (given === INSTEAD) return this.spare(i + 1, answersByFailing(), takeAnswer());
        if (given !== this.input) {
          if (given instanceof Promise) return this.wait(i, given);
          this.take(i, given);
        }
      }
      // a hedge hears itself how that ends
      if (layer.load !== undefined) return this.invoke(operation, layer.after === undefined ? i + 1 : i, 0, layer.load);
      if (layer.around !== undefined) {
        this.giveBackNumber(this.context);
        return this.invoke(layer.around, i + 1, 0);
      }
    }
    this.invoke(operation, 0, CALLED);
  }

  /** A queue, a limit's wait, an async guard. */
  private wait(i: number, admission: Promise<unknown>): void {
    const layer = this.segment.layers[i] as FusedLayer;
    this.flags |= WAITING;
    this.at = i + 1;
    admission.then(
      (given) => {
        this.flags &= ~WAITING;
        if (this.is(CUT)) this.cutShort();
        if (this.is(ANSWERED)) return this.handBack(layer);
        if (given !== ADMITTED && given !== this.input) this.take(i, given);
        this.startedAt = this.now();
        this.descend(i - 1);
      },
      (error) => {
        this.flags &= ~WAITING;
        if (!this.is(ANSWERED)) this.refused(i + 1, error);
      },
    );
  }

  /** A place granted to an attempt that is over goes straight back. */
  private handBack(layer: FusedLayer): void {
    this.startedAt = this.now(); // it was granted no earlier
    try {
      layer.after?.(this, this.outcome, this.verdict);
    } catch {
      // the call is over: nobody is left to be told
    }
    tellEnd(this, layer);
  }

  /** A layer's moment threw: it refused, or a user's function in it failed. */
  private refused(at: number, error: unknown): void {
    if (isRefusal(error)) this.turnAway(at, error);
    else this.answer(at, THREW, error, FAULT);
  }

  /** A layer has the answer. */
  private spare(at: number, failed: boolean, answer: unknown): void {
    this.at = at;
    this.flags |= SPARED;
    this.giveBackNumber();
    if (failed) this.weigh(at, THREW, answer);
    else this.answer(at, 0, answer, undefined);
  }

  private turnAway(at: number, error: unknown): void {
    this.at = at;
    if (this.is(CUT)) return this.cutShort();
    this.giveBackNumber();
    this.weigh(at, THREW, error);
  }

  private invoke(
    operation: Operation<unknown, unknown>,
    at: number,
    called: number,
    load?: NonNullable<FusedLayer["load"]>,
  ): void {
    const { call, segment } = this;
    this.at = at;
    if (this.is(CUT)) return this.cutShort();
    if (segment.starts)
      for (let i = this.top - 1; i >= at; i--)
        try {
          const given: unknown = (segment.layers[i] as FusedLayer).started?.(this);
          if (given === REFUSED) return this.turnAway(at, takeRefusal());
        } catch (error) {
          return this.refused(at, error);
        }
    this.flags |= RUNNING | called;
    const { clock, events } = call.stack.seams;
    if (called !== 0) {
      call.attempts++;
      if (this.outer !== null) this.dropReplaced();
      if (!events.quiet) events.emit("attempt.started", { attempt: this.context.attempt, tier: segment.tier }, call);
    }
    const { limitMs } = this;
    if (limitMs !== 0) arm(clock, limitMs, this);
    let given: unknown;
    try {
      given = load === undefined ? operation(this.input, this.context) : load(this);
    } catch (error) {
      return this.settle(THREW, error);
    }
    const settling = promiseOf(given);
    if (settling === undefined) return this.settle(0, given);
    settling.then(
      (value) => this.settle(0, value),
      (error) => this.settle(THREW, error),
    );
  }

  /** Answers with the reason for which it was ended. */
  abstract cutShort(): void;
  /** The operation itself has settled. */
  protected abstract settle(threw: number, value: unknown): void;
  /** The race is over: judges the outcome and goes on outwards from this layer. */
  protected abstract weigh(at: number, threw: number, value: unknown): void;
  /** The same with a verdict that is known. */
  protected abstract answer(at: number, threw: number, value: unknown, verdict: Verdict | undefined): void;
}

/** What has to be waited for, as a promise: a thenable of somebody's own may do anything when it is asked. */
export function promiseOf(given: unknown): Promise<unknown> | undefined {
  if (given instanceof Promise) return given;
  return isThenable(given) ? Promise.resolve(given) : undefined;
}

export function isThenable(given: unknown): given is PromiseLike<unknown> {
  if (typeof given !== "object" || given === null) return false;
  try {
    return typeof (given as { then?: unknown }).then === "function";
  } catch {
    return true; // and rejects with that
  }
}
