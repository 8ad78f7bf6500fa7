// Draws mutants at random, so that a room is measured in minutes: the rest of them are ignored, and the score is of those drawn.
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** From now on Stryker tests only `size` of the mutants it finds; the same seed draws the same ones. */
export function drawSample(size: number, seed: number): void {
  const all = Instrumenter.prototype.instrument;
  Instrumenter.prototype.instrument = async function (...given) {
    const { mutants } = await all.apply(this, given);
    const chance = seededChance(seed);
    const places = mutants
      .filter((mutant) => mutant.status === undefined)
      .map(({ id }) => ({ id, at: chance() }))
      .sort((a, b) => a.at - b.at);
    console.log(`${Math.min(size, places.length)} of ${places.length} mutants, seed ${seed}`);
    placeOnly(new Set(places.slice(0, size).map(({ id }) => id)), this as unknown as Placing);
    return all.apply(this, given);
  };
}

interface Collector {
  collect(...given: unknown[]): { readonly id: string; ignoreReason: string | undefined };
}
interface Placing {
  _transform: (ast: unknown, collector: Collector, ...rest: unknown[]) => void;
}

/** The others are not even placed in the code: which test meets which of thousands of mutants does not fit in memory. */
function placeOnly(drawn: ReadonlySet<string>, instrumenter: Placing): void {
  const { _transform: transform } = instrumenter;
  const patched = new WeakSet<Collector>();
  instrumenter._transform = (ast, collector, ...rest) => {
    if (!patched.has(collector)) {
      patched.add(collector);
      const { collect } = collector;
      collector.collect = (...given) => {
        const mutant = collect.apply(collector, given);
        if (!drawn.has(mutant.id)) mutant.ignoreReason ??= "not drawn";
        return mutant;
      };
    }
    transform(ast, collector, ...rest);
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
