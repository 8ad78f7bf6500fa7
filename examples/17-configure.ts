// Options are changed while calls run: all of a change or none of it, with an undo that is called when it made things worse.
import { configure, events, explain, HoldfastError, protect } from "holdfast";

/** Stands for a service that was made slower yesterday: 50 ms an answer. */
const price = protect("price", (id: string) => new Promise<string>((go) => setTimeout(go, 50, `${id}: 12 €`)), {
  timeout: "1s",
  retry: { attempts: 3, base: "10ms" },
  breaker: { minimumCalls: 4, breakTime: "30s" },
});
const layer = (kind: string) => explain(price).find((layer) => layer.kind === kind);

events.on("options.changed", ({ name, layer }) => console.log(`changed: ${layer} of ${name}`));

// what cannot be meant changes nothing: the time-out neither
try {
  configure(price, { timeout: "20ms", breaker: { breakTime: Number.NaN }, retry: { attempts: 0 } });
} catch (error) {
  if (HoldfastError.is(error, "OPTIONS_INVALID"))
    for (const { path, wanted } of error.issues) console.log(path, "wants", wanted);
}
console.log(layer("timeout")?.options);

// somebody is in more of a hurry than the service; the calls that are on their way keep the time they had
const onItsWay = price("tea");
const undo = configure(price, { timeout: "20ms", retry: { attempts: 2 } });
console.log(await onItsWay);

// and it is taken back when the breaker says that it was no good idea
events.once("breaker.opened", ({ why, failures }) => {
  console.log(`opened: ${why}, ${failures} failures`);
  undo();
});
await Promise.allSettled([price("rice"), price("salt"), price("oil")]);
console.log(layer("timeout")?.options, layer("breaker")?.state);

// what is open stays open for the rest of its time, unless it is told otherwise
configure(price, { breaker: { mode: "off" } });
console.log(await price("rice"));

// prints:
// breaker.breakTime wants milliseconds, or a text such as "250ms", "20s", "5m" or "1h", more than 0
// retry.attempts wants at least 1
// { after: 1000 }
// changed: timeout of price
// changed: retry of price
// tea: 12 €
// opened: failureRate, 3 failures
// changed: timeout of price
// changed: retry of price
// { after: 1000 } {
//   state: 'open',
//   since: …,
//   nextProbeMs: …,
//   calls: 4,
//   failures: 3
// }
// changed: breaker of price
// rice: 12 €
