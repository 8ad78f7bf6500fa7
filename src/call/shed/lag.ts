// How far the event loop is behind: by a timer of our own that comes late. Only while calls come, and it holds no process.
import type { Clock } from "../../core/clock.ts";
import { generation, type LiveSeams } from "../../core/seams.ts";
import { armUnheld, Timed } from "../../core/timers.ts";

/** From one look to the next. */
const everyMs = 20;
/** What was seen is forgotten by half with each look. */
const fading = 0.5;

export class Lag extends Timed {
  private readonly seams: LiveSeams;
  private clock: Clock;
  private born = generation();
  private isArmed = false;
  private wasAsked = false;
  private seen = 0;

  constructor(seams: LiveSeams) {
    super(0);
    this.seams = seams;
    this.clock = seams.clock;
  }

  /** Ms, as far as can be told now: what the last looks saw, or by how much the next one is overdue. */
  read(): number {
    const { clock } = this.seams;
    const now = clock.monotonic();
    if (clock !== this.clock || this.born !== generation()) {
      this.clock = clock;
      this.born = generation();
      this.isArmed = false;
      this.seen = 0;
    }
    this.wasAsked = true;
    if (!this.isArmed) {
      this.look(now);
      return 0;
    }
    return Math.max(this.seen, now - this.startedAt - everyMs);
  }

  override expire(): void {
    const { clock } = this;
    const now = clock.monotonic();
    this.seen = Math.max(0, now - this.startedAt - everyMs, this.seen * fading);
    this.isArmed = false;
    if (this.wasAsked) this.look(now);
    else this.seen = 0;
  }

  private look(now: number): void {
    this.wasAsked = false;
    this.isArmed = true;
    this.startedAt = now;
    armUnheld(this.clock, everyMs, this);
  }
}
