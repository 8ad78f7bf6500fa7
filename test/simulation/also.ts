// What else happens in a simulation: options change while calls run, and listeners do what no listener should.
import { stackOf } from "../../src/core/stack.ts";
import { configure, type Drained, drain, HoldfastError } from "../../src/index.ts";
import type { Callers } from "../../src/testing/simulation/callers.ts";
import type { World } from "../../src/testing/simulation/world.ts";
import type { ChangePlan, DrainPlan, Plan } from "./plan.ts";
import type { Built } from "./stacks.ts";

/** A listener that calls makes no more calls than these. */
const mostCalls = 20;

/** What a drain came to, and when. */
export interface DrainLog extends Drained {
  readonly at: number;
}

export function alsoHappens(
  { changes = [], hostile, drain: planned }: Plan,
  { calls, changed }: Built,
  drained: DrainLog[],
  shutDown: typeof drain = drain,
) {
  return (world: World, callers: Callers): void => {
    if (planned !== undefined) world.at(planned.at, () => end(planned, world));
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

  async function end({ within, grace = 0, component }: DrainPlan, world: World): Promise<void> {
    const one = component && stackOf(calls[0])?.component;
    const came = await shutDown({ within, grace, ...(one && { component: one }) });
    drained.push({ ...came, at: world.coming });
  }

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
