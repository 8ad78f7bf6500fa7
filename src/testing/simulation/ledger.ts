// What really happened in a simulation: written down by the callers and the services, not by what is tested.
import type { Settled } from "../../core/story.ts";
import type { Behaviour, Caller } from "./script.ts";

/** One call, as its caller knows it. */
export interface CallerLog {
  readonly no: number;
  readonly plan: Caller;
  /** He comes when all is over, to see whether it is as it was. */
  readonly probes: boolean;
  readonly input: unknown;
  /** By which he goes away; several may share one. */
  readonly hand: Hand;
  startedAt: number;
  /** When it has to be settled, monotonic ms; `Infinity`: whenever. */
  dueAt: number;
  /** When he went away, or another who shares his signal did. */
  abortedAt: number | undefined;
  abortedInStep: number | undefined;
  settledAt: number | undefined;
  settledInStep: number | undefined;
  settledTimes: number;
  result: Settled<unknown> | undefined;
  readonly runs: Run[];
}

/** A signal, and how many listeners are on it. */
export interface Hand {
  readonly controller: AbortController;
  listeners: number;
}

/** One run of a service, as the service knows it. */
export interface Run {
  readonly no: number;
  readonly service: string;
  readonly caller: CallerLog | undefined;
  readonly behaviour: Behaviour;
  readonly input: unknown;
  readonly startedAt: number;
  readonly startedInStep: number;
  /** What its context said, where it had one. */
  readonly told: Told | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether it may have acted on the request, by its own word; while it runs it may have. */
  received: boolean;
  abortedAt: number | undefined;
  abortedInStep: number | undefined;
  endedAt: number | undefined;
  endedInStep: number | undefined;
  ok: boolean | undefined;
  /** What it gave or threw. */
  gave: unknown;
}

export interface Told {
  readonly name: string;
  readonly call: string;
  readonly attempt: number;
  readonly tier: number;
  readonly previous: number;
  readonly idempotencyKey: string | undefined;
  readonly criticality: string | undefined;
}

/** A rule that does not hold. */
export interface Violation {
  /** Of the rule. */
  readonly rule: string;
  /** What it says must be so. */
  readonly says: string;
  /** What was so instead. */
  readonly what: string;
  /** Ms from the beginning. */
  readonly at: number;
}
