// A bulkhead in the hands of code that is no single promise, and of whoever looks at it.
import { aboutOf, behind, withHandle } from "../../core/handle.ts";
import type { Wrapper } from "../../core/operation.ts";
import type { Places } from "./places.ts";
import { tellRefused } from "./refusal.ts";

/** One for all. */
const handle = {
  __proto__: Function.prototype,

  get running() {
    return stateOf(behind<Places>(this)).running;
  },
  get queued() {
    return stateOf(behind<Places>(this)).queued;
  },
  get acquire() {
    return () => acquire(behind<Places>(this));
  },
};

/** With what it has beside. */
export function handled<W extends Wrapper>(wrapper: W, places: Places): W & typeof handle {
  return withHandle(wrapper, places, handle);
}

export function stateOf(places: Places) {
  places.refresh();
  const { running, queued, abandoned } = places;
  return { running, queued, abandoned };
}

function acquire(places: Places) {
  if (!places.take()) {
    const { seams } = places;
    tellRefused(seams, places.refusal("full"), aboutOf(seams, "bulkhead"));
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
