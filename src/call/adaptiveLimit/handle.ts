// A limit that is found out, in the hands of code that is no single promise, and of whoever looks at it.
import type { Wrapper } from "../../core/operation.ts";
import type { Outcome } from "../../core/verdict.ts";
import { aboutOf, type Crowd } from "./crowd.ts";

const CROWD = Symbol("holdfast.crowd");
interface Handled {
  readonly [CROWD]: Crowd;
}

export function withHandle<W extends Wrapper>(wrapper: W, crowd: Crowd): W & typeof handle {
  const handled = Object.defineProperty(wrapper, CROWD, { value: crowd });
  return Object.setPrototypeOf(handled, handle);
}

/** One for all; bound when read, so that it can be destructured. */
const handle = {
  __proto__: Function.prototype,

  get limit() {
    return stateOf((this as unknown as Handled)[CROWD]).limit;
  },
  get running() {
    return stateOf((this as unknown as Handled)[CROWD]).running;
  },
  get acquire() {
    return () => acquire((this as unknown as Handled)[CROWD]);
  },
};

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
    if (!events.quiet) events.emit("call.shed", { criticality: "normal", why: "limit" }, aboutOf(seams));
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
