// What a user's functions say of a call: its key, and what it will use. An error of theirs says whose it is.
import { isAmount } from "../../core/cost.ts";
import type { Cost } from "../../core/operation.ts";
import { thrownBy } from "../../core/source.ts";
import { toldCost } from "../../core/toldCost.ts";
import { isThenable } from "../../core/wayIn.ts";
import { type Amounts, amountsOf } from "./amounts.ts";
import type { Settings } from "./settings.ts";

export function keyOf({ key }: Settings, input: unknown, call: string): string {
  const given = key as (input: unknown) => unknown;
  try {
    const told = given(input);
    if (typeof told === "string") return told;
    throw new TypeError(`"${call}": \`rateLimit.key\` has to give a string, not ${kindOf(told)}.`);
  } catch (error) {
    throw saidBy(error, "key", given);
  }
}

/** What cannot be meant for an amount is told: taken for nothing, it would let everything through. */
export function estimated(estimate: NonNullable<Settings["estimate"]>, input: unknown, call: string): Amounts {
  const given = estimate as (input: unknown) => unknown;
  try {
    const told = given(input);
    const wrong = wrongIn(told);
    if (wrong === undefined) return amountsOf(told as Cost);
    throw new TypeError(`"${call}": \`rateLimit.estimate\` has to ${wrong}.`);
  } catch (error) {
    throw saidBy(error, "estimate", given);
  }
}

const amounts = ["inputTokens", "outputTokens", "money"] as const;
const wantedObject = `give { ${amounts.join(", ")} }`;

function wrongIn(told: unknown): string | undefined {
  if (isThenable(told)) {
    Promise.resolve(told).catch(() => {}); // what becomes of it is of no interest any more
    return "answer at once, not with a promise";
  }
  if (typeof told !== "object" || told === null || Array.isArray(told)) return `${wantedObject}, not ${kindOf(told)}`;
  let some = false;
  for (const name of amounts) {
    const amount: unknown = (told as Cost)[name];
    if (amount === undefined || amount === null) continue;
    if (!isAmount(amount)) return `give 0 or more as ${name}, not ${kindOf(amount)}`;
    some = true;
  }
  if (some || toldCost(told)?.unread !== true) return undefined;
  return `${wantedObject}, not an object of other things`;
}

/** Numbers as they are; of all else only what it is: it may be of an input that is secret. */
function kindOf(told: unknown): string {
  if (typeof told === "number" || told === undefined || told === null) return String(told);
  if (typeof told !== "object") return `a ${typeof told}`;
  return isThenable(told) ? "a promise" : Array.isArray(told) ? "a list" : "an object";
}

function saidBy(error: unknown, option: "key" | "estimate", thrower: { readonly name: string }): unknown {
  thrownBy(error, `rateLimit.${option}`, thrower.name === option ? undefined : thrower);
  return error;
}
