// One circuit: closed, open or half-open, and what takes it from one to the other.

import type { About } from "../../core/bus.ts";
import { generation, generationSince, type LiveSeams } from "../../core/seams.ts";
import { lastSerial } from "../../core/serial.ts";
import type { Alike } from "./alike.ts";
import { Counts, type Totals } from "./counts.ts";
import type { Break, Phase, Why } from "./phase.ts";
import { Places } from "./places.ts";
import type { Settings } from "./settings.ts";

/** A probe keeps its place as long as the break was, and at least so many ms. */
const shortestLease = 10_000;
/** When to look again at a breaker that is being tried: at the latest after so many ms. */
const soon = 1_000;

export class Circuit {
  settings: Settings;
  /** A success is only counted. */
  onlyCounts: boolean;
  readonly seams: LiveSeams;
  /** Whose circuit it is, where everyone has one. */
  readonly key: string | undefined;
  phase: Phase;
  /** By hand, whatever the phase. */
  isolated: (Totals & { readonly at: number }) | undefined = undefined;
  /** Attempts up to this serial were begun before the last change: they say nothing about now. */
  since = 0;
  /** Grows with every change, for what has no serial. */
  era = 0;
  /** Until when the other side has asked to be left alone, monotonic ms. */
  hintUntil = 0;
  refusals: Alike | undefined = undefined;
  private counted: Counts | undefined = undefined;
  private isolations = 0;
  private calm = true;
  private born = generation();
  /** Since when it is not closed, monotonic ms. */
  private leftAt = 0;

  constructor(settings: Settings, seams: LiveSeams, key: string | undefined) {
    this.settings = settings;
    this.onlyCounts = onlyCounts(settings);
    this.seams = seams;
    this.key = key;
    this.phase = { is: "closed", since: seams.clock.now(), rampUntil: 0 };
  }

  /** Closed to nobody: what nearly every call meets. */
  get isCalm(): boolean {
    return this.calm && this.born === generation();
  }

  get isClosed(): boolean {
    return this.phase.is === "closed" && this.isolated === undefined;
  }

  /** Neither counts nor tells nor refuses: it stays what it was until it is on again. */
  get isOff(): boolean {
    return this.settings.mode === "off";
  }

  /** Other options, the same state: what is open stays so for the rest of its time, what was counted stays counted. */
  change(settings: Settings): void {
    this.refresh();
    const { counted, phase, settings: before } = this;
    this.settings = settings;
    this.onlyCounts = onlyCounts(settings);
    if (counted !== undefined) this.counted = new Counts(settings, this.now(), counted);
    if (phase.is === "halfOpen") phase.places.want(settings.halfOpenCalls);
    if (phase.is === "closed" && phase.rampUntil !== 0)
      this.become({ ...phase, rampUntil: settings.ramp === 0 ? 0 : phase.rampUntil - before.ramp + settings.ramp });
  }

  /** As new after a `reset()`. */
  refresh(): void {
    if (this.born === generation()) return;
    this.born = generation();
    this.isolated = undefined;
    this.rest(0);
    this.since = generationSince(); // others may have begun before anybody came here
  }

  /** Made when there is something to count: most breakers of a large program never have. */
  countsAt(now: number): Counts {
    this.counted ??= new Counts(this.settings, now);
    return this.counted;
  }

  /** What was counted: now, or to open it. */
  get totals(): Totals {
    if (this.isolated !== undefined) return this.isolated;
    if (this.phase.is !== "closed") return this.phase.broken;
    return this.counted?.totals(this.now()) ?? { calls: 0, failures: 0 };
  }

  // --- who may pass

  /** Ms until it admits, `Infinity` while it is isolated. */
  waitMs(now = this.now()): number {
    const { phase } = this;
    if (this.isolated !== undefined) return Number.POSITIVE_INFINITY;
    if (phase.is === "open") return Math.max(0, phase.broken.until - now);
    // its places are leased for long, but are given back as soon as the probes have their answers
    return phase.is === "halfOpen" ? Math.min(soon, phase.places.waitMs(now)) : 0;
  }

  /** Takes a half-open place where one has to be taken; gives the ms to wait, or 0. */
  enter(holder: object, about: About): number {
    const now = this.now();
    if (this.phase.is === "open" && this.waitMs(now) === 0) this.halfOpen(this.phase.broken, about);
    const waitMs = this.waitMs(now);
    if (waitMs === 0 && this.phase.is === "halfOpen") this.phase.places.take(holder, now);
    return waitMs;
  }

  /** Gives whether it was let in to probe. */
  giveBack(holder: object): boolean {
    return this.phase.is === "halfOpen" && this.phase.places.giveBack(holder);
  }

  endRamp(): void {
    if (this.phase.is === "closed") this.become({ ...this.phase, rampUntil: 0 });
  }

  // --- its changes: each is complete before it is told, for a listener may call

  open(why: Break["why"], { calls, failures }: Totals, failedProbes: number, about: About): void {
    const { breakTime, maxBreakTime } = this.settings;
    const now = this.now();
    const ms = Math.min(maxBreakTime, Math.max(breakTime * 2 ** failedProbes, this.hintUntil - now));
    this.leaveClosed(now);
    const at = this.seams.clock.now();
    this.turn({ is: "open", broken: { why, at, until: now + ms, ms, failedProbes, calls, failures } });
    this.tellOpened(why, ms, about);
  }

  private halfOpen(broken: Break, about: About): void {
    const { halfOpenCalls } = this.settings;
    this.become({ is: "halfOpen", broken, places: new Places(halfOpenCalls, Math.max(shortestLease, broken.ms)) });
    const { events } = this.seams;
    if (!events.quiet) events.emit("breaker.halfOpened", { calls: halfOpenCalls }, about);
  }

  /** Whatever it was; nothing is counted yet, and nobody isolates it any more. */
  close(about: About): void {
    const now = this.now();
    const { ramp } = this.settings;
    const wasClosed = this.isClosed;
    this.isolated = undefined;
    this.rest(wasClosed || ramp === 0 ? 0 : now + ramp);
    const { events } = this.seams;
    if (!wasClosed && !events.quiet) events.emit("breaker.closed", { openMs: now - this.leftAt }, about);
  }

  /** Gives its undo; it lasts until the last of several is undone. */
  isolate(about: About): () => void {
    if (this.isolated === undefined) {
      const { phase, totals } = this;
      this.leaveClosed(this.now());
      this.isolated = { calls: totals.calls, failures: totals.failures, at: this.seams.clock.now() };
      this.isolations = 0;
      // who was probing says nothing any more
      this.turn(phase.is === "halfOpen" ? { is: "open", broken: phase.broken } : phase);
      this.tellOpened("isolated", Number.POSITIVE_INFINITY, about);
    }
    this.isolations++;
    const { isolated } = this;
    let undone = false;
    return () => {
      // `close()` has ended it already, or a reset
      if (undone || this.isolated !== isolated) return;
      undone = true;
      if (--this.isolations > 0) return;
      if (this.phase.is === "closed") return this.close(about);
      this.isolated = undefined;
      this.turn(this.phase);
    };
  }

  /** A break that began elsewhere, for the rest of its time. */
  resume(given: Pick<Break, "why" | "at" | "ms" | "failedProbes">, about: About): void {
    const now = this.now();
    const gone = Math.max(0, this.seams.clock.now() - given.at);
    const left = Math.max(0, given.ms - gone);
    this.isolated = undefined;
    this.leaveClosed(now);
    this.leftAt = now - gone;
    this.turn({ is: "open", broken: { ...given, until: now + left, calls: 0, failures: 0 } });
    if (left > 0) this.tellOpened(given.why, left, about);
  }

  /** Closed, with nothing counted yet. */
  private rest(rampUntil: number): void {
    this.leaveClosed(this.leftAt);
    this.hintUntil = 0;
    this.turn({ is: "closed", since: this.seams.clock.now(), rampUntil });
  }

  private leaveClosed(now: number): void {
    if (this.isClosed) this.leftAt = now;
    this.counted?.end();
    this.counted = undefined;
  }

  private turn(phase: Phase): void {
    this.since = lastSerial();
    this.era++;
    this.become(phase);
  }

  private become(phase: Phase): void {
    this.phase = phase;
    this.calm = phase.is === "closed" && phase.rampUntil === 0 && this.isolated === undefined;
  }

  private tellOpened(why: Why, breakMs: number, about: About): void {
    const { calls, failures } = this.totals;
    const { events } = this.seams;
    const enforced = this.settings.mode === "enforce";
    if (!events.quiet) events.emit("breaker.opened", { failures, calls, breakMs, why, enforced }, about);
  }

  private now(): number {
    return this.seams.clock.monotonic();
  }
}

function onlyCounts({ mode, slowCallDuration, when }: Settings): boolean {
  return mode !== "off" && slowCallDuration === undefined && when === undefined;
}
