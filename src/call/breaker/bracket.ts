// The moments of an attempt, as a circuit takes part in them.
import { type AttemptRecord, SPARED } from "../../core/attempt.ts";
import type { Attempt, Bracket } from "../../core/layer.ts";
import type { FusedLayer } from "../../core/stack.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import type { Circuit } from "./circuit.ts";
import { callOf, hearAttempt } from "./hear.ts";
import { rampMs, refuse } from "./refusal.ts";

/** One circuit for all. */
export class CircuitBracket implements Bracket {
  readonly circuit: Circuit;

  constructor(circuit: Circuit) {
    this.circuit = circuit;
  }

  /** Refuses before anyone queues; takes nothing. */
  before(attempt: Attempt): unknown {
    const { circuit } = this;
    if (circuit.isCalm) return attempt.input;
    circuit.refresh();
    if (circuit.settings.mode !== "enforce") return attempt.input;
    const waitMs = circuit.waitMs(attempt.startedAt) || rampMs(circuit);
    return waitMs === 0 ? attempt.input : refuse(circuit, waitMs, callOf(attempt));
  }

  /** Admitted everywhere: takes the place of a probe; it may have opened since. */
  started(attempt: Attempt): unknown {
    const { circuit } = this;
    if (circuit.isCalm) return undefined;
    circuit.refresh();
    if (circuit.isOff) return undefined;
    const waitMs =
      circuit.enter(attempt, callOf(attempt)) || (circuit.settings.mode === "observe" ? rampMs(circuit) : 0);
    return waitMs === 0 ? undefined : refuse(circuit, waitMs, callOf(attempt));
  }

  after(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void {
    const { circuit } = this;
    if ((attempt as AttemptRecord).is(SPARED)) return;
    if (verdict === undefined && circuit.onlyCounts && circuit.isCalm && attempt.serial > circuit.since) {
      const { seams, settings } = circuit;
      const at = isBrief(attempt, settings.window / 10) ? attempt.startedAt : seams.clock.monotonic();
      circuit.countsAt(at).success(at);
    } else {
      circuit.refresh();
      hearAttempt(circuit, attempt, outcome, verdict);
    }
  }

  ready(_input?: unknown): number {
    const { circuit } = this;
    circuit.refresh();
    return circuit.settings.mode === "enforce" ? circuit.waitMs() : 0;
  }
}

/** A circuit for each key: the one that an attempt met is the one that hears of it, whatever becomes of its input. */
export class KeyedBracket implements Bracket {
  private readonly of: (input: unknown) => CircuitBracket;
  private readonly known: (input: unknown) => CircuitBracket | undefined;
  private readonly met = new WeakMap<Attempt, CircuitBracket>();

  constructor(of: (input: unknown) => CircuitBracket, known: (input: unknown) => CircuitBracket | undefined) {
    this.of = of;
    this.known = known;
  }

  before(attempt: Attempt): unknown {
    const bracket = this.of(attempt.input);
    this.met.set(attempt, bracket);
    return bracket.before(attempt);
  }

  started(attempt: Attempt): unknown {
    return this.met.get(attempt)?.started(attempt);
  }

  after(attempt: Attempt, outcome: Outcome<unknown>, verdict: Verdict | undefined): void {
    this.met.get(attempt)?.after(attempt, outcome, verdict);
  }

  ready(input: unknown): number {
    try {
      return this.known(input)?.ready() ?? 0;
    } catch {
      return 0; // an input that a layer in between has yet to put right may have no key
    }
  }
}

/**
 * Whether its time-out has it end no later than a slot of the window after its start. Its start is then good enough for
 * the window, and a look at the clock, the dearest thing here, is spared. A long call would be counted as long ago as it began.
 */
function isBrief(attempt: Attempt, slotMs: number): boolean {
  const { layers } = (attempt as AttemptRecord).segment;
  let brief = false;
  for (let i = 0; i < layers.length; i++) {
    const { around, load, timeout } = layers[i] as FusedLayer;
    if (around !== undefined || load !== undefined) return false; // what is inside it has a time of its own
    if (timeout !== undefined && timeout.ms <= slotMs) brief = true;
  }
  return brief;
}
