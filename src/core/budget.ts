// What retries and hedges spend from, as the machine knows it: one for all calls of a component.
import type { AttemptRecord } from "./attempt.ts";
import type { Verdict } from "./verdict.ts";

export interface Budget {
  readonly kind: "budget";
  /** So many tries more could be begun now. */
  readonly left: number;
}

/** As retry, hedge and the declaration use it. */
export interface Spendable extends Budget {
  /** A call has its answer: its share comes in. */
  fund(attempt: AttemptRecord, verdict: Verdict | undefined): void;
  /** One try more of the call of this attempt; false where nothing is left, which is told here. */
  take(attempt: AttemptRecord): boolean;
}

/** Also of another copy. */
export function isBudget(given: unknown): given is Spendable {
  const { kind, fund, take } = (typeof given === "object" ? (given ?? {}) : {}) as Partial<Spendable>;
  return kind === "budget" && typeof fund === "function" && typeof take === "function";
}

/** Takes one for a try more of this attempt's call: from the layer's own budget, else from that of the declaration; without any it is free. */
export function takeOne(attempt: AttemptRecord, own: Budget | undefined): boolean {
  const budget = own ?? attempt.call.stack.budget;
  return budget === undefined || (budget as Spendable).take(attempt);
}

/** Tells a layer's own budget of an answered attempt, unless a layer outside it, or the declaration, tells the same one. */
export function fundOwn(attempt: AttemptRecord, own: Budget, at: number): void {
  const { layers } = attempt.segment;
  if (attempt.call.stack.budget === own) return;
  for (let i = at + 1; i < layers.length; i++)
    if ((layers[i]?.spec?.options as { budget?: Budget } | undefined)?.budget === own) return;
  (own as Spendable).fund(attempt, attempt.verdict);
}
