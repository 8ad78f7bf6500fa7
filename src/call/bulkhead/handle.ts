// A bulkhead in the hands of code that is no single promise, and of whoever looks at it.
import type { Wrapper } from "../../core/operation.ts";
import type { Places } from "./places.ts";
import { aboutOf, tellRefused } from "./refusal.ts";

/** Where a bulkhead keeps its places. */
const PLACES = Symbol("holdfast.places");
interface Handled {
  readonly [PLACES]: Places;
}

/** Gives a wrapper what a bulkhead has beside. */
export function withHandle<W extends Wrapper>(wrapper: W, places: Places): W & typeof handle {
  const handled = Object.defineProperty(wrapper, PLACES, { value: places });
  return Object.setPrototypeOf(handled, handle);
}

/** One for all bulkheads, of which there may be thousands; bound when read, so that it can be destructured. */
const handle = {
  __proto__: Function.prototype,

  get running() {
    return stateOf(placesOf(this)).running;
  },
  get queued() {
    return stateOf(placesOf(this)).queued;
  },
  get acquire() {
    return () => acquire(placesOf(this));
  },
};

function placesOf(bulkhead: object): Places {
  return (bulkhead as Handled)[PLACES];
}

export function stateOf(places: Places) {
  places.refresh();
  const { running, queued, abandoned } = places;
  return { running, queued, abandoned };
}

function acquire(places: Places) {
  if (!places.take()) {
    const { seams } = places;
    tellRefused(seams, places.refusal("full"), aboutOf(seams));
    return undefined;
  }
  const { born } = places;
  let done = false;
  return {
    done(): void {
      places.refresh();
      if (!done && born === places.born) places.giveBack();
      done = true;
    },
  };
}
