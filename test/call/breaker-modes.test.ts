// What a breaker does that refuses nobody.
import { describe, expect, it } from "vitest";
import { down, later, settledWith, setup, well } from "./breaker-setup.ts";

describe("a breaker that observes", () => {
  const observing = { mode: "observe", consecutiveFailures: 2, breakTime: "5s" } as const;

  it("is a dry run that reports what it would have refused, and refuses nobody", async () => {
    const { circuit, clock, come, seen, told } = setup(observing);
    await come(down, 2);
    expect(circuit.state).toMatchObject({ state: "open", calls: 2, failures: 2 });
    expect(await come(well)).toBe("well");
    expect(seen.of("breaker.opened")).toMatchObject([{ enforced: false }]);
    expect(seen.of("breaker.refused")).toMatchObject([{ nextProbeMs: 5_000, enforced: false }]);
    await clock.advance("5s");
    expect(await come(well)).toBe("well");
    expect(circuit.state.state).toBe("closed");
    expect(told().slice(-2)).toEqual(["breaker.halfOpened", "breaker.closed"]);
  });

  it("counts no call that it would not have let through", async () => {
    const { call, circuit, clock, come } = setup(observing);
    await come(down, 2);
    await come(down, 5);
    expect(circuit.state).toMatchObject({ state: "open", calls: 2, failures: 2 });
    await clock.advance("5s");
    const probe = later();
    const running = call(probe.act);
    await come(down); // beside the probe
    expect(circuit.state.state).toBe("halfOpen");
    probe.succeed();
    await running;
    expect(circuit.state.state).toBe("closed");
  });

  it("gives a permit also while it is open, whose outcome does not count", async () => {
    const { circuit, come, seen } = setup(observing);
    await come(down, 2);
    circuit.acquire()?.done({ ok: true, value: 1 });
    expect(circuit.state).toMatchObject({ state: "open", calls: 2 });
    expect(seen.of("breaker.refused")).toMatchObject([{ enforced: false, name: "ledger" }]);
  });

  it("lets calls through also while it is isolated", async () => {
    const { circuit, come, seen } = setup(observing);
    circuit.isolate();
    expect(await come(well)).toBe("well");
    expect(seen.of("breaker.refused")).toMatchObject([{ nextProbeMs: Number.POSITIVE_INFINITY, enforced: false }]);
  });

  it("reports whom its ramp would have turned away", async () => {
    const { clock, come, seen } = setup({ ...observing, ramp: "10s" }, () => 0.9);
    await come(down, 2);
    await clock.advance("5s");
    await come(well);
    expect(await come(well)).toBe("well");
    expect(seen.of("breaker.refused")).toMatchObject([{ nextProbeMs: 10_000, enforced: false }]);
  });
});

describe("a breaker that is off", () => {
  it("counts nothing, tells nothing and refuses nobody", async () => {
    const { circuit, call, come, told } = setup({ mode: "off", consecutiveFailures: 1 });
    await come(down, 20);
    circuit.acquire()?.done({ ok: false, error: new Error("cut") });
    circuit.isolate();
    expect(await come(well)).toBe("well");
    circuit.restore('{"version":1,"state":"isolated"}');
    await settledWith(call(down));
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
    expect(told()).toEqual([]);
  });
});
