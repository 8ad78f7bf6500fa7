// What few calls and attempts need: apart from their records, so that the many stay small.

import type { AttemptRecord } from "./attempt.ts";
import type { Rivals } from "./beside.ts";
import type { Body } from "./body.ts";
import { free } from "./cost.ts";
import type { Flying } from "./inFlight.ts";
import type { LastResort } from "./lastResort.ts";
import type { Lent } from "./lent.ts";
import type { Cost } from "./operation.ts";
import type { CallRecord, Cut, Cuttable } from "./record.ts";
import { field } from "./shapes.ts";
import type { Segment } from "./stack.ts";
import type { Timed } from "./timers.ts";
import type { Failure } from "./verdict.ts";
import type { Wake } from "./wake.ts";

/** The attempt in which a call was made. */
export interface Parent {
  readonly call: Flying & { readonly more: Rare };
  readonly segment: Segment;
  /** Monotonic ms; live. */
  readonly dueAt: number;
  leave(child: CallRecord): void;
  /** This ended a call made in it whose own retry or fallback gave up. */
  endedBy(given: unknown): void;
  /** With this a call made in it was cancelled. */
  cancelledBy(reason: unknown): void;
}

/** The timer of a deadline, which on a body's way holds no process. */
interface BodyTimer extends Timed {
  letProcessEnd(): void;
}

/** How many calls made inside one call its story tells of. */
const mostChildren = 1_000;

export class Rare {
  parent: Parent | null = null;
  children: CallRecord[] | null = null;
  /** What was tried before it, where it is the operation or a tier of another call. */
  handed: readonly Failure[] | null = null;
  labels: Readonly<Record<string, string>> = noLabels;
  /** What its own attempts used. */
  cost: Cost = free;
  /** What the calls inside it used. */
  inside: Cost = free;
  /** So many attempts were left while their operation ran: what they used may not all be told. */
  left = 0;
  /** Monotonic ms, of its own; `Infinity`: no deadline but what it inherits. */
  dueAt = Number.POSITIVE_INFINITY;
  /** The nearest as it was at the start, epoch ms. */
  deadlineAt: number | undefined = undefined;
  deadline: BodyTimer | null = null;
  corrections: { readonly path: string; readonly rule: string }[] | null = null;
  degraded: { readonly reason: string; readonly ageMs?: number | undefined } | undefined = undefined;
  reviewId: string | undefined = undefined;
  /** What is done when it is about to end without a value. */
  lastResort: LastResort | null = null;
  /** The input as it came to a guard with secrets, and their paths: what may be shown of it. */
  veiled: { readonly input: unknown; readonly secret: readonly string[] } | null = null;
  /** Whose attempts it shares, and how many there were. */
  shared: { readonly call: string; attempts: number } | undefined = undefined;
  /** The age of what a call made in it gave, where that was stale. */
  stale: number | undefined = undefined;
  /** What a call made in it got from a cache last; `direct`: that call is its operation. */
  fromCache: { readonly value: unknown; readonly direct: boolean } | undefined = undefined;
  /** A call made in it asked for what it gave. */
  asked = false;
  /** What it gives is no more than that. */
  handsOnCached = false;
  /** A call made in it, however deep, gave less than what it was asked for: a later tier's, something stale or flagged. */
  restsOnLess = false;
  /** That answered, or was asked last. */
  tier = 0;
  tierName: string;
  /** Attempts of later tiers, by tier. */
  counts: number[] | null = null;
  /** Tiers that were entered in the chain of calls of which this one is the outermost. */
  entered: Set<unknown> | null = null;
  /** A delivered body that is not at its end. */
  body: Body | null = null;
  /** Why it was ended from outside. */
  cut: Cut | null = null;
  waking: Wake | null = null;

  constructor(name: string) {
    this.tierName = name;
  }

  /** Of its own deadline and that of the attempt it was made in, live; monotonic ms. */
  get nearest(): number {
    return this.parent === null ? this.dueAt : Math.min(this.dueAt, this.parent.dueAt);
  }

  /** The attempt in which the call was made, which has ended: its deadline stays as it was. */
  leave(call: CallRecord): void {
    this.fromCache = undefined;
    if (this.parent === null) return;
    this.dueAt = this.nearest;
    this.parent.leave(call);
    this.parent = null;
  }

  /** What failed is not what it will give. */
  forgetLess(): void {
    this.stale = undefined;
    this.restsOnLess = false;
  }

  /** A call made in it, for its story. */
  adopt(child: CallRecord): void {
    this.children ??= [];
    if (this.children.length < mostChildren) this.children.push(child);
  }

  /** The input was put right there. */
  correct(path: string, rule: string): void {
    this.corrections ??= [];
    this.corrections.push({ path, rule });
  }
}

/** How often an operation was called for it, be it in another's name. */
export function triesOf({ attempts, rare }: { readonly attempts: number; readonly rare: Rare | null }): number {
  return attempts + (rare?.shared?.attempts ?? 0);
}

export const noLabels: Readonly<Record<string, string>> = Object.freeze({});

export class RareOfAttempt {
  /** Why it was ended from outside, or by its time-out. */
  cut: Cut | null = null;
  /** The end of the scope that it is; monotonic ms. */
  dueAt = Number.POSITIVE_INFINITY;
  /** The same as epoch ms. */
  deadlineAt: number | undefined = undefined;
  /** What was told in it, and in the calls made in it. */
  cost: Cost | undefined = undefined;
  /** What the attempts that it began used. */
  inside: Cost = free;
  /** That it named last. */
  model: string | undefined = undefined;
  /** It was left while its operation ran. */
  left = false;
  /** Its own number (0: it had none), where it has gone on with what another gave. */
  number: number | undefined = undefined;
  /** What it began, to end it when it is ended itself: mostly one at a time. */
  private kid: Cuttable | null = null;
  private others: Set<Cuttable> | null = null;
  /** What the operation delivered and a layer then refused. */
  produced: unknown = undefined;
  /** An error that a cache had kept. */
  kept: { readonly error: unknown; readonly call: string; readonly ageMs: number } | undefined = undefined;
  /** It was ended while it waited for a place in this bulkhead, of which the call around had one. */
  waitedFor: { readonly bulkhead: string; readonly heldBy: string } | undefined = undefined;
  /** The value that told of a failure and in whose place it is begun. */
  replaces: unknown = undefined;
  /** The last attempt begun in it that is done. */
  last: AttemptRecord | null = null;
  /** What was begun in the operation's place. */
  lent: Lent | null = null;
  /** What is begun beside it. */
  rivals: Rivals | null = null;
  /** What ended the calls made in it whose own retry or fallback gave up. */
  finals: unknown[] | null = null;
  /** What the calls made in it were cancelled with. */
  cancels: unknown[] | null = null;
  /** Inputs as they were before the layer of this index changed them. */
  inputs: { readonly at: number; readonly input: unknown }[] | null = null;
  /** What it began and what has not truly ended, with the index of the layer that began it. */
  open: Map<AttemptRecord, number> | null = null;
  /** By which a cache knows what is asked. */
  key: unknown = undefined;
  /** How many of its layers have heard of the true end. */
  endedTo = -1;

  get kids(): readonly Cuttable[] {
    const others = this.others === null ? [] : [...this.others];
    return this.kid === null ? others : [this.kid, ...others];
  }

  hold(kid: Cuttable): void {
    if (this.kid === null) this.kid = kid;
    else {
      this.others ??= new Set();
      this.others.add(kid);
    }
  }

  endedBy(given: unknown): void {
    this.finals ??= [];
    this.finals.push(given);
  }

  /** Whether it is one of those, or was made of one. */
  isFinal(error: unknown): boolean {
    if (this.finals === null) return false;
    for (let seen = error, depth = 0; depth < 8; depth++) {
      if (this.finals.includes(seen)) return true;
      seen = field(seen, "cause");
      if (seen === undefined) break;
    }
    return false;
  }

  cancelledBy(reason: unknown): void {
    this.cancels ??= [];
    this.cancels.push(reason);
  }

  changed(at: number, input: unknown): void {
    this.inputs ??= [];
    this.inputs.push({ at, input });
  }

  opened(kid: AttemptRecord, at: number): void {
    this.open ??= new Map();
    this.open.set(kid, at);
  }

  letGo(kid: Cuttable): void {
    if (this.kid === kid) this.kid = null;
    else this.others?.delete(kid);
  }
}
