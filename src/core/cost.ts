// What calls use, added up, and said for a person.
import type { Cost } from "./operation.ts";

/** Nothing told. */
export const free: Cost = Object.freeze({});

const amounts = ["inputTokens", "outputTokens", "money"] as const;

/**
 * Sums, a part at a time: amounts add up, and what is wrong with one part is wrong with the sum. One estimate, or one
 * amount that is none, makes it an estimate; models without a price are listed once; the model is the last one named.
 * @example
 * const day = addCost({ money: 0.5 }, { money: 0.25, model: "m", estimated: true });
 * console.log(day); // → { money: 0.75, model: 'm', estimated: true }
 */
export function addCost(sum: Cost, spent: Cost): Cost {
  const total: { -readonly [K in keyof Cost]: Cost[K] } = { ...sum };
  for (const key of amounts) {
    const amount: unknown = spent[key];
    if (amount === undefined || amount === null) continue;
    // what a client hands through may be anything: one bad figure is not to spoil the sum
    const more = isAmount(amount) ? (total[key] ?? 0) + amount : Number.NaN;
    if (Number.isFinite(more)) total[key] = more;
    else total.estimated = true;
  }
  if (isName(spent.model)) total.model = spent.model;
  if (spent.estimated === true) total.estimated = true;
  if (Array.isArray(spent.unpriced) && spent.unpriced.length > 0)
    total.unpriced = [...new Set([...(total.unpriced ?? []), ...spent.unpriced])].sort();
  return total;
}

export function isAmount(told: unknown): told is number {
  return typeof told === "number" && Number.isFinite(told) && told >= 0;
}

export function isName(told: unknown): told is string {
  return typeof told === "string" && told !== "";
}

/** As a person reads it: "at least" where not all is known. Nothing where nothing was told. */
export function spellCost(cost: Cost): string | undefined {
  const { inputTokens, outputTokens, model, unpriced, estimated } = cost;
  const money = spellMoney(estimated ? { money: cost.money } : cost);
  const parts = [
    ...(inputTokens === undefined ? [] : [`${inputTokens} input tokens`]),
    ...(outputTokens === undefined ? [] : [`${outputTokens} output tokens`]),
    ...(money === undefined ? [] : [money]),
  ];
  const isTold = parts.length > 0;
  if (!isTold && unpriced === undefined) return undefined;
  if (!isTold) parts.push("an amount that is not known");
  const said = `${estimated && isTold ? "at least " : ""}${parts.join(", ")}${model === undefined ? "" : ` (${model})`}`;
  return unpriced === undefined ? said : `${said}; without a price: ${unpriced.join(", ")}`;
}

/** Nothing where no money is known: that is not the same as none. */
export function spellMoney({ money, estimated, unpriced }: Cost): string | undefined {
  if (money === undefined) return undefined;
  return `${estimated || unpriced !== undefined ? "at least " : ""}${Number(money.toPrecision(9))} in money`;
}
