// The record of one attempt: what is known of it, what it began, and when it truly ended.
import { Context, type ContextSource, type Said } from "./context.ts";
import { addCost } from "./cost.ts";
import { discard } from "./discard.ts";
import { failureOf, tellFailure } from "./failure.ts";
import type { Attempt } from "./layer.ts";
import { Lent } from "./lent.ts";
import type { Cost } from "./operation.ts";
import { RareOfAttempt } from "./rare.ts";
import type { CallRecord, Cut, Cuttable } from "./record.ts";
import { nextSerial } from "./serial.ts";
import { field } from "./shapes.ts";
import type { FusedLayer, Segment } from "./stack.ts";
import { Timed } from "./timers.ts";
import type { Outcome, Verdict } from "./verdict.ts";

export const RUNNING = 1; // the operation has not settled
export const ANSWERED = 2; // the race is over
export const CUT = 4; // ended from outside: nothing goes on
export const EXPIRED = 8; // ended by its own time-out: a recovery may go on
export const CALLED = 16; // the operation itself, not a layer in its place
export const WAITING = 32; // for a layer's admission
export const JUDGING = 64;
export const RECOVERING = 128;
export const THREW = 256; // the outcome is an error
export const DONE = 512; // the way out is behind it
export const HELD = 1024; // what it delivered has a body that is not at its end
const NOTED = 2048; // its failure is in the story

export abstract class AttemptRecord extends Timed implements Attempt, ContextSource, Cuttable {
  readonly call: CallRecord;
  readonly segment: Segment;
  /** How many of the segment's layers it goes through. */
  readonly top: number;
  /** The attempt that began this one; `null`: the first of its call. */
  readonly outer: AttemptRecord | null;
  /** Its number, from 1 within its tier. */
  readonly number: number;
  /** Epoch ms. */
  private readonly deadlineAt: number | undefined;
  /** What every context of the call repeats. */
  readonly said: Said | undefined;
  private made: Context<AttemptRecord> | null = null;
  private controller: AbortController | null = null;
  readonly serial = nextSerial();
  input: unknown = undefined;
  value: unknown = undefined;
  verdict: Verdict | undefined = undefined;
  /** The layer that is being asked; in the end, where the way out begins. */
  at = 0;
  protected flags = 0;
  /** Its time-out; 0: none. */
  protected limitMs = 0;
  /** Settle what was promised to whoever began it; the first attempt of a call has its call. */
  protected resolve: ((value: unknown) => void) | null = null;
  protected reject: ((error: unknown) => void) | null = null;
  private kids: Set<Cuttable> | null = null;
  private rare: RareOfAttempt | null = null;

  constructor(
    call: CallRecord,
    segment: Segment,
    top: number,
    outer: AttemptRecord | null,
    from: number,
    deadlineAt: number | undefined,
    said: Said | undefined,
  ) {
    super(from);
    this.call = call;
    this.segment = segment;
    this.top = top;
    this.outer = outer;
    this.number = call.nextAttempt(segment.tier);
    this.deadlineAt = deadlineAt;
    this.said = said;
  }

  /** Made when somebody looks at it: what is turned away first has none. */
  get context(): Context<AttemptRecord> {
    if (this.made === null) {
      const { call, segment, number, deadlineAt, said, cut } = this;
      this.controller = new AbortController();
      this.made = new Context(this, this.controller.signal, call, number, segment.tier, deadlineAt, said);
      if (cut !== null) this.controller.abort(cut.reason);
    }
    return this.made;
  }

  protected abort(reason: unknown): void {
    this.controller?.abort(reason);
  }

  get outcome(): Outcome<unknown> {
    const { value } = this;
    return this.is(THREW) ? { ok: false, error: value } : { ok: true, value };
  }
  /** Whether nobody waits for it any more. */
  get over(): boolean {
    return this.is(CUT | EXPIRED);
  }
  /** Whether the operation itself was called. */
  get called(): boolean {
    return this.is(CALLED);
  }
  /** What may have been received must not be sent again: declared so, and without a key that tells the repetition. */
  get onceOnly(): boolean {
    return !this.call.stack.idempotent && this.context.idempotencyKey === undefined;
  }
  /** Ended from outside: nothing goes on. */
  get isCut(): boolean {
    return this.is(CUT);
  }
  get threw(): boolean {
    return this.is(THREW);
  }
  /** The way out is behind it. */
  get done(): boolean {
    return this.is(DONE);
  }
  /** Nothing may be begun in the operation's place any more. */
  get isClosed(): boolean {
    return this.is(CUT | EXPIRED | ANSWERED);
  }
  /** The last attempt begun in it that is done. */
  get last(): AttemptRecord | null {
    return this.rare?.last ?? null;
  }

  get cut(): Cut | null {
    return this.rare?.cut ?? null;
  }
  protected set cut(cut: Cut) {
    this.more.cut = cut;
  }
  /** Of the nearest scope, else of the call; monotonic ms, `Infinity`: no deadline. */
  get dueAt(): number {
    const own = this.rare?.dueAt ?? Number.POSITIVE_INFINITY;
    return Math.min(own, this.outer?.dueAt ?? this.call.dueAt);
  }

  endBy(dueAt: number): void {
    this.more.dueAt = dueAt;
  }

  remainingMs(): number {
    return this.dueAt === Number.POSITIVE_INFINITY ? this.dueAt : Math.max(0, this.dueAt - this.now());
  }

  spend(spent: Cost): void {
    this.call.spend(spent);
    this.more.cost = addCost(this.more.cost ?? {}, spent);
  }

  /** What is begun in the operation's place. */
  lend(attempt: AttemptRecord): void {
    this.more.lent ??= new Lent();
    this.more.lent.add(attempt);
  }

  /** What stands in the operation's place has answered; late: to nobody. */
  protected closeLent(answer: unknown, isLate: boolean): void {
    this.rare?.lent?.close(answer, isLate);
  }

  /** Takes in what it began, to end it when it is ended itself. */
  hold(kid: Cuttable): void {
    this.kids ??= new Set();
    this.kids.add(kid);
  }

  letGo(kid: Cuttable): void {
    this.kids?.delete(kid);
  }

  protected endKids(cut: Cut): void {
    if (this.kids !== null) for (const kid of [...this.kids]) kid.abandon(cut);
  }

  /** A call made in it is over. */
  leave(child: CallRecord): void {
    this.letGo(child);
  }

  /** This ended a call made in it whose own retry or fallback gave up: final for every retry above. */
  endedBy(given: unknown): void {
    this.more.finals.push(given);
  }

  /** Whether this ended a call made in it whose own retry or fallback gave up: final for every retry above. */
  isFinal(error: unknown): boolean {
    if (this.rare === null) return false;
    for (let seen = error, depth = 0; depth < 8; depth++) {
      if (this.rare.finals.includes(seen)) return true;
      seen = field(seen, "cause");
      if (seen === undefined) break;
    }
    const { last } = this.rare;
    return last !== null && last !== this && last.isFinal(error);
  }

  /** Puts its failure into the story, once, as the recoveries outside see it. */
  note(endedAt = this.now()): void {
    if (this.is(NOTED) || this.verdict === undefined) return;
    this.flags |= NOTED;
    const { call, rare, value } = this;
    if (this.isCut && this.cut?.wholeMs === 0 && call.cut === null) return; // lost, and no failure
    const told = call.failures.at(-1);
    if (told?.error === value && this.last !== null) return; // by the attempt inside
    const failure = failureOf(this, this.verdict.kind, endedAt, rare?.produced, rare?.cost);
    call.fail(failure);
    if (this.called && !call.stack.seams.events.quiet) tellFailure(call, failure);
  }

  /** A user's function threw when it was asked about a failure that is told already: that is one more. */
  protected noteFault(): void {
    if (this.is(NOTED)) this.call.fail(failureOf(this, "bug", this.now(), undefined, undefined));
  }

  /** Remembers the input as the layers outside gave it, for the next attempt. */
  protected take(i: number, input: unknown): void {
    if (i < this.segment.lastRecovery) this.more.inputs.push({ at: i, input: this.input });
    this.input = input;
  }

  /** The input as the layer of this index gave it on. */
  inputAt(i: number): unknown {
    const changed = this.rare?.inputs.find(({ at }) => at < i);
    return changed === undefined ? this.input : changed.input;
  }

  /** What it delivered is the caller's, and so is what the attempts inside it did. */
  protected forgetValue(): void {
    this.value = undefined;
    if (this.rare !== null) this.rare.last = null;
  }

  /** It is over, and its record may be kept for its story. */
  protected forgetInput(): void {
    this.input = undefined;
    if (this.rare !== null) this.rare.inputs.length = 0;
  }

  protected setProduced(value: unknown): void {
    this.more.produced = value;
  }

  /** Remembers what is let go when the operation is called in its place. */
  protected replace(dropped: AttemptRecord): void {
    if (!dropped.threw && typeof dropped.value === "object") this.more.replaces = dropped.value;
  }

  protected dropReplaced(): void {
    if (this.rare !== null) discard(this.rare.replaces, this.call.stack.discard);
  }

  /** An attempt that it began is done; or: it is this one that counts. */
  heard(kid: AttemptRecord): void {
    this.letGo(kid);
    this.more.last = kid;
  }

  /** An attempt that it began, from the layer of this index, has yet to end truly. */
  protected opened(kid: AttemptRecord, at: number): void {
    if (this.call.stack.ends) this.more.open.set(kid, at);
  }

  /** The way out begins at this layer: those inside it were never entered. */
  protected leavesFrom(at: number): void {
    if (this.call.stack.ends) this.more.endedTo = at;
  }

  /** Tells the layers of the true end as far as it has come: what ran inside them has settled, and so have they. */
  protected tellEnds(): void {
    if (!this.call.stack.ends) return;
    const { more, segment } = this;
    if (more.endedTo < 0) return; // not answered yet
    while (more.endedTo < this.at && !this.is(RUNNING | HELD)) {
      const i = more.endedTo;
      for (const at of more.open.values()) if (at <= i) return;
      more.endedTo++;
      this.tellEnd(segment.layers[i] as FusedLayer);
    }
    if (
      this.outer === null ||
      !this.is(DONE) ||
      more.open.size > 0 ||
      more.endedTo < this.top ||
      this.is(RUNNING | HELD)
    )
      return;
    const { outer } = this;
    outer.more.open.delete(this);
    outer.tellEnds();
  }

  /** It comes when nobody may be waiting any more: what a layer of a user's throws at it is told to the bus alone. */
  protected tellEnd({ ended }: FusedLayer): void {
    try {
      ended?.(this);
    } catch (error) {
      this.call.stack.seams.events.emit("listener.failed", { heard: "attempt.ended", error }, this.call);
    }
  }

  protected is(flags: number): boolean {
    return (this.flags & flags) !== 0;
  }

  now(): number {
    return this.call.stack.seams.clock.monotonic();
  }

  private get more(): RareOfAttempt {
    this.rare ??= new RareOfAttempt();
    return this.rare;
  }

  abstract abandon(cut: Cut): void;
  abstract override expire(): void;
  /** Runs the innermost `top` layers of a segment once more, as an attempt of its own begun by the layer being asked. */
  abstract ask(segment: Segment, top: number, input: unknown): Promise<unknown>;
  /** Waits, and ends early when the attempt is ended; the timer holds no signal's listener. */
  abstract pause(ms: number): Promise<void>;
}
