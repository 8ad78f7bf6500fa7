// The others, each put together as its documentation would have it and tuned where that makes it faster.
import { EventEmitter } from "node:events";
import {
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import { Effect, Schedule } from "effect";
import CircuitBreaker from "opossum";
import pRetry from "p-retry";
import type { Case } from "../harness/time.ts";

export const engines = "p-retry round opossum + timeout, by hand";
export const alone = "p-retry alone";
export const cockatiel = "cockatiel retry + breaker + timeout";

const ok = async () => 1;
const signal = new AbortController().signal;
const buckets = new EventEmitter().setMaxListeners(0);

/** opossum keeps each call's time in its current bucket: turned over by hand, or its row grows slower all along. */
export const rotate = () => buckets.emit("rotate");

/** Without snapshots, percentiles and a timer of its own: opossum as fast as it goes. */
export function opossum(operation: () => Promise<unknown>, timeoutMs: number | false): CircuitBreaker<[], unknown> {
  return new CircuitBreaker(operation, {
    timeout: timeoutMs,
    resetTimeout: 3_600_000,
    enableSnapshots: false,
    rollingPercentilesEnabled: false,
    rotateBucketController: buckets,
  });
}

export function cockatielStack(timeoutMs: number) {
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000 });
  return wrap(
    retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker }),
    timeout(timeoutMs, TimeoutStrategy.Aggressive),
  );
}

export function peers(): Case[] {
  const stack = cockatielStack(1000);
  const circuit = opossum(ok, 1000);
  const program = Effect.tryPromise(ok).pipe(
    Effect.timeout(1000),
    Effect.retry({ times: 3, schedule: Schedule.exponential(100) }),
  );
  return [
    { name: "bare operation", run: ok },
    { name: cockatiel, run: () => stack.execute(ok) },
    { name: `${cockatiel}, signal`, run: () => stack.execute(ok, signal) },
    { name: "effect retry + timeout (it has no breaker)", run: () => Effect.runPromise(program) },
    { name: engines, run: () => pRetry(() => circuit.fire(), { retries: 3 }) },
    { name: `${engines}, signal`, run: () => pRetry(() => circuit.fire(), { retries: 3, signal }) },
    { name: "opossum alone (breaker + timeout)", run: () => circuit.fire() },
    { name: alone, run: () => pRetry(ok, { retries: 3 }) },
  ];
}
