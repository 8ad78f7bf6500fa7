// A breaker's options as it works with them: milliseconds, every default filled in.
import type { Outcome, Verdict } from "../../core/verdict.ts";

export interface Settings {
  /** `undefined` where `consecutiveFailures` stands in its place. */
  readonly failureRate?: number | undefined;
  readonly slowCallRate?: number | undefined;
  readonly slowCallDuration?: number | undefined;
  readonly consecutiveFailures?: number | undefined;
  readonly window: number;
  readonly minimumCalls: number;
  readonly breakTime: number;
  readonly maxBreakTime: number;
  readonly halfOpenCalls: number;
  /** 0: none. */
  readonly ramp: number;
  readonly mode: "enforce" | "observe" | "off";
  readonly key?: ((input: never) => string) | undefined;
  readonly when?: ((outcome: Outcome<unknown>, verdict: Verdict | undefined) => unknown) | undefined;
}

const fixed = {
  window: 10_000,
  minimumCalls: 10,
  breakTime: 5_000,
  halfOpenCalls: 1,
  ramp: 0,
  mode: "enforce",
} as const;

/** What was written, over the defaults. */
export function settingsOf(given: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Settings {
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const breakTime = given.breakTime ?? fixed.breakTime;
  return {
    ...fixed,
    ...(given.consecutiveFailures === undefined && { failureRate: 0.5 }),
    maxBreakTime: Math.max(60_000, breakTime),
    ...written,
  };
}
