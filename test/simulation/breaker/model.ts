// A breaker once more, simple and slow, that is told what the services say has happened.
import type { BreakerPlan } from "../plan.ts";
import { type Bounds, type Counted, Outcomes } from "./outcomes.ts";

export interface Open {
  readonly is: "open";
  /** At the earliest, and at the latest. */
  readonly until: number;
  readonly latest: number;
  readonly ms: number;
  readonly failedProbes: number;
  readonly calls: Bounds;
  readonly failures: Bounds;
}
export interface HalfOpen {
  readonly is: "halfOpen";
  readonly opened: Open;
  /** So many have still to succeed, at most. */
  wanted: number;
  /** At the least: some may have succeeded of which it is for the library to say whether they did. */
  least: number;
  /** Until when each holds its place; the first came first. */
  readonly places: Map<number, number>;
  /** Whoever was let in, counts. */
  readonly probes: Set<number>;
}
export type Phase = { readonly is: "closed" } | Open | HalfOpen;

/** What a run came to. */
export interface Heard {
  readonly weight: Weight;
  /** Else the library had to decide between two things of one turn. */
  readonly sure: boolean;
  /** It may have been begun before the last change, and have waited since: then it says nothing, unless it was let in to probe. */
  readonly waited: boolean;
  readonly hint?: number | undefined;
}

export type Weight = "success" | "failure" | "nothing";

const shortestLease = 10_000;
const anything: Bounds = [0, Number.POSITIVE_INFINITY];

export class BreakerModel {
  phase: Phase = { is: "closed" };
  /** Until when a ramp may turn anybody away. */
  rampUntil = 0;
  /** The library had a choice: it is asked how it has chosen. */
  unsure = false;
  /** Changes of the phase so far. */
  changes = 0;
  readonly outcomes: Outcomes;
  private readonly plan: BreakerPlan;
  private readonly breakTime: number;
  private readonly halfOpenCalls: number;
  private readonly rate: number | undefined;
  /** Whether a time-out has every run end within a slot of the window: a success may then count at its start. */
  private readonly brief: boolean;
  private inARow: Bounds = [0, 0];
  private hintUntil = 0;
  /** The same, by hints that may not have been heard. */
  private hintPerhaps = 0;
  /** When the last change was. */
  changedAt = Number.NEGATIVE_INFINITY;
  /** Runs up to this one were begun before the last change. */
  private since = -1;

  constructor(plan: BreakerPlan, timeout: number | undefined) {
    const { window = 10_000, minimumCalls = 10, breakTime = 5_000, halfOpenCalls = 1 } = plan;
    this.plan = plan;
    this.outcomes = new Outcomes(window, minimumCalls);
    this.breakTime = breakTime;
    this.halfOpenCalls = halfOpenCalls;
    this.rate = plan.failureRate ?? (plan.consecutiveFailures === undefined ? 0.5 : undefined);
    this.brief = timeout !== undefined && timeout <= window / 10;
  }

  /** A run begins; gives why it should not have been. */
  begins(run: number, now: number): string | undefined {
    const { phase } = this;
    if (this.unsure || phase.is === "closed") return undefined;
    if (phase.is === "open" && now < phase.until) return `the breaker is open until ${phase.until} ms`;
    const half = phase.is === "open" ? this.halfOpen(phase) : phase;
    const { places, probes, opened } = half;
    const [oldest] = places;
    if (oldest !== undefined && places.size >= half.wanted) {
      if (oldest[1] > now) return `the breaker is being tried by ${places.size} already`;
      places.delete(oldest[0]);
    }
    places.set(run, now + Math.max(shortestLease, opened.ms));
    probes.add(run);
    return undefined;
  }

  /** A run has come to this, as far as its caller is concerned; `latest`: of the runs begun so far. */
  ends(run: number, latest: number, began: number, now: number, outcome: Heard): void {
    const { phase } = this;
    const held = phase.is === "halfOpen" && phase.probes.delete(run);
    if (phase.is === "halfOpen") phase.places.delete(run);
    const { weight, hint, waited } = outcome;
    const sure = outcome.sure && (held || !waited);
    if (!held && (run <= this.since || phase.is !== "closed")) return;
    if (hint !== undefined) {
      this.hintPerhaps = Math.max(this.hintPerhaps, now + hint);
      if (sure) this.hintUntil = Math.max(this.hintUntil, now + hint);
    }
    if (weight === "nothing") return;
    const { slow } = this.plan;
    const isSlow = slow !== undefined && now - began > slow.duration;
    const failed = weight === "failure";
    if (!held) this.count(failed, isSlow, sure, began, now, latest);
    else if (!sure) this.perhapsProbed();
    else this.probed(failed || isSlow, now, latest);
  }

  /** The library has chosen, in the step that is over: it is in this state, since then. */
  adopt(state: string, since: number, now: number, latest: number): void {
    this.unsure = false;
    const { phase } = this;
    // a probe has counted nothing and given its place back, or it is not the last that is wanted
    if (phase.is === "halfOpen" && state === "halfOpen" && isBreakOf(phase.opened, since)) {
      phase.least = Math.max(1, phase.least);
      return;
    }
    if (state === "closed") {
      if (phase.is !== "closed") this.close(now, latest);
    } else if (phase.is !== "open") {
      const failedProbes = phase.is === "halfOpen" ? phase.opened.failedProbes + 1 : 0;
      this.open(failedProbes, anything, anything, now, latest);
    }
  }

  private halfOpen(opened: Open): HalfOpen {
    const [wanted, least] = [this.halfOpenCalls, this.halfOpenCalls];
    const half: HalfOpen = { is: "halfOpen", opened, wanted, least, places: new Map(), probes: new Set() };
    this.phase = half;
    this.changes++;
    return half;
  }

  private count(failed: boolean, slow: boolean, sure: boolean, began: number, now: number, latest: number): void {
    const { outcomes, rate, plan } = this;
    outcomes.add({ from: this.brief && !failed ? began : now, to: now, failed, slow, sure });
    if (!failed) this.inARow = [0, sure ? 0 : this.inARow[1]];
    else this.inARow = [sure ? this.inARow[0] + 1 : this.inARow[0], this.inARow[1] + 1];
    const bad = [
      ...(failed ? [this.inARow.map((n) => n >= (plan.consecutiveFailures ?? Number.POSITIVE_INFINITY))] : []),
      ...(failed && rate !== undefined ? [outcomes.exceeds(rate, now, (one) => one.failed)] : []),
      ...(slow && plan.slow !== undefined ? [outcomes.exceeds(plan.slow.rate, now, (one) => one.slow)] : []),
    ];
    // it may have opened before in this step, when there were fewer
    const counted = (which: (counted: Counted) => boolean) => (this.unsure ? anything : outcomes.within(now, which));
    if (sure && bad.some(([must]) => must))
      this.open(
        0,
        counted(() => true),
        counted(({ failed }) => failed),
        now,
        latest,
      );
    else if (bad.some(([, may]) => may)) this.unsure = true;
  }

  private probed(failed: boolean, now: number, latest: number): void {
    if (this.phase.is !== "halfOpen") return;
    const { opened, wanted, least } = this.phase;
    const calls = (left: number) => this.halfOpenCalls - left + 1;
    if (failed) return this.open(opened.failedProbes + 1, [calls(wanted), calls(least)], [1, 1], now, latest);
    if (--this.phase.wanted <= 0) return this.close(now, latest);
    if (--this.phase.least <= 0) this.unsure = true;
  }

  private perhapsProbed(): void {
    this.unsure = true;
    if (this.phase.is === "halfOpen") this.phase.least--;
  }

  private open(failedProbes: number, calls: Bounds, failures: Bounds, now: number, latest: number): void {
    const longest = Math.max(60_000, this.breakTime);
    const msBy = (hintUntil: number) =>
      Math.min(longest, Math.max(this.breakTime * 2 ** failedProbes, hintUntil - now));
    const ms = msBy(this.hintUntil);
    const perhaps = now + msBy(this.hintPerhaps);
    this.turn({ is: "open", until: now + ms, latest: perhaps, ms, failedProbes, calls, failures }, now, latest);
  }

  private close(now: number, latest: number): void {
    this.hintUntil = this.hintPerhaps = 0;
    this.rampUntil = now + (this.plan.ramp ?? 0);
    this.turn({ is: "closed" }, now, latest);
  }

  private turn(phase: Phase, now: number, latest: number): void {
    this.phase = phase;
    this.changedAt = now;
    this.since = latest;
    this.changes++;
    this.outcomes.clear();
    this.inARow = [0, 0];
  }
}

/** Whether its break may have been over then: that of another one is over at another time. */
function isBreakOf({ until, latest }: Open, since: number): boolean {
  return since >= until && since <= latest;
}
