// After a `reset()` a breaker took what had begun since for something of before, where another call came to it first.
import { expect, it } from "vitest";
import { breaker, eventBus, protect, settled } from "../../src/index.ts";
import { reset, seams, testClock } from "../../src/testing/index.ts";

it("what begins after a reset is counted, also where its check took longer than that of the call after it", async () => {
  const clock = testClock();
  using _ = seams({ clock, events: eventBus() });
  const circuit = breaker({ consecutiveFailures: 10 });
  const late = async (): Promise<string> => Promise.reject(new Error("down"));
  const waits = () => clock.sleep(5).then(() => undefined);
  const first = protect("first", late, { breaker: circuit, guard: { checks: [waits] } });
  const second = protect("second", async () => "done", { breaker: circuit });
  reset();
  const both = [settled(first)(), settled(second)()];
  await clock.advance(10);
  await Promise.all(both);
  expect(circuit.state).toMatchObject({ calls: 2, failures: 1 });
});
