// What calls use, added up.
import type { Cost } from "./operation.ts";

/** Sums; the model is the last one named, and one estimate, or one amount that is none, makes the sum an estimate. */
export function addCost(sum: Cost, spent: Cost): Cost {
  const total: { -readonly [K in keyof Cost]: Cost[K] } = { ...sum };
  for (const key of ["inputTokens", "outputTokens", "money"] as const) {
    const amount = spent[key];
    if (amount === undefined) continue;
    // what a client hands through may be anything: one bad figure is not to spoil the sum
    if (Number.isFinite(amount) && amount >= 0) total[key] = (total[key] ?? 0) + amount;
    else total.estimated = true;
  }
  if (spent.model !== undefined) total.model = spent.model;
  if (spent.estimated === true) total.estimated = true;
  return total;
}
