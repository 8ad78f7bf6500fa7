import { describe, expect, expectTypeOf, it } from "vitest";
import { eventBus, events, protect } from "../../src/index.ts";
import { record, seams } from "../../src/testing/index.ts";

describe("a recording", () => {
  it("has everything that its bus told from then on, in order, each type apart", async () => {
    const bus = eventBus();
    const call = protect("answer", async (n: number) => n, { seams: { events: bus } });
    await call(0);
    const seen = record(bus);
    await call(1);
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
    const settled = seen.of("call.settled");
    expect(settled).toMatchObject([{ type: "call.settled", state: "succeeded", attempts: 1 }]);
    expectTypeOf(settled[0]?.attempts).toEqualTypeOf<number | undefined>();
    expect(seen.of("call.settled")).not.toBe(settled);
    expect(seen.of("cache.hit")).toEqual([]);
  });

  it("hears no more when it is stopped, twice without harm, and keeps what it has", async () => {
    const bus = eventBus();
    const call = protect("answer", async () => 42, { seams: { events: bus } });
    const seen = record(bus);
    await call();
    seen.stop();
    seen.stop();
    await call();
    expect(seen.events).toHaveLength(3);
    expect(bus.quiet).toBe(true);
  });

  it("is of the bus in force when no other is named", async () => {
    const bus = eventBus();
    const call = protect("answer", async () => 42);
    const ofAll = record();
    {
      using _ = seams({ events: bus });
      const ofTest = record();
      await call();
      expect(ofTest.events).toHaveLength(3);
      ofTest.stop();
    }
    expect(ofAll.events).toEqual([]);
    await call();
    expect(ofAll.events).toHaveLength(3);
    ofAll.stop();
    expect(events.quiet).toBe(true);
  });
});
