// What tokens of a model cost. A model of which no price is known is unpriced, and never free.
import { z } from "zod";
import { type Price, priceOf, priceTable } from "./priced.ts";
import { parseOptions } from "./wrapper.ts";

export interface Prices {
  /**
   * From now on; what was told before keeps its price. The name is the model's as its provider returns it, letter for
   * letter, or the beginning of names with a `*` at its end: the exact name goes first, then the longest beginning.
   * Gives its undo, after which the price set before it holds.
   * @throws OptionsInvalidError for what is no name or no price
   */
  set(model: string, price: Price): () => void;
  /** The price by which this model's tokens are counted now; nothing: it is unpriced. */
  of(model: string): Price | undefined;
}

/** So many earlier prices of a name are remembered for an undo: a program may set them anew every hour. */
const mostEarlier = 10;

const amount = z.number({ error: "money per million tokens, from 0" }).min(0);
const schema = z.strictObject({
  input: amount,
  output: amount,
  model: z
    .string()
    .regex(/^(?:[^*]+\*?|\*)$/, { error: "a model's name, or the beginning of names with a * at its end" }),
});

/**
 * What models cost. Where `context.cost` tells tokens and a model, and no money, the money is worked out by it.
 * @example
 * prices.set("gpt-x", { input: 2.5, output: 10 });
 * prices.set("gpt-x-20*", { input: 2.5, output: 10 }); // gpt-x-2026-01-01, and not gpt-x-mini
 * console.log(prices.of("gpt-x-2026-01-01"), prices.of("gpt-x-mini")); // → { input: 2.5, output: 10 } undefined
 */
export const prices: Prices = {
  set(model, price) {
    const { input, output } = parseOptions("prices", schema, { ...price, model });
    const places = model.endsWith("*") ? priceTable.beginnings : priceTable.names;
    const name = model.endsWith("*") ? model.slice(0, -1) : model;
    const set = places.get(name) ?? [];
    const put = Object.freeze({ input, output });
    places.set(name, set);
    if (set.push(put) > mostEarlier) set.shift();
    return () => {
      const at = set.indexOf(put);
      if (at >= 0) set.splice(at, 1);
      if (set.length === 0 && places.get(name) === set) places.delete(name);
    };
  },
  of: priceOf,
};
