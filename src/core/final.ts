// Verdicts of the machine itself: nothing goes on after them.
import type { Verdict } from "./verdict.ts";

const final = { retry: false, fallBack: false } as const;

/** A user's function threw: it ends the call with its error, and is nobody's failure. */
export const FAULT: Verdict = Object.freeze({ kind: "bug", counts: false, ...final });
export const CANCELLED: Verdict = Object.freeze({ kind: "cancelled", counts: false, ...final });
/** A limit of time outside the attempt came to its end, and the attempt had at least half of it. */
export const OVERDUE: Verdict = Object.freeze({ kind: "timeout", counts: true, ...final });
/** The same for an attempt that had less: it says nothing about what was called. */
export const OVERDUE_EARLY: Verdict = Object.freeze({ kind: "timeout", counts: false, ...final });

/** Carries what a user's function threw out of a recovery, past everything that would take it for a failure of the call; an error, because p-retry replaces what is none. */
export class Fault extends Error {
  readonly error: unknown;
  constructor(error: unknown) {
    super();
    this.error = error;
  }
}

/** Asks a user's function from within a recovery. */
export async function asked<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new Fault(error);
  }
}
