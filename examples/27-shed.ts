// Load shedding: when there is too much to do the least important goes first, and what is critical is served as ever.
import { setTimeout as sleep } from "node:timers/promises";
import { type Criticality, events, HoldfastError, protect } from "holdfast";

const search = protect("search", () => sleep(20, "found"), {
  bulkhead: 25, // a limit that is known; `adaptiveLimit: {}` finds one
  shed: {},
});

const told = new Set<string>();
events.on("call.shed", ({ criticality, why }) => told.add(`${criticality}: ${why}`));

const ranks: Criticality[] = ["background", "sheddable", "normal", "critical"];
const served: Record<string, number> = {};
for (const criticality of ranks) {
  // fifty of each at one moment, the least important first
  for (let i = 0; i < 50; i++)
    search(undefined, { criticality }).then(
      () => {
        served[criticality] = (served[criticality] ?? 0) + 1;
      },
      (error) => {
        if (!HoldfastError.is(error, "LOAD_SHED") && !HoldfastError.is(error, "BULKHEAD_FULL")) throw error;
      },
    );
}
await sleep(100);
console.log(served);
console.log([...told].sort().join(", "));

// prints:
// { background: 22, sheddable: 1, normal: 1, critical: 1 }
// background: limit, normal: limit, sheddable: limit
