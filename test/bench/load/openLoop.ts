// Calls that come when they come, whether those before them are answered or not; latency counts from when a call was due.
import { quantile } from "../harness/time.ts";

export interface Load {
  readonly perSecond: number;
  readonly forMs: number;
  call(no: number): Promise<unknown>;
}

export interface Call {
  readonly no: number;
  /** Epoch ms. */
  readonly at: number;
  /** Ms until it was answered; of a failure `Infinity`. */
  readonly tookMs: number;
  readonly endedAt: number;
}

/** Arrivals as of many independent callers (Poisson), the same in each run. Gives all calls, when the last is answered. */
export async function openLoop({ perSecond, forMs, call }: Load): Promise<readonly Call[]> {
  const random = numbers();
  const begin = performance.now();
  const epoch = Date.now() - begin;
  const calls: Promise<Call>[] = [];
  for (let due = 0, no = 0; due < forMs; no++) {
    const ahead = begin + due - performance.now();
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    calls.push(one(call, no, begin + due, epoch));
    due += (-Math.log(1 - random()) * 1_000) / perSecond;
  }
  return await Promise.all(calls);
}

async function one(call: Load["call"], no: number, due: number, epoch: number): Promise<Call> {
  let ok = true;
  try {
    await call(no);
  } catch {
    ok = false;
  }
  const ended = performance.now();
  return { no, at: epoch + due, tookMs: ok ? ended - due : Number.POSITIVE_INFINITY, endedAt: epoch + ended };
}

export const isAnswered = ({ tookMs }: Call) => tookMs < Number.POSITIVE_INFINITY;

/** Of all these calls, not only of those that were answered. */
export function latency(calls: readonly Call[], q: number): number {
  return quantile(
    calls.map(({ tookMs }) => tookMs),
    q,
  );
}

/** From 0 to just below 1, the same each time (mulberry32). */
export function numbers(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
