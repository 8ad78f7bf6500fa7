// How long to wait before the next try.
import { OptionsInvalidError } from "../core/errors.ts";

export type Backoff = "exponential" | "linear" | "constant" | ((attempt: number) => number);
export type Jitter = "full" | "decorrelated" | "none";

export interface BackoffOptions {
  readonly backoff: Backoff;
  /** Ms. */
  readonly base: number;
  /** Ms; never exceeded. */
  readonly cap: number;
  readonly jitter: Jitter;
}

/**
 * Ms to wait after the failure of this round (from 1), `before` being what was waited last.
 * A function of one's own is taken at its word, up to the cap; jitter is for the named ones.
 * @throws OptionsInvalidError when such a function gives no number of milliseconds
 * @see Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full and decorrelated jitter
 */
export function delayAfter(round: number, before: number, options: BackoffOptions, random: () => number): number {
  const { backoff, base, cap, jitter } = options;
  if (typeof backoff === "function") return Math.min(cap, checked(backoff(round)));
  // 3 × what was waited last, whatever the shape: the randomness does the growing
  if (jitter === "decorrelated") return Math.min(cap, base + random() * (Math.max(base, before) * 3 - base));
  const full = Math.min(cap, grown(backoff, base, round));
  return jitter === "full" ? random() * full : full;
}

function grown(shape: "exponential" | "linear" | "constant", base: number, round: number): number {
  if (base === 0 || shape === "constant") return base;
  return shape === "linear" ? base * round : base * 2 ** (round - 1);
}

function checked(ms: number): number {
  if (typeof ms === "number" && ms >= 0) return ms;
  throw new OptionsInvalidError("retry", [{ path: "backoff", got: ms, wanted: "a function that gives milliseconds" }]);
}
