// The record of one call: from its entering to its one end, and what is told of it afterwards.
import { type Body, bodyOf } from "./body.ts";
import { addCost } from "./cost.ts";
import { brief, DeadlineExceededError, HoldfastError, OutputRejectedError, stackless } from "./errors.ts";
import type { Cost } from "./operation.ts";
import { idOf } from "./seams.ts";
import type { Stack } from "./stack.ts";
import { keepFailure, keepSuccess, keepsSuccesses } from "./stories.ts";
import type { Story, StoryState } from "./story.ts";
import { armUnheld, disarm, Timed } from "./timers.ts";
import type { Failure, Verdict } from "./verdict.ts";

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
}

/** The way a call hears of its caller's abort. */
export interface Following {
  leave(call: CallRecord): void;
}

/** The attempt in which a call was made. */
export interface Parent {
  leave(child: CallRecord): void;
}

/** What few calls need. */
interface More {
  parent: Parent | null;
  children: CallRecord[];
  cost: Cost;
  deadline: DeadlineTimer | null;
  corrections: { path: string; rule: string }[];
  degraded: { reason: string; ageMs?: number | undefined } | undefined;
  reviewId: string | undefined;
  /** Attempts of later tiers, by tier. */
  counts: number[];
  /** Tiers that were entered in the chain of calls of which this one is the outermost. */
  readonly entered: Set<unknown>;
  /** A delivered body that is not at its end. */
  body: Body | null;
}

const ENDED = 1;
const ENTERING = 2;
const GAVE_UP = 4;
const MEASURED = 8;

/** How many calls made inside one call its story tells of. */
const mostChildren = 1_000;
const nothing: readonly Failure[] = Object.freeze([]);
const noLabels: Readonly<Record<string, string>> = Object.freeze({});
const free: Cost = Object.freeze({});
let calls = 0;

export class CallRecord implements Cuttable {
  readonly stack: Stack;
  readonly no = ++calls;
  /** Monotonic ms. */
  readonly startedAt: number;
  root: Cuttable | null = null;
  cut: Cut | null = null;
  attempts = 0;
  tier = 0;
  failures: readonly Failure[] = nothing;
  /** What it ended with, if that was no success. */
  given: unknown = undefined;
  labels: Readonly<Record<string, string>> = noLabels;
  deadlineAt: number | undefined = undefined;
  // links of the list that all calls on one signal form
  following: Following | null = null;
  earlier: CallRecord | null = null;
  later: CallRecord | null = null;
  private flags = ENTERING;
  private firstTier = 0;
  private rare: More | null = null;
  private elapsed = 0;
  private state: StoryState = "succeeded";
  tierName: string;
  private resolve: ((value: never) => void) | null;
  private reject: ((error: unknown) => void) | null;

  constructor(stack: Stack, resolve: (value: never) => void, reject: (error: unknown) => void) {
    this.stack = stack;
    this.tierName = stack.name;
    this.startedAt = stack.seams.clock.monotonic();
    this.resolve = resolve;
    this.reject = reject;
  }

  get id(): string {
    return idOf(this.no);
  }
  // what an event says of its call
  get call(): string {
    return this.id;
  }
  get name(): string {
    return this.stack.name;
  }
  get component(): string {
    return this.stack.component;
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
  /** Whether anything but itself can end it. */
  get cuttable(): boolean {
    return this.following !== null || this.rare !== null;
  }
  get parent(): Parent | null {
    return this.rare?.parent ?? null;
  }
  get more(): More {
    this.rare ??= {
      parent: null,
      children: [],
      cost: free,
      deadline: null,
      corrections: [],
      degraded: undefined,
      reviewId: undefined,
      counts: [],
      entered: new Set(),
      body: null,
    };
    return this.rare;
  }

  /** The caller has its promise: from now on a rejection finds somebody who holds it. */
  entered(): void {
    this.flags &= ~ENTERING;
  }

  /** Somebody wants its story, however it ends. */
  measure(): void {
    this.flags |= MEASURED;
  }

  adopt(child: CallRecord): void {
    const { children } = this.more;
    if (children.length < mostChildren) children.push(child);
  }

  /** Numbers the attempts of a tier from 1. */
  nextAttempt(tier: number): number {
    if (tier === 0) return ++this.firstTier;
    const { counts } = this.more;
    counts[tier] = (counts[tier] ?? 0) + 1;
    return counts[tier];
  }

  /** An attempt that never called its operation was none. */
  giveBack(tier: number, attempt: number): void {
    if (tier === 0) {
      if (this.firstTier === attempt) this.firstTier--;
    } else if (this.more.counts[tier] === attempt) this.more.counts[tier]--;
  }

  fail(failure: Failure): void {
    if (this.failures === nothing) this.failures = [failure];
    else (this.failures as Failure[]).push(failure);
  }

  spend(spent: Cost): void {
    this.more.cost = addCost(this.more.cost, spent);
  }

  /** Ends the call from outside: the caller's abort, the deadline, or the end of the call it was made in. */
  abandon(cut: Cut): void {
    if (this.ended) {
      // only the body is still on its way: it ends, and nothing else changes
      this.rare?.body?.cut(cut.reason);
      return;
    }
    if (this.cut !== null) return;
    this.cut = cut;
    this.root?.abandon(cut);
  }

  /** The one end. A value may come with a verdict: it tells of a failure. */
  finish(ok: boolean, given: unknown, verdict: Verdict | undefined): void {
    if (this.ended) return;
    this.flags |= ENDED;
    let value = given;
    if (ok && verdict !== undefined && this.stack.gated) {
      ok = false;
      value = stackless(() => {
        const finding = { got: brief(given), wanted: `a value that tells of no failure (${verdict.kind})` };
        return new OutputRejectedError(this.name, [finding], given);
      });
    }
    const failed = !ok || verdict !== undefined;
    if (failed) this.given = value;
    const { events } = this.stack.seams;
    const watched = !events.quiet;
    if (failed || watched || this.rare !== null || (this.flags & MEASURED) !== 0 || keepsSuccesses()) {
      this.elapsed = this.stack.seams.clock.monotonic() - this.startedAt;
      this.state = this.endState(ok, value, verdict);
      if (failed) keepFailure(this, ok ? undefined : value);
      else keepSuccess(this);
      if (watched) this.tellEnd();
    }
    this.root = null;
    const body = ok && this.cuttable ? bodyOf(value) : undefined;
    if (body === undefined) this.release();
    else this.follow(body);
    const { resolve, reject } = this;
    this.resolve = this.reject = null;
    if (ok) resolve?.(value as never);
    // a rejection before the caller holds its promise costs Node two looks for an unhandled one
    else if ((this.flags & ENTERING) !== 0) entering.then(() => reject?.(value));
    else reject?.(value);
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
    if (this.following !== null) this.following.leave(this);
    if (this.rare === null) return;
    if (this.rare.deadline !== null) disarm(this.rare.deadline);
    this.rare.parent?.leave(this);
    this.rare.parent = null;
    this.rare.body = null;
  }

  story(): Story {
    const { stack, rare } = this;
    const { clock } = stack.seams;
    return {
      id: this.id,
      name: stack.name,
      component: stack.component,
      state: this.state,
      labels: this.labels,
      startedAt: clock.now() - (clock.monotonic() - this.startedAt),
      elapsedMs: this.elapsed,
      attempts: this.attempts,
      failures: this.failures.slice(),
      tier: this.tier,
      tierName: this.tierName,
      ...(rare?.degraded && { degraded: rare.degraded }),
      corrections: rare?.corrections.slice() ?? [],
      cost: rare?.cost ?? free,
      ...(rare?.reviewId !== undefined && { reviewId: rare.reviewId }),
      children: rare?.children.map((child) => child.story()) ?? [],
    };
  }

  private endState(ok: boolean, value: unknown, verdict: Verdict | undefined): StoryState {
    if (ok) {
      if (verdict !== undefined) return "failed";
      if (this.rare?.reviewId !== undefined) return "flagged";
      return this.tier > 0 || this.rare?.degraded !== undefined ? "degraded" : "succeeded";
    }
    if (this.cut !== null && value === this.cut.reason) return this.cut.wholeMs > 0 ? "timedOut" : "cancelled";
    if (!HoldfastError.is(value)) return "failed";
    if (value.code === "FALLBACK_EXHAUSTED" && HoldfastError.is(this.failures.at(-1)?.error, "TIMEOUT"))
      return "timedOut";
    return stateByCode[value.code] ?? (this.attempts === 0 ? "notAdmitted" : "failed");
  }

  private tellEnd(): void {
    const { events } = this.stack.seams;
    const { cut, state, tier, attempts, elapsed } = this;
    if (state === "timedOut" && cut !== null && HoldfastError.is(cut.reason, "DEADLINE_EXCEEDED"))
      events.emit("deadline.exceeded", { lateMs: (cut.reason as DeadlineExceededError).lateMs }, this);
    events.emit("call.settled", { state, tier, attempts, elapsedMs: elapsed, cost: this.rare?.cost ?? free }, this);
  }
}

/** Ends its call when the deadline has come. */
export class DeadlineTimer extends Timed {
  private readonly call: CallRecord;
  private readonly dueAt: number;
  constructor(call: CallRecord, dueAt: number) {
    super();
    this.call = call;
    this.dueAt = dueAt;
  }
  /** A body on its way holds its own socket; the limit on it holds nothing. */
  letProcessEnd(): void {
    const { clock } = this.call.stack.seams;
    disarm(this);
    armUnheld(clock, Math.max(0, this.dueAt - clock.monotonic()), this);
  }
  expire(): void {
    this.call.abandon(overdue(this.call, this.dueAt));
  }
}

/** The end of a call whose deadline, at `dueAt` monotonic ms, has come. */
export function overdue(call: CallRecord, dueAt: number): Cut {
  const at = call.stack.seams.clock.monotonic();
  return {
    reason: stackless(() => new DeadlineExceededError(call.name, Math.max(0, at - dueAt))),
    at,
    wholeMs: Math.max(Number.MIN_VALUE, dueAt - call.startedAt),
  };
}

const entering = Promise.resolve();
const stateByCode: Partial<Record<HoldfastError["code"], StoryState>> = {
  INPUT_REJECTED: "rejected",
  REVIEW_PENDING: "flagged",
  TIMEOUT: "timedOut",
  DEADLINE_EXCEEDED: "timedOut",
  OUTPUT_REJECTED: "failed",
  OPTIONS_INVALID: "failed",
};
