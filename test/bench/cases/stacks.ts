// The same three layers by holdfast, and what a caller or a declaration adds to them.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

const ok = async () => 1;

/** Retry, breaker and timeout, as the peers have them: four tries, one second. */
export const three = { timeout: 1000, breaker: {}, retry: { attempts: 4 } } as const;

export function byPipe(library: Library) {
  return library.pipe(ok, library.timeout(1000), library.breaker(), library.retry({ attempts: 4 }));
}

export function stacks(library: Library): Case[] {
  const piped = byPipe(library);
  const declared = library.protect("bench", ok, three);
  const within = library.protect("bench", ok, { ...three, deadline: 30_000 });
  const told = library.settled(declared);
  const shared = { signal: new AbortController().signal };
  return [
    { name: "holdfast pipe", run: () => piped() },
    { name: "holdfast protect", run: () => declared() },
    { name: "holdfast protect + deadline", run: () => within() },
    { name: "holdfast pipe, signal", run: () => piped(undefined, shared) },
    { name: "holdfast protect, signal", run: () => declared(undefined, shared) },
    {
      name: "holdfast protect, a new signal each",
      run: () => declared(undefined, { signal: new AbortController().signal }),
    },
    { name: "holdfast settled(protect)", run: () => told() },
  ];
}
