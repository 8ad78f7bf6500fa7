// Draws mutants at random, so that a room is measured in minutes: the rest of them are ignored, and the score is of those drawn.
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** From now on Stryker tests only `size` of the mutants it finds; the same seed draws the same ones. */
export function drawSample(size: number, seed: number): void {
  const all = Instrumenter.prototype.instrument;
  Instrumenter.prototype.instrument = async function (...given) {
    const result = await all.apply(this, given);
    const chance = seededChance(seed);
    const places = result.mutants
      .filter((mutant) => mutant.status === undefined)
      .map((mutant) => ({ mutant, at: chance() }))
      .sort((a, b) => a.at - b.at);
    for (const { mutant } of places.slice(size)) {
      mutant.status = "Ignored";
      mutant.statusReason = "not drawn";
    }
    console.log(`${Math.min(size, places.length)} of ${places.length} mutants, seed ${seed}`);
    return result;
  };
}

/** Mulberry32. */
function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
