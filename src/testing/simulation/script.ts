// What a simulation does, as data: who calls when, and how what is called behaves.
import type { FailureName } from "./failures.ts";

/** How a simulated service behaves in one run of it. */
export interface Behaviour {
  /** `value`: what it gives when well; `lie`: what looks like an answer and is none; `nothing`: it hangs; else it fails so. */
  readonly gives: "value" | "lie" | "nothing" | FailureName;
  /** Ms until then; by default it answers at once, without a turn of the clock. */
  readonly after?: number | undefined;
  /** It goes on whatever its signal says, and so may answer late; else it ends with the signal's reason. */
  readonly deaf?: true | undefined;
}

/** One caller, and how whatever is called for him behaves. */
export interface Caller {
  /** When he calls: ms from the beginning. */
  readonly at: number;
  /** Which of several calls, by its index; 0. */
  readonly to?: number | undefined;
  /** His own deadline, in ms from then. */
  readonly deadline?: number | undefined;
  /** When he goes away: ms from then; `before`: he had gone already; `inside`: as the operation is called; `never`: he could. */
  readonly abort?: number | "before" | "inside" | "never" | undefined;
  /** His signal is the one of all who share it. */
  readonly shares?: true | undefined;
  /** He has an idempotency key. */
  readonly key?: true | undefined;
  /** What of a cache is good enough for him. */
  readonly accept?: "fresh" | "uncached" | undefined;
  /** How much it matters to him. */
  readonly criticality?: "critical" | "sheddable" | undefined;
  /** Of the services, run by run, whichever it is; the last one again and again; without any: well, and at once. */
  readonly meets: readonly Behaviour[];
}

export type Script = readonly Caller[];
