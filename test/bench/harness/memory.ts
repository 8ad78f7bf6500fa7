// Bytes of heap that a call holds while it is pending.
import { quantile } from "./time.ts";

export interface MemoryCase {
  readonly name: string;
  /** Builds the stack round an operation that hangs, and gives what starts one call. */
  readonly make: (hang: () => Promise<number>) => () => Promise<unknown>;
}

export async function bytes(cases: readonly MemoryCase[], rounds: number): Promise<ReadonlyMap<string, number>> {
  const samples = new Map(cases.map(({ name }) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, make } of cases) {
      const each = await pending(make, 10_000);
      if (round >= 0) samples.get(name)!.push(each);
    }
  }
  return new Map([...samples].map(([name, each]) => [name, quantile(each, 0.5)]));
}

async function pending(make: MemoryCase["make"], count: number): Promise<number> {
  const release: Array<(value: number) => void> = new Array(count);
  const results: Array<Promise<unknown>> = new Array(count);
  let begun = 0;
  const start = make(
    () =>
      new Promise((resolve) => {
        release[begun++] = resolve;
      }),
  );
  const before = await heap();
  for (let i = 0; i < count; i++) results[i] = start();
  const after = await heap();
  if (begun !== count) throw new Error(`${begun} of ${count} operations had begun`);
  for (const resolve of release) resolve(1);
  await Promise.all(results);
  return (after - before) / count;
}

async function heap(): Promise<number> {
  if (!globalThis.gc) throw new Error("run with --expose-gc");
  globalThis.gc();
  await new Promise(setImmediate);
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
