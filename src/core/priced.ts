// What tokens are worth, by the price of the model that served them. One of which no price is known is unpriced, and never free.
import { isAmount, isName } from "./cost.ts";
import type { Cost } from "./operation.ts";
import { shared } from "./shared.ts";

/** Money per million tokens, in the one currency that all prices are in. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** By name, and by the beginning of names; the last one set holds. */
export const priceTable = shared("prices", () => ({
  names: new Map<string, Price[]>(),
  beginnings: new Map<string, Price[]>(),
}));

/** The exact name goes first, then the longest beginning; nothing else is taken for the same model. */
export function priceOf(model: string): Price | undefined {
  const exact = priceTable.names.get(model);
  if (exact !== undefined) return exact.at(-1);
  let longest = -1;
  let set: readonly Price[] = [];
  for (const [begin, of] of priceTable.beginnings)
    if (begin.length > longest && model.startsWith(begin)) {
      longest = begin.length;
      set = of;
    }
  return set.at(-1);
}

/** In place of a model's name, where none was told. */
export const unnamed = "unnamed model";

/** What was told with its money: as told, else by the price of its model, `known` where it names none; else it is marked as unpriced. */
export function priced(told: Cost, known: string | undefined): Cost {
  const { inputTokens, outputTokens, money, unpriced } = told;
  // a sum that somebody hands on has its prices behind it
  if (isAmount(money) || unpriced !== undefined) return told;
  const input = isAmount(inputTokens) ? inputTokens : undefined;
  const output = isAmount(outputTokens) ? outputTokens : undefined;
  if (input === undefined && output === undefined) return told;
  const model = isName(told.model) ? told.model : known;
  const price = model === undefined ? undefined : priceOf(model);
  if (price !== undefined) {
    const worth = ((input ?? 0) * price.input + (output ?? 0) * price.output) / 1_000_000;
    const spoilt = money !== undefined && money !== null;
    return { ...told, money: worth, ...(spoilt && { estimated: true }) };
  }
  return input || output ? { ...told, unpriced: [model ?? unnamed] } : told;
}
