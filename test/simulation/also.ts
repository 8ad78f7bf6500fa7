// What else happens in a simulation: options change while calls run, and listeners do what no listener should.
import { configure, HoldfastError } from "../../src/index.ts";
import type { Callers } from "../../src/testing/simulation/callers.ts";
import type { World } from "../../src/testing/simulation/world.ts";
import type { ChangePlan, Plan } from "./plan.ts";
import type { Built } from "./stacks.ts";

/** A listener that calls makes no more calls than these. */
const mostCalls = 20;

export function alsoHappens({ changes = [], hostile }: Plan, { calls, changed }: Built) {
  return (world: World, callers: Callers): void => {
    for (const one of changes) world.at(one.at, () => change(one, world));
    if (!world.watched) return;
    if (hostile === "listener")
      world.bus.onAny(() => {
        throw new Error("thrown by a listener");
      });
    let made = 0;
    if (hostile === "caller")
      world.bus.on(["breaker.opened", "attempt.failed", "bulkhead.queued", "cache.missed", "call.settled"], () => {
        if (made++ < mostCalls)
          callers.burstIn({ at: 0, to: made % calls.length, meets: [{ gives: "value", after: made }] });
      });
  };

  function change({ to, undoAt, change }: ChangePlan, world: World): void {
    try {
      const undo = configure(changed(to % calls.length) as never, change as never);
      if (undoAt !== undefined) world.at(undoAt, () => unless(undo));
    } catch (error) {
      if (!HoldfastError.is(error, "OPTIONS_INVALID")) throw error; // it has no such layer
    }
  }
}

/** Later changes may not stand without this one. */
function unless(undo: () => void): void {
  try {
    undo();
  } catch (error) {
    if (!HoldfastError.is(error, "OPTIONS_INVALID")) throw error;
  }
}
