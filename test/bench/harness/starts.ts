// What one more start costs when 10 calls, and when 10,000, are pending on the caller's signal.
import { quantile } from "./time.ts";

export interface SignalCase {
  readonly name: string;
  /** Builds the stack round an operation that hangs, and gives what starts one call under a signal. */
  readonly make: (hang: () => Promise<number>) => (signal: AbortSignal) => Promise<unknown>;
}

export interface Starts {
  readonly few: number; // ns a start
  readonly many: number;
}

export async function starts(cases: readonly SignalCase[], rounds: number): Promise<ReadonlyMap<string, Starts>> {
  const results = new Map<string, Starts>();
  for (const { name, make } of cases) results.set(name, await measure(make, rounds));
  return results;
}

const batch = 10;

async function measure(make: SignalCase["make"], rounds: number): Promise<Starts> {
  const release: Array<(value: number) => void> = [];
  const start = make(() => new Promise((resolve) => release.push(resolve)));
  const begin = (signal: AbortSignal, count: number) => Array.from({ length: count }, () => start(signal));
  const busy = new AbortController().signal;
  const crowd = begin(busy, 10_000);
  const few: number[] = [];
  const many: number[] = [];
  for (let round = -rounds; round < rounds; round++) {
    const quiet = new AbortController().signal; // as many are pending in the process, ten of them on this signal
    const own = begin(quiet, batch);
    for (const [signal, samples] of round % 2
      ? ([
          [quiet, few],
          [busy, many],
        ] as const)
      : ([
          [busy, many],
          [quiet, few],
        ] as const)) {
      const from = performance.now();
      const started = begin(signal, batch);
      const ns = ((performance.now() - from) * 1e6) / batch;
      if (round >= 0) samples.push(ns);
      own.push(...started);
    }
    await new Promise(setImmediate);
    for (const resolve of release.splice(10_000)) resolve(1);
    await Promise.all(own);
  }
  for (const resolve of release) resolve(1);
  await Promise.all(crowd);
  return { few: quantile(few, 0.5), many: quantile(many, 0.5) };
}
