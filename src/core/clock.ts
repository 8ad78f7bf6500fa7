// Time: the one place that asks the machine for it.
import { shared } from "./shared.ts";

export interface TimerEntry {
  expire(): void;
}

/** Time as holdfast sees it; a test puts its own in place. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Ms that only ever grow, whatever is done to the system's clock. */
  monotonic(): number;
  /** Rejects at once with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `entry.expire()` once, not before `ms` have passed; gives its undo. */
  timer(ms: number, entry: TimerEntry): () => void;
}

/** What `setTimeout` can count to (24.8 days); longer ones are waited for in parts. */
const longest = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic,
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  timer(ms, entry) {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const wait = ms > 0 ? ms : 0; // Node warns of a NaN and of less than 0
    const due = monotonic() + wait;
    let timer = setTimeout(ring, Math.min(longest, Math.ceil(wait)));
    function ring() {
      // setTimeout may come a fraction of a millisecond early
      const left = due - monotonic();
      if (left <= 0) entry.expire();
      else timer = setTimeout(ring, Math.min(longest, Math.ceil(left)));
    }
    return () => clearTimeout(timer);
  },
};

/** `sleep` for any clock that has a `timer`. */
export function sleepOn(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      undo();
      reject(signal?.reason);
    };
    const undo = clock.timer(ms, {
      expire() {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** The clock of calls that were given none. */
export const inForce = shared<{ clock: Clock }>("clock", () => ({ clock: systemClock }));

/** Epoch ms of the clock in force. */
export function epochNow(): number {
  return inForce.clock.now();
}

const [ownTimeout, ownPerformance] = [setTimeout, performance];

/** The global is a getter, and would be asked twice a call; only under a test's fake timers is it another one. */
function monotonic(): number {
  return setTimeout === ownTimeout ? ownPerformance.now() : performance.now();
}
