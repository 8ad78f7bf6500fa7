// Leaves alone what fails too often, and tries it again with care.

import { z } from "zod";
import { durationSchema, spanSchema } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Duration, Wrapper, WrapperFor } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import type { Outcome, Verdict } from "../core/verdict.ts";
import { functionSchema } from "../core/wanted.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import { CircuitBracket, KeyedBracket } from "./breaker/bracket.ts";
import { Circuit } from "./breaker/circuit.ts";
import { handled, stateOf } from "./breaker/handle.ts";
import { Circuits } from "./breaker/keys.ts";
import { type Settings, settingsOf } from "./breaker/settings.ts";

export interface BreakerOptions<I = never> {
  /** Opens at this share of failures among the counted outcomes of the window, 0–1; default 0.5. */
  failureRate?: number | undefined;
  /** Opens at this share of slow calls, 0–1, whatever they gave; by default slowness is not judged. */
  slowCallRate?: number | undefined;
  /** What takes longer is slow. */
  slowCallDuration?: Duration | undefined;
  /** Opens at so many failures in a row; in place of the failure rate, unless both are written. */
  consecutiveFailures?: number | undefined;
  /** What is older does not count; default 10 s. */
  window?: Duration | undefined;
  /** Fewer in the window say nothing by their rate; default 10. */
  minimumCalls?: number | undefined;
  /** How long it stays open, doubled with every probe that fails; default 5 s. */
  breakTime?: Duration | undefined;
  /** No break is longer, neither a grown one nor one that the other side asked for; default 1 min, or `breakTime` if that is longer. */
  maxBreakTime?: Duration | undefined;
  /** So many probes at a time when the break is over; all must succeed to close it; default 1. */
  halfOpenCalls?: number | undefined;
  /** After closing, a growing share of the calls is let through for so long; default 0: all at once. */
  ramp?: Duration | undefined;
  /** `observe` counts and tells and refuses nobody; `off` does nothing; default `enforce`. */
  mode?: "enforce" | "observe" | "off" | undefined;
  /** Whether this counts as a failure, in place of the verdict. What it says no to counts as a success only without a verdict. */
  when?: ((outcome: Outcome<unknown>, verdict: Verdict | undefined) => boolean) | undefined;
  /** A circuit of its own for each key, of the 1000 keys seen last. */
  key?: ((input: I) => string) | undefined;
}

/** Leave to do one thing that is not one promise. */
export interface Permit {
  /** How it went; only the first time counts. */
  done(outcome: Outcome<unknown>): void;
}

export interface BreakerState {
  readonly state: "closed" | "open" | "halfOpen" | "isolated";
  /** Epoch ms. */
  readonly since: number;
  /** 0: a probe may come. */
  readonly nextProbeMs?: number | undefined;
  /** In the window; unless it is closed, when it opened. */
  readonly calls: number;
  readonly failures: number;
}

export interface Breaker extends Wrapper {
  readonly kind: "breaker";
  readonly state: BreakerState;
  /** Leave for something that is not one promise, such as a stream; `undefined` while it is open. */
  acquire(): Permit | undefined;
  /** Opens it until the undo is called, of all who isolated it, or `close()`. */
  isolate(): () => void;
  /** Closes it, whatever it was; nothing is counted yet. */
  close(): void;
  /** Its state as text. */
  save(): string;
  /** Goes on from a saved state: an open one breaks for the rest of its time. @throws OptionsInvalidError for another text */
  restore(saved: string): void;
}

export interface KeyedBreaker<I> extends WrapperFor<I> {
  readonly kind: "breaker";
  /** That key's own breaker. */
  of(key: string): Breaker;
}

const rate = z.custom<number>((given) => typeof given === "number" && given > 0 && given <= 1, {
  error: "a number more than 0, at most 1",
});
const count = z.custom<number>((given) => Number.isSafeInteger(given) && (given as number) >= 1, {
  error: "a whole number, at least 1",
});

export const breakerSchema = z
  .strictObject({
    failureRate: rate.optional(),
    slowCallRate: rate.optional(),
    slowCallDuration: spanSchema.optional(),
    consecutiveFailures: count.optional(),
    window: spanSchema.optional(),
    minimumCalls: count.optional(),
    breakTime: spanSchema.optional(),
    maxBreakTime: spanSchema.optional(),
    halfOpenCalls: count.optional(),
    ramp: durationSchema.optional(),
    mode: z.enum(["enforce", "observe", "off"], { error: '"enforce", "observe" or "off"' }).optional(),
    when: functionSchema<NonNullable<BreakerOptions["when"]>>().optional(),
    key: functionSchema<(input: never) => string>().optional(),
  })
  .superRefine((given, context) => {
    const { slowCallRate, slowCallDuration, breakTime, maxBreakTime } = given;
    const complain = (path: keyof typeof given, message: string) =>
      context.addIssue({ code: "custom", path: [path], message, input: given[path] });
    if (slowCallRate === undefined && slowCallDuration !== undefined)
      complain("slowCallRate", "a rate: slowCallDuration says nothing without it");
    if (slowCallRate !== undefined && slowCallDuration === undefined)
      complain("slowCallDuration", "a duration: slowCallRate says nothing without it");
    if (breakTime !== undefined && maxBreakTime !== undefined && maxBreakTime < breakTime)
      complain("maxBreakTime", "at least breakTime");
  });

/**
 * Refuses calls at once, with a `BreakerOpenError`, to what has failed too often of late; after a break a few may try,
 * and when they succeed all may again. State belongs to the wrapper: what it is laid round shares one circuit.
 * Timed-out attempts, network errors, 5xx and bugs count; what was cancelled, refused, 4xx or 429 does not.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const circuit = breaker({ consecutiveFailures: 1, breakTime: "30s" });
 * const ask = circuit(async () => Promise.reject(new Error("down")));
 * await ask().catch(() => {});
 * const { state, nextProbeMs } = circuit.state;
 * console.log(state, nextProbeMs); // → open …
 * @see Michael Nygard, Release It!, 2007
 */
export function breaker(options?: BreakerOptions & { key?: undefined }, seams?: Partial<Seams>): Breaker;
export function breaker<I>(
  options: BreakerOptions<I> & { key: (input: I) => string },
  seams?: Partial<Seams>,
): KeyedBreaker<I>;
export function breaker(options: BreakerOptions = {}, seams?: Partial<Seams>): Wrapper {
  const live = new LiveOptions(settingsIn, options);
  return live.now.key === undefined ? oneForAll(live, seams) : oneForEachKey(live, seams);
}

/** Apart from the other: what closures share is held by each of them, and of breakers there may be thousands. */
function oneForAll(live: LiveOptions<Settings>, seams: Partial<Seams> | undefined): Wrapper {
  const circuit = new Circuit(live.now, liveSeams(seams), undefined);
  const layer = new CircuitLayer(new CircuitBracket(circuit));
  live.changedBy(layer);
  return handled(wrapperOf(new LiveSpec("breaker", live, layer), seams), circuit);
}

/** A class, as of breakers there may be thousands. */
class CircuitLayer {
  readonly bracket: CircuitBracket;

  constructor(bracket: CircuitBracket) {
    this.bracket = bracket;
  }

  state(): unknown {
    return stateOf(this.bracket.circuit);
  }

  change(next: Settings): () => void {
    if (next.key === undefined) return () => this.bracket.circuit.change(next);
    const wanted = "nothing: whether there is a circuit for each key is said when the breaker is made";
    throw new OptionsInvalidError("breaker", [{ path: "key", got: next.key, wanted }]);
  }
}

function oneForEachKey(live: LiveOptions<Settings>, seams: Partial<Seams> | undefined): Wrapper {
  const laid = (bracket: KeyedBracket, state: () => unknown) =>
    wrapperOf(new LiveSpec("breaker", live, { bracket, state }), seams);
  const circuits = new Circuits(live.now, liveSeams(seams));
  live.changedBy({ change: (next) => () => circuits.change(next) });
  const keyOf = (input: unknown) => (circuits.settings.key as (input: unknown) => string)(input);
  const keyed = laid(
    new KeyedBracket(
      (input) => circuits.at(keyOf(input)),
      (input) => circuits.known(keyOf(input)),
    ),
    () => circuits.state(),
  );
  const of = (key: string) => {
    const circuit = () => circuits.at(key).circuit;
    const bracket = new KeyedBracket(
      () => circuits.at(key),
      () => circuits.known(key),
    );
    return handled(
      laid(bracket, () => stateOf(circuit())),
      circuit,
    );
  };
  return Object.defineProperties(keyed, { of: { value: of, enumerable: true } });
}

function settingsIn(written: unknown): Settings {
  return settingsOf(parseOptions("breaker", breakerSchema, written));
}
