// Many timers of few durations: one first-in-first-out list a duration, on one setTimeout.
import { type Clock, systemClock } from "./clock.ts";

/** What can be timed at next to no cost: it is its own list entry. */
export abstract class Timed {
  /** Since when its time runs; monotonic ms. */
  startedAt: number;
  /** The list it is on, or the undo of a timer of its own. */
  timer: TimerList | (() => void) | null = null;
  earlier: Timed | null = null;
  later: Timed | null = null;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  /** Its time is over, so long after its start: as it was armed, whatever has been changed since. */
  abstract expire(afterMs: number): void;
}

/** Expires the entry `ms` after its start; a declared duration, so that few lists are needed. */
export function arm(clock: Clock, ms: number, entry: Timed): void {
  if (ms === Number.POSITIVE_INFINITY) return;
  if (clock === systemClock) listOf(ms).add(entry);
  else {
    const left = Math.max(0, entry.startedAt + ms - clock.monotonic());
    entry.timer = clock.timer(left, { expire: () => entry.expire(ms) });
  }
}

/** Expires the entry after a duration that hardly comes twice, on a timer of its own. */
export function armOnce(clock: Clock, ms: number, entry: Timed): void {
  entry.timer = clock.timer(ms, { expire: () => entry.expire(ms) });
}

/** The same, but the process may end before. */
export function armUnheld(clock: Clock, ms: number, entry: Timed): void {
  if (clock !== systemClock) return armOnce(clock, ms, entry);
  if (ms > longest) return; // a process that only waits that long is not worth a chain of timers
  const timer = setTimeout(() => entry.expire(ms), ms);
  refer(timer, false);
  entry.timer = () => clearTimeout(timer);
}

export function disarm(entry: Timed): void {
  const { timer } = entry;
  if (timer === null) return;
  if (typeof timer === "function") {
    entry.timer = null;
    timer();
  } else timer.remove(entry);
}

const lists = new Map<number, TimerList>();
let latest: TimerList | undefined;
const longest = 2 ** 31 - 1;

function listOf(ms: number): TimerList {
  if (latest?.ms === ms && latest.setBy === setTimeout) return latest;
  let list = lists.get(ms);
  // a test's fake timers come and go: what they were to ring, the real ones never will, nor the other way round
  if (list === undefined || list.setBy !== setTimeout) {
    list = new TimerList(ms);
    lists.set(ms, list);
  }
  latest = list;
  return list;
}

/** Of a duration that is not in use: those that are changed while they run may be many in time. */
function forget(list: TimerList): void {
  if (lists.get(list.ms) === list) lists.delete(list.ms);
  if (latest === list) latest = undefined;
}

class TimerList {
  readonly setBy = setTimeout;
  readonly ms: number;
  private first: Timed | null = null;
  private last: Timed | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly ring = () => this.tick();

  constructor(ms: number) {
    this.ms = ms;
  }

  add(entry: Timed): void {
    entry.timer = this;
    entry.earlier = this.last;
    if (this.last !== null) this.last.later = entry;
    else this.first = entry;
    this.last = entry;
    if (this.timer === null) this.wait(this.ms);
    else if (this.first === entry) refer(this.timer, true);
  }

  remove(entry: Timed): void {
    if (entry.earlier !== null) entry.earlier.later = entry.later;
    else this.first = entry.later;
    if (entry.later !== null) entry.later.earlier = entry.earlier;
    else this.last = entry.earlier;
    entry.earlier = entry.later = entry.timer = null;
    // kept for the next entry instead of cleared and set again for every call, but holds no process
    if (this.first === null && this.timer !== null) refer(this.timer, false);
  }

  private tick(): void {
    this.timer = null;
    const now = systemClock.monotonic();
    while (this.first !== null && this.first.startedAt + this.ms <= now) {
      const entry: Timed = this.first;
      this.remove(entry);
      entry.expire(this.ms);
    }
    if (this.timer !== null) return;
    if (this.first !== null) this.wait(this.first.startedAt + this.ms - systemClock.monotonic());
    else forget(this);
  }

  private wait(ms: number): void {
    this.timer = setTimeout(this.ring, Math.min(longest, Math.max(1, Math.ceil(ms))));
  }
}

/** Timers are objects in Node and numbers in a browser. */
function refer(timer: ReturnType<typeof setTimeout>, held: boolean): void {
  if (typeof timer !== "object") return;
  if (held) timer.ref();
  else timer.unref();
}
