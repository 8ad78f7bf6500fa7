// A protected function is data: an operation, and the layers round it. Put together when wrappers are applied, not when a call runs.
import type { AttemptRecord } from "./attempt.ts";
import type { Budget } from "./budget.ts";
import type { Attempt, Bracket, Layer, Recovery } from "./layer.ts";
import type { Criticality, Operation } from "./operation.ts";
import type { LiveOptions } from "./options.ts";
import type { CallRecord } from "./record.ts";
import type { Room } from "./room.ts";
import type { LiveSeams } from "./seams.ts";
import type { Classify, Outcome, Verdict } from "./verdict.ts";

/** A limit of time: `attempt` ends one attempt, `call` the whole of what is inside. */
export interface Limit {
  readonly limit: "attempt" | "call";
  /** As it is now: whoever begins to count reads it. */
  ms: number;
}

/** A recovery of our own: may ask to hear successes too, and tell retry when another way is ready. */
export interface InnerRecovery extends Recovery {
  hearsSuccess?: boolean | undefined;
  /** It notes the failure itself, where it goes on: what is refused in volume need not pay for a story that nobody reads. */
  readonly notesFailures?: true;
  recover(
    attempt: Attempt,
    outcome: Outcome<unknown>,
    verdict: Verdict | undefined,
    again: (options?: { delayMs?: number | undefined }) => Promise<unknown>,
  ): Promise<unknown> | undefined;
  /** The other ways, where they are known beforehand. */
  readonly tiers?: readonly Segment[];
  /** Ms until another way would be taken; `Infinity` where there is none. */
  elsewhere?(attempt: Attempt): number;
}

/** A bracket of our own that is a limit on how much runs at once. */
export interface LimitingBracket extends Bracket {
  readonly room?: Room;
}

/** A layer of our own that may have the answer already; else calls share what it begins inside it. */
export interface Sharing {
  /** `instead(answer)` where it has one. */
  before(attempt: Attempt): unknown;
  load(attempt: AttemptRecord, inside: Stack): Promise<unknown>;
  /** Throws where nothing can be asked by what this schema gives. */
  fits(schema: unknown, name: string): void;
  /** Whether it would answer by itself, for a call from this attempt. */
  has(input: unknown, asking: AttemptRecord | undefined): boolean;
  /** What it would serve if the operation failed now. */
  stale?(attempt: AttemptRecord): { readonly value: unknown; readonly ageMs: number } | undefined;
}

/** A layer of our own that runs what is inside it, and other things beside it. */
export interface Beside {
  /** `top`: of the segment's layers those inside it. */
  run(attempt: AttemptRecord, top: number): Promise<unknown>;
}

/** A layer of our own that may run what is inside it again, beside the attempt itself, which is the first run. */
export interface Hedging {
  /** So many runs beside the first at most, now. */
  readonly extra: number;
  /** Other operations than that inside, of which a run may ask one. */
  readonly targets: ReadonlyArray<Operation<never, unknown>>;
  /** The first begins; `at`: the layer's index; `targets`: each with what stands round it too. */
  begin(first: AttemptRecord, at: number, targets: readonly Segment[]): void;
  /** Those under way, by their call, where somebody may want another run sooner. */
  hurried?: WeakMap<CallRecord, { hurry(): void }> | undefined;
}

/** What a wrapper adds to a stack. */
export interface LayerSpec {
  readonly kind: string;
  readonly options: object;
  readonly layer: (
    | Layer
    | Limit
    | { readonly sharing: Sharing }
    | { readonly beside: Beside }
    | { readonly hedging: Hedging }
  ) & {
    readonly state?: (() => unknown) | undefined;
  };
  /** Where the options can be changed while it runs. */
  readonly live?: LiveOptions | undefined;
  /** A user's own: what its moments give may be any thenable. */
  readonly foreign?: true | undefined;
  /** Of the input that it gives on. */
  readonly schema?: unknown;
  /** Whether it may show the input to somebody: keeps what it refuses for a person, or has checks, which may be judges. */
  readonly keeps?: boolean;
}

/** Of one recovery, or of several together. */
export interface Hearing {
  readonly hearsSuccess?: boolean | undefined;
}

/** A layer as the machine runs it: every moment at its place, so that one shape serves all. */
export interface FusedLayer {
  readonly kind: string;
  readonly spec: LayerSpec | undefined;
  readonly timeout: Limit | undefined;
  readonly before: ((attempt: Attempt) => unknown) | undefined;
  readonly started: ((attempt: Attempt) => void) | undefined;
  readonly after: ((attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined) => void) | undefined;
  readonly judge: ((attempt: Attempt, value: unknown) => unknown) | undefined;
  readonly ended: ((attempt: Attempt) => void) | undefined;
  readonly ready: ((input: unknown, asking: AttemptRecord | undefined) => number) | undefined;
  readonly recover: InnerRecovery["recover"] | undefined;
  /** Whether it hears successes too, now. */
  readonly hearing: Hearing | undefined;
  readonly elsewhere: ((attempt: Attempt) => number) | undefined;
  readonly around: Operation<unknown, unknown> | undefined;
  /** Where it is a limit on how much runs at once. */
  readonly room: Room | undefined;
  /** What is begun in the place of all that is inside it; given the attempt itself, which needs no context for it. */
  readonly load: ((attempt: AttemptRecord) => Promise<unknown>) | undefined;
}

/** An operation and what is laid round it; a tier of a fallback is one too. */
export interface Segment {
  readonly operation: Operation<unknown, unknown>;
  /** Innermost first. */
  readonly layers: readonly FusedLayer[];
  /** For each layer, the innermost time-out from it on outwards: the attempt's, where its operation stands there. */
  readonly limits: readonly ({ readonly at: number; readonly limit: Limit } | undefined)[];
  /** Whether a layer has a `started` moment. */
  readonly starts: boolean;
  /** Of the recoveries that may hear successes. */
  readonly hearing: Hearing | undefined;
  /** Layers that may keep what they refuse for a person. */
  readonly keepers: readonly LayerSpec[];
  /** Index of the outermost recovery, -1 without: what a layer inside it does to the input is undone for the next attempt. */
  readonly lastRecovery: number;
  readonly tier: number;
  readonly tierName: string;
}

/** What a declaration says of the call as a whole. */
export interface Traits {
  readonly name: string;
  readonly component: string;
  readonly seams: LiveSeams;
  /** Made by `protect`: a call of its own, whoever wraps it. */
  readonly declared: boolean;
  readonly classify: Classify | undefined;
  readonly idempotent: boolean;
  readonly criticality: Criticality | undefined;
  readonly discard: ((value: unknown) => unknown) | undefined;
  /** Whether there is a gate: a value that tells of a failure is then never delivered. */
  readonly gated: boolean;
  /** What its retries and hedges spend from, where they have none of their own. */
  readonly budget: Budget | undefined;
  /** The layers that belong to its component, not to it alone. */
  readonly owned: readonly LayerSpec[];
}

export interface Stack extends Segment, Traits {
  readonly specs: readonly LayerSpec[];
  readonly deadline: Limit | undefined;
  /** Whether anything may go on after a failed attempt. */
  readonly recovers: boolean;
  /** Whether a layer, of a tier too, waits for true ends. */
  readonly ends: boolean;
  /** What stands inside a layer that lets calls share it: the operation of the layers here. */
  readonly inside: Stack | undefined;
}

/** The operation itself, inside all that is laid round it. */
export function operationOf({ inside, operation }: Stack): Operation<unknown, unknown> {
  return inside === undefined ? operation : operationOf(inside);
}

/** Where a protected function keeps its stack. */
export const STACK: unique symbol = Symbol.for("holdfast/1/stack") as never;

export function stackOf(operation: unknown): Stack | undefined {
  return typeof operation === "function" ? (operation as { readonly [STACK]?: Stack })[STACK] : undefined;
}

/** Ms until a protected function would admit this input, from this attempt; 0 for a bare one. */
export function readyIn(operation: unknown, input: unknown, asking?: AttemptRecord): number {
  const stack = stackOf(operation);
  return stack === undefined ? 0 : readyThrough(stack.layers, stack.layers.length, input, asking);
}

/** Ms until the innermost `top` of these layers would all admit this input, taking nothing. */
export function readyThrough(
  layers: readonly FusedLayer[],
  top: number,
  input: unknown,
  asking: AttemptRecord | undefined,
): number {
  let longest = 0;
  for (let i = 0; i < top; i++) {
    const ms = layers[i]?.ready?.(input, asking);
    if (ms !== undefined && ms > longest) longest = ms;
  }
  return longest;
}
