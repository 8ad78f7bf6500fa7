// The record of one call: from its entering to its one end, and what is told of it afterwards.
import { type Body, bodyOf } from "./body.ts";
import { HoldfastError } from "./errors.ts";
import { handedOn, kept } from "./failure.ts";
import type { Hub } from "./hub.ts";
import { Linked, land } from "./inFlight.ts";
import { WAITS } from "./lastResort.ts";
import { passOn } from "./passOn.ts";
import { noLabels, type Parent, Rare } from "./rare.ts";
import { idOf } from "./seams.ts";
import type { Stack } from "./stack.ts";
import { type End, refusedValue, stateOf } from "./state.ts";
import { keepFailure, keepSuccess, keepsSuccesses } from "./stories.ts";
import type { Story } from "./story.ts";
import { tellEnd, tellStory } from "./telling.ts";
import { disarm } from "./timers.ts";
import type { Failure, Verdict } from "./verdict.ts";
import { type Open, openPromise, Wake, type Wakeable } from "./wake.ts";

/** Why something is ended from outside. */
export interface Cut {
  readonly reason: unknown;
  /** Monotonic ms. */
  readonly at: number;
  /** A limit of time that was so long; 0: no limit but a wish. */
  readonly wholeMs: number;
}

/** What a call can end: its attempts, and what they began. */
export interface Cuttable {
  abandon(cut: Cut): void;
  reranked?(): void; // how critical the whole is has changed, of a run that several share
}

/** Its first attempt. */
interface Root extends Cuttable {
  note(endedAt?: number): void; // puts its failure into the story
}

const ENDED = 1;
const ENTERING = 2;
const GAVE_UP = 4;
const MEASURED = 8;
const KEEPS_CONTEXT = 16;

const nothing: readonly Failure[] = Object.freeze([]);
let calls = 0;

export class CallRecord extends Linked implements Cuttable {
  readonly stack: Stack;
  readonly no = ++calls;
  /** Monotonic ms. */
  readonly startedAt: number;
  root: Root | null = null;
  attempts = 0;
  failures: readonly Failure[] = nothing;
  end: End | null = null;
  // links of the list that all calls on one signal form
  following: Hub | null = null;
  earlier: CallRecord | null = null;
  later: CallRecord | null = null;
  private flags = ENTERING;
  private firstTier = 0;
  rare: Rare | null = null;
  private resolve: ((value: unknown) => void) | null;
  private reject: ((error: unknown) => void) | null;

  constructor(stack: Stack, { resolve, reject }: Open, startedAt = stack.seams.clock.monotonic()) {
    super();
    this.stack = stack;
    this.startedAt = startedAt;
    this.resolve = resolve;
    this.reject = reject;
  }

  get id(): string {
    return idOf(this.no);
  }
  get call(): string {
    return this.id;
  }
  get name(): string {
    return this.stack.name;
  }
  get component(): string {
    return this.stack.component;
  }
  get labels(): Readonly<Record<string, string>> {
    return this.rare?.labels ?? noLabels;
  }
  get dueAt(): number {
    return this.rare?.nearest ?? Number.POSITIVE_INFINITY;
  }
  /** What was tried before the next attempt: here, and before this call was asked as the operation or tier of another. */
  get previous(): readonly Failure[] {
    const { failures } = this;
    const handed = this.rare?.handed ?? nothing;
    return handed.length + failures.length > 0 ? handedOn([...handed, ...failures]) : failures;
  }
  get deadlineAt(): number | undefined {
    return this.rare?.deadlineAt;
  }
  get tier(): number {
    return this.rare?.tier ?? 0;
  }
  /** What it gave is not what was asked for first: a later tier's, or stale. */
  get degraded(): boolean {
    return this.tier > 0 || this.rare?.degraded !== undefined;
  }
  /** What it gives is taken by those who are in it, and not by a caller. */
  get isShared(): boolean {
    return false;
  }
  get reviewId(): string | undefined {
    return this.rare?.reviewId;
  }
  get ended(): boolean {
    return (this.flags & ENDED) !== 0;
  }
  /** Its own retry or fallback gave up: final for every retry above. */
  get gaveUp(): boolean {
    return (this.flags & GAVE_UP) !== 0;
  }
  set gaveUp(_: true) {
    this.flags |= GAVE_UP;
  }
  /** Why it was ended from outside. */
  get cut(): Cut | null {
    return this.rare?.cut ?? null;
  }
  get parent(): Parent | null {
    return this.rare?.parent ?? null;
  }
  get more(): Rare {
    this.rare ??= new Rare(this.stack.tierName);
    return this.rare;
  }

  /** The caller has its promise: a rejection finds somebody. */
  entered(): void {
    this.flags &= ~ENTERING;
  }

  /** Somebody wants its story, however it ends. */
  measure(): void {
    this.flags |= MEASURED;
  }

  /** Its promise is asked with `goOn`: what a timer or an abort ends goes on in the call's own async context. */
  keepContext(): void {
    this.flags |= KEEPS_CONTEXT;
  }

  /** Goes on with what was ended: in the call's own async context where anything may follow or anybody listens. */
  wake(ended: Wakeable): void {
    if ((this.flags & (KEEPS_CONTEXT | ENDED)) !== KEEPS_CONTEXT) return ended.cutShort();
    const { more, resolve } = this;
    if (more.waking !== null) {
      more.waking.woken.push(ended);
      return;
    }
    const next = openPromise();
    more.waking = new Wake(next.promise, ended, () => {
      more.waking = null;
    });
    this.resolve = next.resolve;
    this.reject = next.reject;
    resolve?.(more.waking);
  }

  adopt(child: CallRecord): void {
    this.more.adopt(child);
  }

  /** The number of a tier's next attempt, from 1. */
  comingAttempt(tier: number): number {
    return 1 + (tier === 0 ? this.firstTier : (this.rare?.counts?.[tier] ?? 0));
  }

  nextAttempt(tier: number): number {
    if (tier === 0) return ++this.firstTier;
    const { more } = this;
    more.counts ??= [];
    more.counts[tier] = this.comingAttempt(tier);
    return more.counts[tier];
  }

  /** An attempt that never called its operation was none. */
  giveBack(tier: number, attempt: number): void {
    if (tier === 0) {
      if (this.firstTier === attempt) this.firstTier--;
    } else {
      const counts = this.rare?.counts;
      if (counts?.[tier] === attempt) counts[tier]--;
    }
  }

  fail(failure: Failure): void {
    this.rare?.forgetLess();
    if (this.failures === nothing) this.failures = [failure];
    else (this.failures as Failure[]).push(failure);
  }

  /** Ends the call from outside: the caller's abort, the deadline, or the end of the call it was made in. */
  abandon(cut: Cut): void {
    if (this.ended) {
      // only the body is still on its way: it ends, and nothing else changes
      this.rare?.body?.cut(cut.reason);
      return;
    }
    if (this.cut !== null) return;
    // a limit on the attempt in which it was made is none of its own: to this call it is a wish like others
    const own = HoldfastError.is(cut.reason, "TIMEOUT") ? { ...cut, wholeMs: 0 } : cut;
    this.more.cut = own;
    this.root?.abandon(own);
    this.rare?.lastResort?.abandon();
  }

  /** The one end. A value may come with a verdict: it tells of a failure. */
  finish(ok: boolean, given: unknown, verdict: Verdict | undefined): void {
    if (this.ended) return;
    let value = given;
    if (ok && verdict !== undefined && this.stack.gated) {
      ok = false;
      value = refusedValue(this, given, verdict);
    }
    if (!ok && this.rare !== null && this.rare.lastResort !== null) {
      value = this.rare.lastResort.instead(value, this);
      if (value === WAITS) return;
    }
    this.close();
    const failed = !ok || verdict !== undefined;
    if (ok && this.rare !== null) passOn(this, this.rare, value);
    const { clock, events } = this.stack.seams;
    const watched = !events.quiet;
    if (failed || watched || (this.flags & MEASURED) !== 0 || this.parent !== null || keepsSuccesses()) {
      // what was turned away on its way in took no time worth asking the clock for
      const turnedAway = this.attempts === 0 && (this.flags & ENTERING) !== 0;
      const elapsedMs = turnedAway ? 0 : clock.monotonic() - this.startedAt;
      this.end = { ok, given: ok ? undefined : value, state: stateOf(this, ok, value, verdict), elapsedMs };
      if (failed) keepFailure(this, ok ? undefined : value);
      else keepSuccess(this);
      if (watched) tellEnd(this, this.end);
    }
    if (failed && this.gaveUp) this.rare?.parent?.endedBy(value);
    if (this.end?.state === "cancelled") this.rare?.parent?.cancelledBy(value);
    // of a failed call it tells the story's last failure, when somebody asks
    if (ok) this.forget(value, verdict);
    const body = ok && (this.following !== null || this.rare !== null) ? bodyOf(value) : undefined;
    if (body === undefined) this.release();
    else this.follow(body);
    this.answer(ok, value);
  }

  protected close(): void {
    this.flags |= ENDED;
  }

  protected answer(ok: boolean, value: unknown): void {
    const { resolve, reject } = this;
    this.resolve = this.reject = null;
    if (ok) resolve?.(value as never);
    // a rejection before the caller holds its promise costs Node two looks for an unhandled one
    else if ((this.flags & (ENTERING | KEEPS_CONTEXT)) === ENTERING) Promise.resolve().then(() => reject?.(value));
    else reject?.(value);
  }

  /** What was delivered is the caller's: nothing here keeps it. */
  private forget(value: unknown, verdict: Verdict | undefined): void {
    if (verdict !== undefined) {
      this.root?.note();
      this.failures = this.failures.map((failure) => (failure.error === value ? kept(failure) : failure));
    }
    this.root = null;
  }

  /** Signal and deadline reach on into a delivered body, without holding the process. */
  private follow(body: Body): void {
    const { more } = this;
    more.body = body;
    if (more.deadline !== null) more.deadline.letProcessEnd();
    body.onEnd(() => this.release());
  }

  /** Nothing can end it any more: lets go of signal, timer and parent. */
  release(): void {
    land(this);
    if (this.following !== null) this.following.leave(this);
    if (this.rare === null) return;
    if (this.rare.deadline !== null) disarm(this.rare.deadline);
    this.rare.leave(this);
    this.rare.body = null;
    this.rare.lastResort = null;
    this.rare.veiled = null;
  }

  story(): Story {
    return tellStory(this);
  }
}
