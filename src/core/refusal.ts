// How a layer says no.
import type { HoldfastError } from "./errors.ts";
import { shared } from "./shared.ts";
import { hasStory } from "./stories.ts";

/** What `before` and `started` of a layer of ours may return in place of throwing: a throw costs a microsecond, and refusals come in volume. */
export const REFUSED: unique symbol = Symbol.for("holdfast/1/refused") as never;
/** What a wait in `before` may come to where it changes no input: an input that is a thenable must not be waited for. */
export const ADMITTED: unique symbol = Symbol.for("holdfast/1/admitted") as never;
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
  throw asRefusal(error);
}

/** For what rejects in place of throwing. */
export function asRefusal<E extends HoldfastError>(error: E): E {
  told.thrown.add(error);
  return error;
}

/** Told apart from a user's function that threw, also when that threw the refusal of another call. */
export function isRefusal(error: unknown): boolean {
  return told.thrown.has(error as HoldfastError) && !hasStory(error as HoldfastError);
}
