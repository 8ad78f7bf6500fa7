// Verdicts of the machine itself: nothing goes on after them. Known by what they are, in the layers of another copy too.
import { field } from "./shapes.ts";
import { shared } from "./shared.ts";
import { thrownBy } from "./source.ts";
import type { Verdict } from "./verdict.ts";

/** A user's function threw: it ends the call with its error, and is nobody's failure. */
export const FAULT = final("bug", false);
export const CANCELLED = final("cancelled", false);
/** A limit of time outside the attempt came to its end, and the attempt had at least half of it. */
export const OVERDUE = final("timeout", true);
/** The same for an attempt that had less: it says nothing about what was called. */
export const OVERDUE_EARLY = final("timeout", false);

function final(kind: Verdict["kind"], counts: boolean): Verdict {
  return shared(`${kind}, ${counts ? "counted" : "final"}`, () =>
    Object.freeze({ kind, counts, retry: false, fallBack: false }),
  );
}

const FAULT_IN: unique symbol = Symbol.for("holdfast/1/fault") as never;

/** Carries what a user's function threw out of a recovery, past everything that would take it for a failure of the call; an error, because p-retry replaces what is none. */
export class Fault extends Error {
  readonly error: unknown;
  readonly [FAULT_IN] = true;
  constructor(error: unknown) {
    super();
    this.error = error;
  }
  static is(error: unknown): error is Fault {
    return field(error, FAULT_IN) === true;
  }
}

/** Asks a user's function from within a recovery; `path`: where it stands in the declaration. */
export async function asked<T>(ask: () => T | Promise<T>, path: string, whose: unknown): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    thrownBy(error, path, whose);
    throw new Fault(error);
  }
}

/** The same for what answers at once. */
export function askedNow<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new Fault(error);
  }
}
