// Calls that hang: what each holds of the heap, and what a crowd on one signal does to the next.
import { handleAll, retry, TimeoutStrategy, timeout, wrap } from "cockatiel";
import pRetry from "p-retry";
import type { MemoryCase } from "../harness/memory.ts";
import type { SignalCase } from "../harness/starts.ts";
import type { Library } from "../library.ts";
import { cockatielStack, engines, opossum } from "./peers.ts";
import { three } from "./stacks.ts";

export const cockatielPending = "cockatiel, one stack for all";
export const signalEach = (name: string) => `${name}, a signal each`;

type Hang = () => Promise<number>;
const minute = 60_000;
const patient = { ...three, timeout: minute };

export function memory(library: Library): MemoryCase[] {
  const { protect } = library;
  return [
    { name: "bare operation", make: (hang) => hang },
    {
      name: "cockatiel retry + timeout, built for each call",
      make: (hang) => () => cockatielOfOneCall().execute(hang),
    },
    { name: cockatielPending, make: (hang) => unsigned(byCockatiel(hang)) },
    { name: signalEach(cockatielPending), make: (hang) => signed(byCockatiel(hang)) },
    { name: engines, make: (hang) => unsigned(byEngines(hang)) },
    { name: signalEach(engines), make: (hang) => signed(byEngines(hang)) },
    { name: "holdfast pipe", make: (hang) => unsigned(byPipe(library, hang)) },
    { name: "holdfast protect", make: (hang) => unsigned(byProtect(library, hang)) },
    {
      name: "holdfast protect + deadline",
      make: (hang) => {
        const call = protect("bench", hang, { ...patient, deadline: minute });
        return () => call();
      },
    },
    {
      name: "holdfast protect, one signal for all",
      make: (hang) => {
        const call = byProtect(library, hang);
        const { signal } = new AbortController();
        return () => call(signal);
      },
    },
    { name: signalEach("holdfast pipe"), make: (hang) => signed(byPipe(library, hang)) },
    { name: signalEach("holdfast protect"), make: (hang) => signed(byProtect(library, hang)) },
  ];
}

export function signals(library: Library): SignalCase[] {
  return [
    { name: "cockatiel", make: byCockatiel },
    { name: engines, make: byEngines },
    { name: "holdfast pipe", make: (hang) => byPipe(library, hang) },
    { name: "holdfast protect", make: (hang) => byProtect(library, hang) },
  ];
}

type Start = (signal?: AbortSignal) => Promise<unknown>;

function byCockatiel(hang: Hang): Start {
  const stack = cockatielStack(minute);
  return (signal) => stack.execute(hang, signal);
}

function cockatielOfOneCall() {
  return wrap(retry(handleAll, { maxAttempts: 3 }), timeout(minute, TimeoutStrategy.Aggressive));
}

function byEngines(hang: Hang): Start {
  const circuit = opossum(hang, minute);
  return (signal) => pRetry(() => circuit.fire(), signal ? { retries: 3, signal } : { retries: 3 });
}

function byPipe({ breaker, pipe, retry, timeout }: Library, hang: Hang): Start {
  const call = pipe(hang, timeout(minute), breaker(), retry({ attempts: 4 }));
  return (signal) => call(undefined, signal && { signal });
}

function byProtect({ protect }: Library, hang: Hang): Start {
  const call = protect("bench", hang, patient);
  return (signal) => call(undefined, signal && { signal });
}

const unsigned = (start: Start) => () => start();

/** The callers hold on to their controllers, as callers do. */
function signed(start: Start) {
  const controllers: AbortController[] = [];
  return () => {
    const controller = new AbortController();
    controllers.push(controller);
    return start(controller.signal);
  };
}
