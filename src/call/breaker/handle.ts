// A breaker in a person's hands, or in those of code that is no single promise.
import { classifyError, classifyValue } from "../../core/classify.ts";
import { behind, withHandle } from "../../core/handle.ts";
import type { Wrapper } from "../../core/operation.ts";
import type { Outcome } from "../../core/verdict.ts";
import type { Circuit } from "./circuit.ts";
import { hear, ignore } from "./hear.ts";
import { aboutOf, rampMs, tellRefused } from "./refusal.ts";
import { read, type Saved, write } from "./saved.ts";

/** One for all. */
const handle = {
  __proto__: Function.prototype,

  get state() {
    return stateOf(circuitOf(this));
  },
  get acquire() {
    return () => {
      const circuit = circuitOf(this);
      return circuit.isOff ? idlePermit : acquire(circuit);
    };
  },
  get isolate() {
    return (): (() => void) => {
      const circuit = circuitOf(this);
      return circuit.isOff ? () => {} : circuit.isolate(aboutOf(circuit));
    };
  },
  get close() {
    return (): void => {
      const circuit = circuitOf(this);
      circuit.close(aboutOf(circuit));
    };
  },
  get save() {
    return (): string => write(savedOf(circuitOf(this)));
  },
  get restore() {
    return (saved: string): void => {
      const given = read(saved);
      const circuit = circuitOf(this);
      const about = aboutOf(circuit);
      if (circuit.isOff) return;
      if (given.state === "open") circuit.resume(given, about);
      else if (given.state === "closed") circuit.close(about);
      else circuit.isolate(about);
    };
  },
};

/** The circuit of a key is looked for at each use. */
export function handled(wrapper: Wrapper, circuit: Circuit | (() => Circuit)): Wrapper & typeof handle {
  return withHandle(wrapper, circuit, handle);
}

function circuitOf(breaker: object): Circuit {
  const kept = behind<Circuit | (() => Circuit)>(breaker);
  const circuit = typeof kept === "function" ? kept() : kept;
  circuit.refresh();
  return circuit;
}

export function stateOf(circuit: Circuit) {
  const { isolated, phase, totals } = circuit;
  const { calls, failures } = totals;
  if (isolated !== undefined) return { state: "isolated", since: isolated.at, calls, failures } as const;
  if (phase.is === "closed") return { state: "closed", since: phase.since, calls, failures } as const;
  const nextProbeMs = Math.ceil(circuit.waitMs());
  const { at, ms } = phase.broken;
  // over is over, also while no call has come to notice
  if (phase.is === "open" && nextProbeMs > 0)
    return { state: "open", since: at, nextProbeMs, calls, failures } as const;
  return { state: "halfOpen", since: at + ms, nextProbeMs, calls, failures } as const;
}

function savedOf({ isolated, phase }: Circuit): Saved {
  if (isolated !== undefined) return { version: 1, state: "isolated" };
  if (phase.is === "closed") return { version: 1, state: "closed" };
  const { at, ms, why, failedProbes } = phase.broken;
  return { version: 1, state: "open", at, ms, why, failedProbes };
}

const idlePermit = { done(): void {} };

function acquire(circuit: Circuit) {
  const about = aboutOf(circuit);
  const permit = { done: settle };
  const waitMs = circuit.enter(permit, about) || rampMs(circuit);
  if (waitMs > 0 && tellRefused(circuit, waitMs, about)) return undefined;
  const { era } = circuit;
  const { clock } = circuit.seams;
  const startedAt = clock.monotonic();
  let done = false;
  return permit;

  function settle(outcome: Outcome<unknown>): void {
    const verdict = outcome.ok ? classifyValue(outcome.value, clock.now()) : classifyError(outcome.error, clock.now());
    if (done) return;
    done = true;
    circuit.refresh();
    const held = circuit.giveBack(permit);
    if (circuit.isOff) return;
    if (!held && era !== circuit.era) return ignore(circuit, verdict, about);
    hear(circuit, held, clock.monotonic() - startedAt, outcome, verdict, about);
  }
}
