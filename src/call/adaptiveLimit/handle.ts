// A limit that is found out, in the hands of code that is no single promise, and of whoever looks at it.
import { aboutOf, behind, withHandle } from "../../core/handle.ts";
import type { Wrapper } from "../../core/operation.ts";
import type { Outcome } from "../../core/verdict.ts";
import type { Crowd } from "./crowd.ts";

/** One for all. */
const handle = {
  __proto__: Function.prototype,

  get limit() {
    return stateOf(behind<Crowd>(this)).limit;
  },
  get running() {
    return stateOf(behind<Crowd>(this)).running;
  },
  get acquire() {
    return () => acquire(behind<Crowd>(this));
  },
};

/** With what it has beside. */
export function handled<W extends Wrapper>(wrapper: W, crowd: Crowd): W & typeof handle {
  return withHandle(wrapper, crowd, handle);
}

export function stateOf(crowd: Crowd) {
  crowd.refresh();
  const { finder, places } = crowd;
  const baseMs = Number.isNaN(finder.base) ? undefined : finder.base;
  return { limit: Math.floor(finder.limit), running: places.running, baseMs };
}

function acquire(crowd: Crowd) {
  const { seams } = crowd;
  if (!crowd.take()) {
    const { events } = seams;
    if (!events.quiet)
      events.emit("call.shed", { criticality: "normal", why: "limit" }, aboutOf(seams, "adaptiveLimit"));
    return undefined;
  }
  const { born } = crowd.places;
  const startedAt = seams.clock.monotonic();
  let done = false;
  return {
    done(outcome: Outcome<unknown>): void {
      crowd.refresh();
      const { finder, places } = crowd;
      if (!done && born === places.born) {
        finder.end(seams.clock.monotonic(), startedAt, outcome.ok ? "ok" : "other", places.running);
        crowd.left(1);
        places.giveBack();
      }
      done = true;
    },
  };
}
