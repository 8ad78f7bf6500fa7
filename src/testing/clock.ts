// Time that stands still until a test moves it.
import { type Clock, sleepOn, type TimerEntry } from "../core/clock.ts";
import { toMs } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Duration } from "../core/operation.ts";

export interface TestClock extends Clock {
  /** Moves time on; resolves when all that falls due has happened, and what follows from it. */
  advance(by: Duration): Promise<void>;
  /** How many timers and sleeps are pending. */
  readonly sleepers: number;
}

interface Pending {
  readonly due: number;
  readonly entry: TimerEntry;
}

// taken when this module is loaded: fake timers that a test installs afterwards do not hold it up; not every runtime has both
const { setImmediate: soon, setTimeout: later } = globalThis as Partial<typeof globalThis>;

/** Promises settle within one turn of the event loop; what goes through streams or turns of its own takes a few. */
const turns = 8;

/**
 * A clock for tests: `start` is its epoch ms (default 0), `monotonic` begins at 0. Time moves only by `advance`, which
 * runs the timers that fall due in order, those set on the way included, with every promise step settled before and
 * after each: one awaited `advance` runs a whole retry ladder. It patches nothing.
 * @throws OptionsInvalidError by `advance`, for what is no duration or has no end
 * @example
 * const clock = testClock();
 * using _ = seams({ clock });
 * const call = protect("shaky", script({ error: new Error("once") }, { value: 42 }), { retry: {} });
 * const answer = call(undefined);
 * await clock.advance("1s");
 * console.log(await answer); // → 42
 */
export function testClock(start = 0): TestClock {
  let elapsed = 0;
  // by the moment they are due; those of one moment in the order in which they were set
  const pending: Pending[] = [];
  let moved = Promise.resolve();

  async function move(ms: number): Promise<void> {
    const until = elapsed + ms;
    await settle();
    for (let next = pending[0]; next !== undefined && next.due <= until; next = pending[0]) {
      pending.shift();
      elapsed = next.due;
      next.entry.expire();
      await settle();
    }
    elapsed = until;
  }

  const clock: TestClock = {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    timer(ms, entry) {
      const one = { due: elapsed + (ms > 0 ? ms : 0), entry };
      pending.splice(placeOf(one.due, pending), 0, one);
      return () => {
        const at = pending.indexOf(one);
        if (at >= 0) pending.splice(at, 1);
      };
    },
    advance(by) {
      const ms = toMs(by);
      if (!(ms < Number.POSITIVE_INFINITY)) return Promise.reject(unfit(by));
      // after one another, also where nobody waited for the one before
      const moving = moved.then(() => move(ms));
      moved = moving.catch(() => {});
      return moving;
    },
    get sleepers() {
      return pending.length;
    },
  };
  return clock;
}

/** After all that are due by then. */
function placeOf(due: number, pending: readonly Pending[]): number {
  let from = 0;
  let to = pending.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((pending[middle] as Pending).due <= due) from = middle + 1;
    else to = middle;
  }
  return from;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>((resolve) => (soon === undefined ? later?.(resolve, 0) : soon(resolve)));
}

function unfit(by: unknown): OptionsInvalidError {
  const wanted = 'milliseconds with an end, or a text such as "250ms", "20s", "5m" or "1h"';
  return new OptionsInvalidError("advance", [{ path: "by", got: by, wanted }]);
}
