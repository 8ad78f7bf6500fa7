// One quota as it is measured: how much of it may be had now, and when more.

/** So much in so many ms; `burst`: so much at once, where that is said. */
export interface Measure {
  readonly limit: number;
  readonly per: number;
  readonly burst: number | undefined;
}
export type Shape = "tokenBucket" | "slidingWindow" | "smooth";

export interface Meter {
  /** More than this is never had at once. */
  readonly capacity: number;
  /** Ms until so much may be had. `ahead` goes first; then it is the least that it can take. */
  waitMs(now: number, amount: number, ahead: number): number;
  /** It may be more than there is: then it is owed. */
  take(now: number, amount: number): void;
  /** Of what was taken no earlier than at `since`. */
  giveBack(now: number, amount: number, since: number): void;
  /** Never below 0. */
  left(now: number): number;
  /** What has been taken and is not back. */
  spent(now: number): number;
  /** Another quota, with the same spent. */
  change(measure: Measure, now: number): void;
}

/** What is no more than a rounding of times and sums. */
export const tiny = 1e-6;
