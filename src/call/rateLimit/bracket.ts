// The moments of an attempt, as a rate limit takes part in them.
import { type AttemptRecord, RUNNING, SPARED } from "../../core/attempt.ts";
import { free } from "../../core/cost.ts";
import type { Attempt, Bracket } from "../../core/layer.ts";
import { ADMITTED, asRefusal, refusal } from "../../core/refusal.ts";
import { statusWithin } from "../../core/shapes.ts";
import { spentIn } from "../../core/spend.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import { rankOf } from "../bulkhead/queue.ts";
import { type Amounts, nothing, one, settledAmounts } from "./amounts.ts";
import { hearOf } from "./hear.ts";
import type { Limiter } from "./limiter.ts";
import { errorOf, tellRefused } from "./refusal.ts";
import { estimated } from "./told.ts";
import { Unpriced } from "./unpriced.ts";
import { wasNotUsed } from "./unused.ts";
import type { Waiter } from "./waiter.ts";

/** What an attempt has taken, and what is not to be settled any more. */
interface Taken {
  readonly limiter: Limiter;
  readonly amounts: Amounts;
  /** All that had been taken of each quota, this included. */
  readonly since: Amounts;
  /** It failed, and was answered: what was not told was not used. */
  failed: boolean;
}

const none: Amounts = [];

export class LimitBracket implements Bracket {
  private readonly of: (input: unknown, call: string) => Limiter;
  /** Where there is more to be told of than one request: an estimate, a provider's word, or a key. */
  private readonly met = new WeakMap<Attempt, Taken>();
  /** Only requests, of one limit: nothing has to be noted. */
  private readonly plain: Limiter | undefined;
  /** Passed, and took nothing. */
  private readonly without = new WeakSet<Attempt>();
  private readonly unpriced = new Unpriced();
  private readonly arrive: (waiter: unknown) => unknown;

  /** `plain`: the one limit there is, where there is no key. */
  constructor(of: (input: unknown, call: string) => Limiter, plain: Limiter | undefined) {
    this.of = of;
    this.plain = plain;
    this.arrive = (waiter) => this.goOn(waiter as Waiter);
  }

  before(attempt: Attempt): unknown {
    const record = attempt as AttemptRecord;
    const { name } = record.call;
    const limiter = this.plain ?? this.of(attempt.input, name);
    const { estimate } = limiter.settings;
    const amounts = estimate === undefined ? one : estimated(estimate, attempt.input, name);
    const wait = limiter.take(amounts, rankOf(record.said?.criticality));
    if (wait === undefined) {
      this.note(record, limiter, amounts);
      return attempt.input;
    }
    if (record.isCut) {
      this.without.add(attempt);
      return attempt.input;
    }
    const waiter = limiter.enqueue(record, amounts, wait);
    if (waiter !== undefined) {
      this.limiters.set(waiter, limiter);
      return waiter.end.then(this.arrive);
    }
    tellRefused(limiter.seams, wait, record.call);
    return refusal(errorOf(wait, limiter.seams, record.call));
  }
  private readonly limiters = new WeakMap<Waiter, Limiter>();

  after(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void {
    const { plain } = this;
    const record = attempt as AttemptRecord;
    const isWell = verdict === undefined && !record.is(SPARED);
    if (plain !== undefined && isWell && plain.settings.headers === undefined) return;
    if (this.without.has(attempt)) return;
    const taken = this.met.get(attempt);
    const limiter = taken?.limiter ?? plain;
    if (limiter === undefined || !limiter.knows(record)) return;
    const amounts = taken?.amounts ?? one;
    if (notCalled(record) || wasNotUsed(outcome, verdict)) {
      this.without.add(attempt);
      limiter.settle(amounts, nothing, attempt.startedAt);
    } else if (taken !== undefined && verdict !== undefined)
      taken.failed = outcome.ok || statusWithin(outcome.error) !== undefined;
    if (!record.is(SPARED))
      hearOf(limiter, outcome, verdict, attempt.serial, taken?.since ?? limiter.taken, record.call);
  }

  /** What it cost is told by now. */
  ended(attempt: Attempt): void {
    const taken = this.met.get(attempt);
    if (taken === undefined) return;
    this.met.delete(attempt);
    const { amounts, failed, limiter } = taken;
    if (this.without.has(attempt) || !limiter.knows(attempt as AttemptRecord)) return;
    const told = spentIn(attempt as AttemptRecord);
    if (told === free && !failed) return;
    const { unpriced } = told;
    // something was used for money that nobody knows: what was taken for it stays
    const kept = unpriced === undefined ? 0 : (amounts[4] as number);
    const used = settledAmounts(failed ? [amounts[0] as number, 0, 0, 0, kept] : amounts, told);
    limiter.settle(amounts, used, attempt.startedAt);
    if (unpriced !== undefined && limiter.settings.money !== undefined)
      this.unpriced.tell(unpriced, limiter.seams, (attempt as AttemptRecord).call);
  }

  ready(input: unknown): number {
    try {
      const limiter = this.plain ?? this.of(input, "");
      const { estimate } = limiter.settings;
      return limiter.readyMs(estimate === undefined ? one : estimated(estimate, input, ""));
    } catch {
      return 0; // an input that a layer in between has yet to put right may have no key, and no estimate
    }
  }

  private note(attempt: AttemptRecord, limiter: Limiter, amounts: Amounts): void {
    const { settings } = limiter;
    if (this.plain !== undefined && settings.headers === undefined && !counts(settings)) return;
    const since = settings.headers === undefined ? none : [...limiter.taken]; // who tells nothing is not asked since when
    this.met.set(attempt, { limiter, amounts, since, failed: false });
  }

  /** In the caller's own async context, whoever has ended the wait. */
  private goOn(waiter: Waiter): unknown {
    const { amounts, attempt, isIn, refusal } = waiter;
    const limiter = this.limiters.get(waiter) as Limiter;
    const { seams } = limiter;
    if (refusal !== undefined) {
      if (!attempt.isCut) tellRefused(seams, refusal, attempt.call);
      throw asRefusal(errorOf(refusal, seams, attempt.call));
    }
    if (isIn && attempt.over) limiter.settle(amounts, nothing, seams.clock.monotonic()); // it went as its turn came
    if (!isIn || attempt.over) this.without.add(attempt);
    else {
      this.note(attempt, limiter, amounts);
      const waitMs = Math.max(0, seams.clock.monotonic() - waiter.startedAt);
      if (!seams.events.quiet) seams.events.emit("limit.waited", { waitMs, quota: waiter.quota }, attempt.call);
    }
    return ADMITTED;
  }
}

/** There is something to settle beside the request. */
function counts({ inputTokens, money, outputTokens, tokens }: Limiter["settings"]): boolean {
  return tokens !== undefined || inputTokens !== undefined || outputTokens !== undefined || money !== undefined;
}

/** A layer inside had the answer, or it was ended before anything was begun. */
function notCalled(attempt: AttemptRecord): boolean {
  if (attempt.is(SPARED)) return true;
  return attempt.over && !attempt.called && !attempt.is(RUNNING) && attempt.last === null;
}
