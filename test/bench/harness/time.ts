// Nanoseconds a call: every round runs every case, in an order of its own, so that what disturbs the machine disturbs all
// alike. Processor time of the thread that makes the calls: what else the machine does in between is not the case's.

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
  /** Each case runs so long in each round, so that garbage is collected in the time of the case that made it. */
  readonly slotMs: number;
}

/** `between` runs before each case; then the loop turns once, so that no case pays for the timers of the one before. */
export async function time(
  cases: readonly Case[],
  effort: Effort,
  between: () => void,
): Promise<ReadonlyMap<string, Timing>> {
  const samples = new Map(cases.map(({ name }) => [name, [] as number[]]));
  if (samples.size < cases.length) throw new Error("two cases have one name");
  const calls = new Map<string, number>();
  for (let round = -effort.warmup; round < effort.rounds; round++) {
    for (const { name, run, during } of shuffled(cases)) {
      between();
      await new Promise(setImmediate);
      const count = calls.get(name) ?? 500;
      const end = during?.();
      const begin = spentUs();
      for (let call = 0; call < count; call++) await run();
      const ns = ((spentUs() - begin) * 1000) / count;
      end?.();
      if (round >= 0) samples.get(name)!.push(ns);
      else calls.set(name, fitting(count, ns, effort.slotMs));
    }
  }
  return new Map([...samples].map(([name, ns]) => [name, timing(ns)]));
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Of this thread so far. The system adds it up every few ms, and whenever the thread lets go of the processor: so it does. */
function spentUs(): number {
  Atomics.wait(cell, 0, 0, 0.05);
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Calls that fill a slot, as far as so few can tell. */
function fitting(count: number, ns: number, slotMs: number): number {
  return Math.max(100, Math.min(count * 20, Math.round((slotMs * 1e6) / ns)));
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

/** How far the rounds lie apart: on an idle machine a tenth or less. */
export const unsteadiness = ({ median, low, high }: Timing) => (high - low) / median;

function timing(samples: readonly number[]): Timing {
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
