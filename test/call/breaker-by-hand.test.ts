// A breaker in somebody's hands: isolated, closed, asked for a permit, saved and restored.
import { BreakerOpenError, OptionsInvalidError, pipe, retry } from "holdfast";
import { reset, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { breaker } from "../../src/call/breaker.ts";
import { readyIn } from "../../src/core/stack.ts";
import { down, later, never, notFound, settledWith, setup, start, well } from "./breaker-setup.ts";

const trips = { consecutiveFailures: 1, breakTime: "5s" } as const;
const failed = { ok: false, error: new Error("cut") } as const;
const fine = { ok: true, value: 1 } as const;

describe("isolate", () => {
  it("refuses all calls until its undo, and says so", async () => {
    const { circuit, clock, come, seen } = setup();
    await come(down);
    const undo = circuit.isolate();
    expect(circuit.state).toEqual({ state: "isolated", since: start, calls: 1, failures: 1 });
    await clock.advance("1h");
    const refused = (await come(well)) as BreakerOpenError;
    expect(refused.code).toBe("BREAKER_OPEN");
    expect(refused.retryAfterMs).toBeUndefined();
    expect(refused.message).toBe(
      '"pay" is not being called: it was isolated by hand (breaker "ledger"). It stays so until it is closed by hand.',
    );
    undo();
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
    expect(await come(well)).toBe("well");
    expect(seen.of("breaker.opened")).toMatchObject([
      { why: "isolated", breakMs: Number.POSITIVE_INFINITY, calls: 1, failures: 1, name: "ledger", call: undefined },
    ]);
    expect(seen.of("breaker.refused")).toMatchObject([
      { nextProbeMs: Number.POSITIVE_INFINITY, call: refusedCall(seen) },
    ]);
    expect(seen.of("breaker.closed")).toMatchObject([{ openMs: 3_600_000, name: "ledger" }]);
  });

  it("reports no failed call for an idle caller: nothing but that it opened", () => {
    const { circuit, seen } = setup();
    circuit.isolate();
    expect(seen.events.map(({ type }) => type)).toEqual(["breaker.opened"]);
  });

  it("by several lasts until the last has undone it; an undo counts once", async () => {
    const { circuit, told } = setup();
    const [first, second] = [circuit.isolate(), circuit.isolate()];
    first();
    first();
    expect(circuit.state.state).toBe("isolated");
    second();
    expect(circuit.state.state).toBe("closed");
    expect(told()).toEqual(["breaker.opened", "breaker.closed"]);
  });

  it("laid over an open one goes back to the rest of its break", async () => {
    const { circuit, clock, come, told } = setup(trips);
    await come(down);
    const undo = circuit.isolate();
    await clock.advance("3s");
    undo();
    expect(circuit.state).toMatchObject({ state: "open", since: start, nextProbeMs: 2_000 });
    const again = circuit.isolate();
    await clock.advance("2s");
    again();
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
    expect(told()).toEqual(["breaker.opened", "breaker.opened", "breaker.opened"]);
  });

  it("leaves a probe on its way without a say", async () => {
    const { call, circuit, clock, come } = setup(trips);
    await come(down);
    await clock.advance("5s");
    const probe = later();
    const running = call(probe.act);
    const undo = circuit.isolate();
    probe.succeed();
    await running;
    expect(circuit.state.state).toBe("isolated");
    undo();
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
  });

  it("is ended by close, and its undo does nothing afterwards", async () => {
    const { circuit, come } = setup();
    const undo = circuit.isolate();
    circuit.close();
    expect(circuit.state.state).toBe("closed");
    const again = circuit.isolate();
    undo();
    expect(circuit.state.state).toBe("isolated");
    again();
    expect(await come(well)).toBe("well");
  });

  it("has no use to wait for: retry gives up at once", async () => {
    const { circuit, clock } = setup();
    circuit.isolate();
    await expect(pipe(well, circuit, retry({}, { clock }))()).rejects.toBeInstanceOf(BreakerOpenError);
    expect(clock.sleepers).toBe(0);
  });
});

describe("close", () => {
  it("closes it at once, with nothing counted and the break time as at first", async () => {
    const { circuit, clock, come, seen } = setup(trips);
    await come(down);
    await clock.advance("5s");
    await come(down);
    circuit.close();
    expect(circuit.state).toEqual({ state: "closed", since: start + 5_000, calls: 0, failures: 0 });
    expect(await come(well)).toBe("well");
    await come(down);
    expect(circuit.state.nextProbeMs).toBe(5_000);
    expect(seen.of("breaker.closed")).toMatchObject([{ openMs: 5_000, call: undefined, name: "ledger" }]);
  });

  it("of a closed one forgets what was counted, and tells nothing", async () => {
    const { circuit, come, told } = setup();
    await come(down, 9);
    circuit.close();
    expect(circuit.state).toMatchObject({ calls: 0, failures: 0 });
    expect(told()).toEqual([]);
  });
});

describe("a permit", () => {
  it("counts what it is told, once", () => {
    const { circuit } = setup();
    const permit = circuit.acquire();
    permit?.done(failed);
    permit?.done(failed);
    permit?.done(fine);
    expect(circuit.state).toMatchObject({ calls: 1, failures: 1 });
  });

  it("is judged like a call: by the error, by a value that tells of a failure, by `when`", () => {
    const { circuit, seen } = setup({ when: (_, verdict) => verdict?.kind !== undefined });
    circuit.acquire()?.done({ ok: true, value: new Response(null, { status: 404 }) });
    circuit.acquire()?.done(fine);
    expect(circuit.state).toMatchObject({ calls: 2, failures: 1 });
    const plain = setup();
    plain.circuit.acquire()?.done({ ok: true, value: new Response(null, { status: 404 }) });
    plain.circuit.acquire()?.done({ ok: true, value: new Response(null, { status: 500 }) });
    expect(plain.circuit.state).toMatchObject({ calls: 1, failures: 1 });
    expect(plain.seen.of("breaker.ignored")).toMatchObject([{ kind: "invalid", call: undefined, name: "ledger" }]);
    expect(seen.of("breaker.ignored")).toEqual([]);
  });

  it("is not given while it is open, and the refusal is told", async () => {
    const { circuit, clock, come, seen } = setup(trips);
    await come(down);
    expect(circuit.acquire()).toBeUndefined();
    expect(seen.of("breaker.refused")).toMatchObject([{ nextProbeMs: 5_000, name: "ledger", call: undefined }]);
    await clock.advance("5s");
    const permit = circuit.acquire();
    expect(circuit.acquire()).toBeUndefined();
    permit?.done(fine);
    expect(circuit.state.state).toBe("closed");
  });

  it("whose outcome does not count gives its half-open place back", async () => {
    const { circuit, clock, come } = setup(trips);
    await come(down);
    await clock.advance("5s");
    const error = await notFound().catch((thrown: unknown) => thrown);
    circuit.acquire()?.done({ ok: false, error });
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 0 });
  });

  it("that is never done is leased", async () => {
    const { circuit, clock, come } = setup(trips);
    await come(down);
    await clock.advance("5s");
    circuit.acquire();
    expect(circuit.state).toMatchObject({ state: "halfOpen", nextProbeMs: 1_000 });
    await clock.advance("10s");
    expect(circuit.acquire()).toBeDefined();
  });

  it("given before a change says nothing after it", async () => {
    const { circuit, come } = setup({ minimumCalls: 2 });
    const permit = circuit.acquire();
    await come(down, 2);
    circuit.close();
    permit?.done(failed);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
    circuit.acquire()?.done(failed); // given after it, though no call has begun since
    expect(circuit.state).toMatchObject({ calls: 1, failures: 1 });
  });

  it("is timed: what it took may be slow", async () => {
    const { circuit, clock } = setup({ slowCallRate: 1, slowCallDuration: "1s", minimumCalls: 1 });
    const permit = circuit.acquire();
    await clock.advance("2s");
    permit?.done(fine);
    expect(circuit.state.state).toBe("open");
  });

  it("can be asked for by a function taken out of its breaker", () => {
    const { acquire, isolate, close } = breaker();
    expect(acquire()).toBeDefined();
    isolate();
    expect(acquire()).toBeUndefined();
    close();
    expect(acquire()).toBeDefined();
  });
});

describe("a saved state", () => {
  it("of an open breaker, restored later, breaks only for the rest of its time and counts nothing", async () => {
    const before = setup(trips);
    await before.come(down);
    const saved = before.circuit.save();
    const after = setup(trips);
    await after.clock.advance("2s");
    after.circuit.restore(saved);
    expect(after.circuit.state).toEqual({ state: "open", since: start, nextProbeMs: 3_000, calls: 0, failures: 0 });
    expect(((await after.come(well)) as BreakerOpenError).message).toContain("it failed too often in a row");
    await after.clock.advance("3s");
    expect(after.circuit.state.state).toBe("halfOpen");
    expect(await after.come(well)).toBe("well");
    expect(after.circuit.state).toMatchObject({ state: "closed", calls: 0, failures: 0 });
    expect(after.seen.of("breaker.opened")).toMatchObject([
      { breakMs: 3_000, failures: 0, why: "consecutiveFailures" },
    ]);
    expect(after.seen.of("breaker.closed")).toMatchObject([{ openMs: 5_000 }]);
  });

  it("whose break is over is half-open at once", async () => {
    const before = setup(trips);
    await before.come(down);
    const after = setup(trips);
    await after.clock.advance("1h");
    after.circuit.restore(before.circuit.save());
    expect(after.circuit.state).toMatchObject({ state: "halfOpen", since: start + 5_000 });
    expect(after.told()).toEqual([]);
  });

  it("goes on growing its breaks", async () => {
    const before = setup(trips);
    await before.come(down);
    await before.clock.advance("5s");
    await before.come(down);
    const after = setup(trips);
    await after.clock.advance("5s");
    after.circuit.restore(before.circuit.save());
    expect(after.circuit.state.nextProbeMs).toBe(10_000);
    await after.clock.advance("10s");
    await after.come(down);
    expect(after.circuit.state.nextProbeMs).toBe(20_000);
  });

  it("from a clock that is ahead breaks no longer than the whole break", async () => {
    const before = setup(trips);
    await before.clock.advance("1h");
    await before.come(down);
    const after = setup(trips);
    after.circuit.restore(before.circuit.save());
    expect(after.circuit.state.nextProbeMs).toBe(5_000);
  });

  it("may be closed or isolated too", () => {
    const { circuit } = setup();
    const closed = circuit.save();
    circuit.isolate();
    const isolated = circuit.save();
    circuit.restore(closed);
    expect(circuit.state.state).toBe("closed");
    circuit.restore(isolated);
    expect(circuit.state.state).toBe("isolated");
    circuit.close();
    expect(circuit.state.state).toBe("closed");
  });

  it("restored leaves what is on its way without a say", async () => {
    const { call, circuit } = setup({ minimumCalls: 2, failureRate: 1 });
    const saved = circuit.save();
    const [one, two] = [later(), later()];
    const running = [one, two].map(({ act }) => settledWith(call(act)));
    circuit.restore(saved);
    one.fail();
    two.fail();
    await Promise.all(running);
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
  });

  it.each([
    "",
    "open",
    "null",
    "[]",
    '{"version":2,"state":"closed"}',
    '{"version":1,"state":"open"}',
    '{"version":1,"state":"open","at":0,"ms":-1,"why":"failureRate","failedProbes":0}',
    '{"version":1,"state":"open","at":0,"ms":1e999,"why":"failureRate","failedProbes":0}',
    undefined as never,
  ])("that is none (%j) is told so, and changes nothing", (text) => {
    const { circuit } = setup();
    const undo = circuit.isolate();
    expect(() => circuit.restore(text)).toThrow(OptionsInvalidError);
    expect(circuit.state.state).toBe("isolated");
    undo();
  });
});

describe("ready", () => {
  it("is how many ms it would take to be admitted, and takes nothing", async () => {
    const { call, circuit, clock, come } = setup(trips);
    const ready = () => readyIn(call, well);
    expect(ready()).toBe(0);
    await come(down);
    expect(ready()).toBe(5_000);
    await clock.advance("5s");
    expect([ready(), ready()]).toEqual([0, 0]);
    void call(never);
    expect(ready()).toBe(1_000);
    circuit.isolate();
    expect(ready()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("reset", () => {
  it("makes every breaker as new, with what was on its way before it uncounted", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const circuit = breaker({ minimumCalls: 2, failureRate: 1 });
    const call = circuit((act: () => unknown) => act() as Promise<unknown>);
    const old = later();
    const running = settledWith(call(old.act));
    circuit.isolate();
    reset();
    using __ = seams({ clock });
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
    await settledWith(call(down));
    old.fail();
    await running;
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 1 });
    await settledWith(call(down));
    expect(circuit.state.state).toBe("open");
    reset();
    using ___ = seams({ clock });
    expect(await call(well)).toBe("well");
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 0 });
  });
});

function refusedCall({ events }: ReturnType<typeof setup>["seen"]): string | undefined {
  return events.findLast(({ type }) => type === "breaker.refused")?.call;
}
