// What an operation gets beside its input.
import type { CallContext, Cost, Criticality } from "./operation.ts";
import type { Failure } from "./verdict.ts";

/** Where a context keeps its attempt: an own property, so that a spread context still belongs to its call. */
export const ATTEMPT: unique symbol = Symbol.for("holdfast/1/attempt") as never;

/** What a context needs of the attempt it belongs to. */
export interface ContextSource {
  remainingMs(): number;
  spend(cost: Cost): void;
}

/** What a context repeats of its call. */
interface CallFacts {
  readonly name: string;
  readonly component: string;
  readonly id: string;
  readonly previous: readonly Failure[];
}

/** Data as own properties, so that a spread keeps it; the two functions as bound getters, so that they can be destructured. */
export class Context<A extends ContextSource> implements CallContext {
  readonly signal: AbortSignal;
  readonly name: string;
  readonly component: string;
  /** Not readonly: of a run that several share, whoever it is told of may leave before it is called. */
  call: string;
  readonly attempt: number;
  readonly tier: number;
  readonly previous: readonly Failure[];
  readonly [ATTEMPT]: A;
  // what few calls have; a context that has none of it is half as large
  deadlineAt?: number | undefined;
  criticality?: Criticality | undefined;
  idempotencyKey?: string | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  accept?: "any" | "fresh" | "uncached" | undefined;
  retry?: false | undefined;
  fallback?: false | undefined;

  constructor(owner: A, signal: AbortSignal, call: CallFacts, attempt: number, tier: number) {
    this.signal = signal;
    this.name = call.name;
    this.component = call.component;
    this.call = call.id;
    this.attempt = attempt;
    this.tier = tier;
    this.previous = call.previous;
    this[ATTEMPT] = owner;
  }

  get remainingMs(): () => number {
    const attempt = this[ATTEMPT];
    return () => attempt.remainingMs();
  }

  get cost(): (spent: Cost) => void {
    const attempt = this[ATTEMPT];
    return (spent) => attempt.spend(spent);
  }
}

/** The context of a call of which something was said, or which has a deadline. */
export class SaidContext<A extends ContextSource> extends Context<A> {
  constructor(
    owner: A,
    signal: AbortSignal,
    call: CallFacts,
    attempt: number,
    tier: number,
    deadlineAt: number | undefined,
    said: Said | undefined,
  ) {
    super(owner, signal, call, attempt, tier);
    this.deadlineAt = deadlineAt;
    this.criticality = said?.criticality;
    this.idempotencyKey = said?.idempotencyKey;
    this.labels = said?.labels;
    this.accept = said?.accept;
    this.retry = said?.retry;
    this.fallback = said?.fallback;
  }
}

/** What was said of one call that every context of it repeats. */
export type Said = Pick<CallContext, "criticality" | "idempotencyKey" | "labels" | "accept" | "retry" | "fallback">;
