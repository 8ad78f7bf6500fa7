// The tokens of a budget: a share of recent calls, and a minimum that time alone brings.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { Spendable } from "../../core/budget.ts";
import { triesOf } from "../../core/rare.ts";
import { generation, type LiveSeams } from "../../core/seams.ts";
import type { LayerSpec } from "../../core/stack.ts";
import type { Verdict } from "../../core/verdict.ts";

export interface Settings {
  readonly share: number;
  readonly perSecond: number;
}

/** What calls bring is kept for so many parts of so many ms: a quiet day saves up nothing for a bad minute. */
const parts = 10;
const partMs = 1_000;
const keptMs = parts * partMs;
/** Ten tenths are one, whatever floating point makes of them. */
const almost = 1e-9;

export class Bucket implements Spendable {
  readonly kind = "budget";
  /** What `explain` shows and `configure` changes, where a declaration has it. */
  spec: LayerSpec | undefined = undefined;
  private settings: Settings;
  private readonly seams: LiveSeams;
  private born = generation();
  /** What calls brought, by the part of time in which they did. */
  private readonly brought = new Float64Array(parts);
  /** Which part it is now, counted from the clock's beginning. */
  private part = 0;
  /** Of the minimum. */
  private reserve = 0;
  private reserveAt = 0;
  /** When it last had nothing for somebody. */
  private refusedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
    this.begin();
  }

  get left(): number {
    this.refresh();
    return Math.round(this.sum() * 1e6) / 1e6;
  }

  /** Other settings: what is left stays, as far as the minimum still holds so much. */
  change(settings: Settings): void {
    this.refresh();
    this.settings = settings;
    this.reserve = Math.min(this.reserve, this.most);
  }

  /**
   * What was not called brings nothing, and neither does an answer that says that there is too much: then the minimum is
   * what remains. All other failures bring what successes do, however long their callers wait to try again.
   */
  fund(attempt: AttemptRecord, verdict: Verdict | undefined): void {
    if (triesOf(attempt.call) === 0) return;
    if (verdict !== undefined && (verdict.kind === "overloaded" || verdict.kind === "rateLimited")) return;
    this.forget(this.now());
    this.brought[this.part % parts]! += this.settings.share;
  }

  take({ call }: AttemptRecord): boolean {
    const now = this.refresh();
    const left = this.sum();
    if (left >= 1 - almost) {
      this.spend();
      return true;
    }
    // one who hears of it once an outage, not with each token that comes in and goes out again
    const isNews = now - this.refusedAt > keptMs;
    this.refusedAt = now;
    const { events } = call.stack.seams;
    if (isNews && !events.quiet) events.emit("budget.spent", { left: Math.max(0, left) }, call);
    return false;
  }

  private get most(): number {
    const { perSecond } = this.settings;
    return perSecond === 0 ? 0 : Math.max(1, (perSecond * keptMs) / 1_000);
  }

  private now(): number {
    const now = this.seams.clock.monotonic();
    if (this.born !== generation()) this.begin();
    return now;
  }

  /** As new: with the whole of the minimum, so that the first retry of a quiet caller is let through. */
  private begin(): void {
    this.born = generation();
    this.brought.fill(0);
    this.reserve = this.most;
    this.reserveAt = this.seams.clock.monotonic();
    this.part = Math.floor(this.reserveAt / partMs);
    this.refusedAt = Number.NEGATIVE_INFINITY;
  }

  private refresh(): number {
    const now = this.now();
    this.forget(now);
    const comes = (Math.max(0, now - this.reserveAt) * this.settings.perSecond) / 1_000;
    this.reserve = Math.min(this.most, this.reserve + comes);
    this.reserveAt = now;
    return now;
  }

  /** What was brought too long ago. */
  private forget(now: number): void {
    const part = Math.floor(now / partMs);
    if (part === this.part) return;
    if (part - this.part >= parts || part < this.part) this.brought.fill(0);
    else for (let i = this.part + 1; i <= part; i++) this.brought[i % parts] = 0;
    this.part = part;
  }

  private sum(): number {
    let sum = this.reserve;
    for (const share of this.brought) sum += share;
    return sum;
  }

  /** One, the oldest first. */
  private spend(): void {
    let due = 1;
    for (let i = this.part + 1; i <= this.part + parts && due > 0; i++) {
      const part = i % parts;
      const share = this.brought[part]!;
      const taken = Math.min(due, share);
      this.brought[part] = share - taken;
      due -= taken;
    }
    this.reserve = Math.max(0, this.reserve - due);
  }
}
