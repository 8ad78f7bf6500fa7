// What a closed breaker counts, by each of its rules.
import type { Settings } from "./settings.ts";
import { RollingWindow } from "./window.ts";

/** Which rule has found it too bad. */
export type Rule = "failureRate" | "slowCallRate" | "consecutiveFailures";

export interface Totals {
  readonly calls: number;
  readonly failures: number;
}

export class Counts {
  private readonly failures: RollingWindow;
  /** A window of its own, in which the slow calls are the failures. */
  private readonly slow: RollingWindow | undefined;
  private readonly longest: number;
  private inARow: number;

  /** `before`: what was counted by other settings, which goes on. */
  constructor(settings: Settings, now: number, before?: Counts) {
    const { failureRate, slowCallRate, consecutiveFailures } = settings;
    this.failures = new RollingWindow({ ...settings, rate: failureRate }, now, before?.failures);
    if (slowCallRate !== undefined)
      this.slow = new RollingWindow({ ...settings, rate: slowCallRate }, now, before?.slow);
    else before?.slow?.end();
    this.longest = consecutiveFailures ?? Number.POSITIVE_INFINITY;
    this.inARow = before?.inARow ?? 0;
  }

  success(now: number): void {
    this.inARow = 0;
    this.failures.success(now);
    this.slow?.success(now);
  }

  slowSuccess(now: number): Rule | undefined {
    this.inARow = 0;
    this.failures.success(now);
    return this.slow?.failure(now, slowCall) ? "slowCallRate" : undefined;
  }

  failure(now: number, error: unknown, wasSlow: boolean): Rule | undefined {
    const tooMany = this.failures.failure(now, error);
    const tooSlow = wasSlow && this.slow?.failure(now, slowCall);
    if (!wasSlow) this.slow?.success(now);
    if (++this.inARow >= this.longest) return "consecutiveFailures";
    return tooMany ? "failureRate" : tooSlow ? "slowCallRate" : undefined;
  }

  totals(now: number): Totals {
    return this.failures.counts(now);
  }

  end(): void {
    this.failures.end();
    this.slow?.end();
  }
}

const slowCall = new Error("slower than slowCallDuration");
