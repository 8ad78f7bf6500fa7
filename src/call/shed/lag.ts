// How far the event loop is behind: by a timer of our own that comes late. One for all who ask by the same clock, while calls
// come and a while after, and it holds no process.
import type { Clock } from "../../core/clock.ts";
import { generation } from "../../core/seams.ts";
import { armUnheld, disarm, Timed } from "../../core/timers.ts";

/** From one look to the next. */
const everyMs = 20;
/** So many looks follow the last call, ten seconds of them: what comes after a pause and a stall is a backlog as well. */
const looksAfter = 500;
/** What was seen is forgotten by half with each look. */
const fading = 0.5;

const lags = new WeakMap<Clock, Lag>();
let latest: Lag | undefined;

/** Ms, as far as can be told now: what the last looks saw, or by how much the next one is overdue. */
export function lagBy(clock: Clock): number {
  if (latest?.clock !== clock) {
    latest = lags.get(clock) ?? new Lag(clock);
    lags.set(clock, latest);
  }
  return latest.read();
}

class Lag extends Timed {
  readonly clock: Clock;
  private born = generation();
  private setBy = setTimeout;
  private isArmed = false;
  private looksLeft = 0;
  private seen = 0;

  constructor(clock: Clock) {
    super(0);
    this.clock = clock;
  }

  read(): number {
    const now = this.clock.monotonic();
    // a test's fake timers come and go: one that was set by them never rings
    if (this.born !== generation() || this.setBy !== setTimeout) this.renew();
    this.looksLeft = looksAfter;
    if (!this.isArmed) {
      this.look(now);
      return 0;
    }
    return Math.max(this.seen, now - this.startedAt - everyMs);
  }

  override expire(): void {
    const now = this.clock.monotonic();
    this.seen = Math.max(0, now - this.startedAt - everyMs, this.seen * fading);
    this.isArmed = false;
    // counted, and not timed: a stall must not use them up
    if (--this.looksLeft > 0) this.look(now);
    else this.seen = 0;
  }

  private look(now: number): void {
    this.isArmed = true;
    this.startedAt = now;
    armUnheld(this.clock, everyMs, this);
  }

  private renew(): void {
    disarm(this);
    this.born = generation();
    this.setBy = setTimeout;
    this.isArmed = false;
    this.seen = 0;
  }
}
