// How a layer says no.
import type { HoldfastError } from "./errors.ts";
import { shared } from "./shared.ts";
import { hasStory } from "./stories.ts";

/** What `before` and `started` of a layer of ours may return in place of throwing: a throw costs a microsecond, and refusals come in volume. */
export const REFUSED: unique symbol = Symbol.for("holdfast/1/refused") as never;
// a stack may have layers of several copies
const told = shared("refusals", () => ({
  last: undefined as HoldfastError | undefined,
  thrown: new WeakSet<HoldfastError>(),
}));

export function refusal(error: HoldfastError): typeof REFUSED {
  told.last = error;
  return REFUSED;
}

export function takeRefusal(): HoldfastError {
  const error = told.last as HoldfastError;
  told.last = undefined;
  return error;
}

/** `tools.refuse`: ends the moment, and the attempt with this error. */
export function refuse(error: HoldfastError): never {
  told.thrown.add(error);
  throw error;
}

/** Told apart from a user's function that threw, also when that threw the refusal of another call. */
export function isRefusal(error: unknown): boolean {
  return told.thrown.has(error as HoldfastError) && !hasStory(error as HoldfastError);
}
