// What calls use, added up.
import type { Cost } from "./operation.ts";

/** Sums; the model is the last one named, and one estimate makes the sum an estimate. */
export function addCost(sum: Cost, spent: Cost): Cost {
  const total: { -readonly [K in keyof Cost]: Cost[K] } = { ...sum };
  for (const key of ["inputTokens", "outputTokens", "money"] as const) {
    const amount = spent[key];
    if (amount !== undefined) total[key] = (total[key] ?? 0) + amount;
  }
  if (spent.model !== undefined) total.model = spent.model;
  if (spent.estimated === true) total.estimated = true;
  return total;
}
