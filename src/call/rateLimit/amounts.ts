// What a call takes of each quota, in the order of their names.
import { brief } from "../../core/brief.ts";
import { isAmount } from "../../core/cost.ts";
import type { Cost } from "../../core/operation.ts";

export const quotaNames = ["requests", "inputTokens", "outputTokens", "tokens", "money"] as const;
export type QuotaName = (typeof quotaNames)[number];
export type Amounts = readonly number[];

/** One request of which nothing else is known. */
export const one: Amounts = [1, 0, 0, 0, 0];

/** It was not used after all. */
export const nothing: Amounts = [0, 0, 0, 0, 0];

/** What an estimate does not say takes nothing; what is no estimate would let everything through, and throws. */
export function amountsOf(estimated: unknown): Amounts {
  if (estimated === undefined || estimated === null) return one;
  const { inputTokens, outputTokens, money } = estimated as Cost;
  const isNone = typeof estimated !== "object" || typeof (estimated as { then?: unknown }).then === "function";
  for (const amount of [inputTokens, outputTokens, money])
    if (isNone || (amount !== undefined && !isAmount(amount)))
      throw new TypeError(
        `rateLimit.estimate has to give at once what the call will take at most, { inputTokens?, outputTokens?, money? }, as numbers from 0; it gave ${brief(isNone ? estimated : amount)}.`,
      );
  const [given, made] = [inputTokens ?? 0, outputTokens ?? 0];
  return [1, given, made, given + made, money ?? 0];
}

/** What was told in place of what was taken for it; what is not told stays as it was taken. */
export function settledAmounts(taken: Amounts, { inputTokens, outputTokens, money }: Cost): Amounts {
  const given = isAmount(inputTokens) ? inputTokens : undefined;
  const made = isAmount(outputTokens) ? outputTokens : undefined;
  const [requests = 1, input = 0, output = 0, tokens = 0, paid = 0] = taken;
  const all = given === undefined && made === undefined ? tokens : (given ?? input) + (made ?? output);
  return [requests, given ?? input, made ?? output, all, isAmount(money) ? money : paid];
}
