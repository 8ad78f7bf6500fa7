// Chance that is the same in every run.

/**
 * Numbers from 0 to just below 1, always the same for one seed: a whole number, of which the lower 32 bits count. Not for secrets.
 * @see Tommy Ettinger, "mulberry32", 2017
 * @example
 * const random = seededRandom(7);
 * console.log(random() === seededRandom(7)()); // → true
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
