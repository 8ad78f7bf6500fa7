// What has to be thought of each way to answer: written down once more by hand, and not asked of the library.
import { type FailureName, hintMs } from "../../src/testing/simulation/failures.ts";
import type { Behaviour } from "../../src/testing/simulation/script.ts";

export interface Judged {
  /** Again here. */
  readonly again: boolean;
  /** Against the health of the service. */
  readonly counts: boolean;
  /** The next tier. */
  readonly elsewhere: boolean;
  /** It may have acted on the request. */
  readonly received: boolean;
  /** So long it wants to be left alone, ms. */
  readonly hintMs?: number;
}

const failure: Judged = { again: true, counts: true, elsewhere: true, received: true };

const failed: Readonly<Record<FailureName, Judged>> = {
  refused: { ...failure, received: false },
  reset: failure,
  "500": failure,
  "503": failure,
  "503, try later": { ...failure, received: false, hintMs },
  "429": { ...failure, counts: false, received: false },
  "429, try later": { ...failure, counts: false, received: false, hintMs },
  "400": { ...failure, again: false, counts: false, elsewhere: false },
  "401": { ...failure, again: false, counts: false },
  bug: { ...failure, again: false },
  string: failure,
  "own abort": failure,
  throws: failure,
  "error as value": failure,
};

/** Of a time-out of one attempt. */
export const timedOut: Judged = failure;
/** Of the deadline of a call inside. */
export const overdue: Judged = { ...failure, again: false, elsewhere: false };
/** Of an answer that a gate does not let through. */
export const refusedOutput: Judged = { ...failure, counts: false };

/** `undefined`: it is a success, sound or not. */
export function judged(gives: Behaviour["gives"]): Judged | undefined {
  return gives === "value" || gives === "lie" || gives === "nothing" ? undefined : failed[gives];
}
