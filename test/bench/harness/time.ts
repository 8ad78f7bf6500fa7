// Nanoseconds a call: every round runs every case, in an order of its own, so that what disturbs the machine disturbs all alike.

export interface Case {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Holds while the case is timed, such as a listener; gives what ends it. */
  readonly during?: (() => () => void) | undefined;
}

/** Cases that one table shows, each as a multiple of one of them. */
export interface Group {
  readonly title: string;
  readonly says: string;
  readonly reference: string;
  readonly short: string; // of the reference, for the head of a column
  readonly cases: readonly Case[];
}

export interface Timing {
  readonly median: number;
  readonly low: number; // the middle half of the rounds
  readonly high: number;
}

export interface Effort {
  readonly rounds: number;
  readonly warmup: number;
  readonly calls: number;
}

/** `between` runs before each case; then the loop turns once, so that no case pays for the timers of the one before. */
export async function time(
  cases: readonly Case[],
  effort: Effort,
  between: () => void,
): Promise<ReadonlyMap<string, Timing>> {
  const samples = new Map(cases.map(({ name }) => [name, [] as number[]]));
  if (samples.size < cases.length) throw new Error("two cases have one name");
  for (let round = -effort.warmup; round < effort.rounds; round++) {
    for (const { name, run, during } of shuffled(cases)) {
      between();
      await new Promise(setImmediate);
      const end = during?.();
      const begin = performance.now();
      for (let call = 0; call < effort.calls; call++) await run();
      const elapsedMs = performance.now() - begin;
      end?.();
      if (round >= 0) samples.get(name)!.push((elapsedMs * 1e6) / effort.calls);
    }
  }
  return new Map([...samples].map(([name, ns]) => [name, timing(ns)]));
}

/** The case that is to fail: an error is its success. */
export function rejects(call: () => Promise<unknown>): () => Promise<void> {
  return async () => {
    try {
      await call();
    } catch {
      return;
    }
    throw new Error("a case that was to reject has resolved");
  };
}

export function timing(samples: readonly number[]): Timing {
  return { median: quantile(samples, 0.5), low: quantile(samples, 0.25), high: quantile(samples, 0.75) };
}

export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
