// What a call takes of each quota, in the order of their names.
import { isAmount } from "../../core/cost.ts";
import type { Cost } from "../../core/operation.ts";

export const quotaNames = ["requests", "inputTokens", "outputTokens", "tokens", "money"] as const;
export type QuotaName = (typeof quotaNames)[number];
export type Amounts = readonly number[];

/** One request of which nothing else is known. */
export const one: Amounts = [1, 0, 0, 0, 0];

/** It was not used after all. */
export const nothing: Amounts = [0, 0, 0, 0, 0];

/** What is not told takes nothing. */
export function amountsOf({ inputTokens, outputTokens, money }: Cost): Amounts {
  const [given, made] = [inputTokens ?? 0, outputTokens ?? 0];
  return [1, given, made, given + made, money ?? 0];
}

/** What was told in place of what was taken for it; what is not told stays as it was taken, and money at least where a model has no price. */
export function settledAmounts(taken: Amounts, { inputTokens, outputTokens, money, unpriced }: Cost): Amounts {
  const given = isAmount(inputTokens) ? inputTokens : undefined;
  const made = isAmount(outputTokens) ? outputTokens : undefined;
  const [requests = 1, input = 0, output = 0, tokens = 0, paid = 0] = taken;
  const all = given === undefined && made === undefined ? tokens : (given ?? input) + (made ?? output);
  const known = isAmount(money) ? money : paid;
  return [requests, given ?? input, made ?? output, all, unpriced === undefined ? known : Math.max(known, paid)];
}
