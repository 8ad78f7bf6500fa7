// What an operation tells of its cost, read with care: a good answer is never lost by the bookkeeping of it.
import { isAmount, isName } from "./cost.ts";
import type { Cost } from "./operation.ts";

export interface ToldCost {
  readonly cost: Cost;
  /** There is more in it than could be read: what was used is not all known. */
  readonly unread: boolean;
}

const keys: ReadonlySet<string> = new Set(["inputTokens", "outputTokens", "money", "model", "estimated", "unpriced"]);

/** Of anything; `undefined`: nothing was told. What is not understood is marked, never taken for nothing. */
export function toldCost(told: unknown): ToldCost | undefined {
  if (told === undefined || told === null) return undefined;
  if (typeof told !== "object" || Array.isArray(told)) return { cost: {}, unread: true };
  try {
    return read(told);
  } catch {
    return { cost: {}, unread: true }; // it throws when it is read
  }
}

function read(told: object): ToldCost {
  const { inputTokens, outputTokens, money, model, estimated, unpriced } = told as Cost;
  const models = Array.isArray(unpriced) ? unpriced.filter(isName) : undefined;
  const cost: Cost = {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(money !== undefined && { money }),
    ...(model !== undefined && { model }),
    ...(estimated !== undefined && { estimated }),
    ...(models !== undefined && models.length > 0 && { unpriced: models }),
  };
  const known = isAmount(money) || (isAmount(inputTokens) && isAmount(outputTokens));
  return { cost, unread: !known && hasMore(told, cost) };
}

/** Another key, such as `input_tokens`; or it is another kind of thing altogether, such as a promise. */
function hasMore(told: object, cost: Cost): boolean {
  const others = Object.entries(told).some(([key, value]) => !keys.has(key) && value !== undefined && value !== null);
  const prototype: unknown = Object.getPrototypeOf(told);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return others || (!isPlain && Object.keys(cost).length === 0);
}
