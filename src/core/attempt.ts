// The record of one attempt: what is known of it, what it began, and when it truly ended.
import { Context, type ContextSource, type Said, SaidContext } from "./context.ts";
import { discard } from "./discard.ts";
import { failureOf, tellFailure } from "./failure.ts";
import type { Attempt } from "./layer.ts";
import { Lent } from "./lent.ts";
import type { Cost } from "./operation.ts";
import { RareOfAttempt } from "./rare.ts";
import type { CallRecord, Cut, Cuttable } from "./record.ts";
import { nextSerial } from "./serial.ts";
import { spend } from "./spend.ts";
import type { Segment } from "./stack.ts";
import { Timed } from "./timers.ts";
import type { Outcome, Verdict } from "./verdict.ts";
import type { Open } from "./wake.ts";

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
export const NOTED = 2048; // its failure is in the story
export const SPARED = 4096; // answered by a layer, nothing inside that was asked

export abstract class AttemptRecord extends Timed implements Attempt, ContextSource, Cuttable {
  readonly call: CallRecord;
  readonly segment: Segment;
  /** How many of the segment's layers it goes through. */
  readonly top: number;
  /** The attempt that began this one; `null`: the first of its call. */
  readonly outer: AttemptRecord | null;
  readonly said: Said | undefined;
  readonly serial = nextSerial();
  input: unknown = undefined;
  value: unknown = undefined;
  verdict: Verdict | undefined = undefined;
  /** The layer that is being asked; in the end, where the way out begins. */
  at = 0;
  protected flags = 0;
  /** What was promised to whoever began it; the first attempt of a call has its call. */
  protected promised: Open | null = null;
  made: Context<AttemptRecord> | null = null;
  private controller: AbortController | null = null;
  private rare: RareOfAttempt | null = null;

  constructor(
    call: CallRecord,
    segment: Segment,
    top: number,
    outer: AttemptRecord | null,
    from: number,
    said: Said | undefined,
  ) {
    super(from);
    this.call = call;
    this.segment = segment;
    this.top = top;
    this.outer = outer;
    this.said = said;
  }

  /** Made when somebody looks at it: what is turned away first has none. */
  get context(): Context<AttemptRecord> {
    this.made ??= this.makeContext();
    return this.made;
  }

  /** What the next attempt's context repeats of this one's, where somebody has looked at it. */
  protected get repeated(): Said | undefined {
    return this.made ?? this.said;
  }

  private makeContext(from?: AttemptRecord): Context<AttemptRecord> {
    const { call, cut, deadlineAt, said } = this;
    const { tier } = this.segment;
    this.controller = new AbortController();
    const { signal } = this.controller;
    const coming = () => (this.is(ANSWERED) ? call.comingAttempt(tier) : call.nextAttempt(tier)); // turned away: none
    const number = from === undefined ? coming() : from.context.attempt;
    if (cut !== null && from === undefined) this.abort(cut.reason);
    return said === undefined && deadlineAt === undefined
      ? new Context(this, signal, call, number, tier)
      : new SaidContext(this, signal, call, number, tier, deadlineAt, said);
  }

  /** What another has given goes on in its place: with that one's number, and a signal that nothing has ended. */
  protected standFor(winner: AttemptRecord): void {
    const { made } = this;
    this.flags &= ~EXPIRED; // a call made with that context is in time
    this.more.number ??= made?.attempt ?? 0;
    this.made = this.makeContext(winner);
    // a declared one was read once, and is the call's
    if (made?.idempotencyKey !== undefined) this.made.idempotencyKey = made.idempotencyKey;
  }

  /** It does not call its operation: the number that its context has, if somebody looked, is the next one's. */
  protected giveBackNumber(looked = this.made): void {
    if (looked !== null) this.call.giveBack(this.segment.tier, looked.attempt);
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
  get called(): boolean {
    return this.is(CALLED);
  }
  /** What may have been received must not be sent again: declared so, and without a key that tells the repetition. */
  get onceOnly(): boolean {
    return !this.call.stack.idempotent && this.context.idempotencyKey === undefined;
  }
  get isCut(): boolean {
    return this.is(CUT);
  }
  get threw(): boolean {
    return this.is(THREW);
  }
  get done(): boolean {
    return this.is(DONE);
  }
  /** Its value is a cache's, or came of a run that others share. */
  get gaveWhatOthersHave(): boolean {
    const { last } = this;
    return this.is(SPARED) || (last !== null && (last.call !== this.call || last.gaveWhatOthersHave));
  }
  /** Nothing may be begun in the operation's place any more. */
  get isClosed(): boolean {
    return this.is(CUT | EXPIRED | ANSWERED);
  }
  get last(): AttemptRecord | null {
    return this.rare?.last ?? null;
  }
  /** What it began and what has not truly ended. */
  get openKids(): Iterable<AttemptRecord> {
    return this.rare?.open?.keys() ?? [];
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
  get deadlineAt(): number | undefined {
    return this.rare?.deadlineAt ?? (this.outer === null ? this.call.deadlineAt : this.outer.deadlineAt);
  }

  endBy(dueAt: number, deadlineAt: number): void {
    this.more.dueAt = dueAt;
    this.more.deadlineAt = deadlineAt;
  }

  /** Its time-out; 0: none. */
  protected get limitMs(): number {
    const limit = this.segment.limits[this.at];
    return limit !== undefined && limit.at < this.top ? limit.limit.ms : 0;
  }

  remainingMs(): number {
    return this.dueAt === Number.POSITIVE_INFINITY ? this.dueAt : Math.max(0, this.dueAt - this.now());
  }
  spend(spent: Cost): void {
    spend(this, spent);
  }

  /** What is begun in the operation's place. */
  lend(attempt: AttemptRecord): void {
    this.more.lent ??= new Lent();
    this.more.lent.add(attempt);
  }

  /** What stands in the operation's place has answered; late: to nobody. */
  protected closeLent(answer: unknown, isLate: boolean, threw: number): void {
    this.rare?.lent?.close(answer, isLate, threw);
  }

  hold(kid: Cuttable): void {
    this.more.hold(kid);
  }
  letGo(kid: Cuttable): void {
    this.rare?.letGo(kid);
  }

  protected endKids(cut: Cut): void {
    if (this.rare !== null) for (const kid of this.rare.kids) kid.abandon(cut);
  }

  leave(child: CallRecord): void {
    this.letGo(child);
  }
  endedBy(given: unknown): void {
    this.more.endedBy(given);
  }
  cancelledBy(reason: unknown): void {
    this.more.cancelledBy(reason);
  }

  wasCancelledBy(error: unknown): boolean {
    return this.rare?.cancels?.includes(error) ?? false;
  }

  /** Whether this ended a call made in it whose own retry or fallback gave up: final for every retry above. */
  isFinal(error: unknown): boolean {
    return this.rare !== null && (this.rare.isFinal(error) || (this.last?.isFinal(error) ?? false));
  }

  /** Puts its failure into the story, once, as the recoveries outside see it. */
  note(endedAt = this.now()): void {
    if (this.is(NOTED) || this.verdict === undefined) return;
    this.flags |= NOTED;
    const { call, last, rare, value } = this;
    if (this.isCut && this.cut?.wholeMs === 0 && call.cut === null) return; // lost, and no failure
    const told = call.failures.at(-1);
    // by the attempt inside, or the run that several share
    if (last !== null && (told?.error === value || (last.call !== call && last.value === value))) return;
    const failure = failureOf(this, this.verdict.kind, endedAt, rare);
    call.fail(failure);
    if (this.called && !call.stack.seams.events.quiet) tellFailure(call, failure, this.verdict.counts);
  }

  /** Remembers the input as the layers outside gave it, for the next attempt. */
  protected take(i: number, input: unknown): void {
    if (i < this.segment.lastRecovery) this.more.changed(i, this.input);
    this.input = input;
  }

  /** The input as the layer of this index gave it on. */
  inputAt(i: number): unknown {
    const changed = this.rare?.inputs?.find(({ at }) => at < i);
    return changed === undefined ? this.input : changed.input;
  }

  /** What it delivered is the caller's, and so is what the attempts inside it did. */
  protected forgetValue(): void {
    this.value = undefined;
    for (const kid of this.openKids) kid.forgetValue();
    if (this.rare !== null) this.rare.last = this.rare.lent = null;
  }

  /** It is over, and its record may be kept for its story. */
  protected forgetInput(): void {
    this.input = undefined;
    if (this.rare !== null) this.rare.inputs = null;
  }

  /** Remembers what is let go when the operation is called in its place; what others have too is not this call's to close. */
  protected replace(dropped: AttemptRecord): void {
    const isOwn = dropped.call === this.call && !dropped.threw && !dropped.gaveWhatOthersHave;
    if (isOwn && typeof dropped.value === "object") this.more.replaces = dropped.value;
  }

  protected dropReplaced(): void {
    const replaces = this.rare?.replaces;
    if (replaces !== undefined) discard(replaces, this.call.stack.discard);
  }

  /** An attempt that it began is done; or: it is this one that counts, and be it itself. */
  heard(kid: AttemptRecord): void {
    this.letGo(kid);
    this.more.last = kid === this ? null : kid;
  }

  is(flags: number): boolean {
    return (this.flags & flags) !== 0;
  }

  now(): number {
    return this.call.stack.seams.clock.monotonic();
  }

  get more(): RareOfAttempt {
    this.rare ??= new RareOfAttempt();
    return this.rare;
  }

  abstract abandon(cut: Cut): void;
  abstract override expire(afterMs: number): void;
  /** Runs the innermost `top` layers of a segment once more, as an attempt of its own begun by the layer being asked. */
  abstract ask(segment: Segment, top: number, input: unknown): Promise<unknown>;
  /** Waits, and ends early when the attempt is ended; the timer holds no signal's listener. */
  abstract pause(ms: number): Promise<void>;
}
