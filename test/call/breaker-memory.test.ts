// What breakers cost that nobody calls, and what is left of those that nobody refers to.
import { describe, expect, it } from "vitest";
import { type Breaker, breaker } from "../../src/call/breaker.ts";
import { Circuits, mostKeys } from "../../src/call/breakerKeys.ts";
import { settingsOf } from "../../src/call/breakerSettings.ts";
import { LiveSeams } from "../../src/core/seams.ts";
import { wrapperOf } from "../../src/core/wrapper.ts";
import { down, settledWith, well } from "./breaker-setup.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;

/** Whether all are gone after a while. */
async function collected(dropped: readonly WeakRef<object>[]): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
    if (dropped.every((one) => one.deref() === undefined)) return true;
  }
  return false;
}

async function opened(): Promise<Breaker> {
  const circuit = breaker({ consecutiveFailures: 1 });
  await settledWith(circuit(down)());
  expect(circuit.state.state).toBe("open");
  return circuit;
}

describe("a wrapper nobody refers to any more is collected: no module-wide list holds it", () => {
  it("closed, after it has counted", async () => {
    const drop = async () => {
      const circuit = breaker();
      const call = circuit(well);
      await call();
      await settledWith(circuit(down)());
      return [new WeakRef(circuit), new WeakRef(call)];
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("open, though opossum's own would be held by a timer of 24 days", async () => {
    const drop = async () => new WeakRef(await opened());
    expect(await collected(await Promise.all([drop(), drop(), drop()]))).toBe(true);
  });

  it("opened a second time, isolated, or opened by its slow calls", async () => {
    const drop = async () => {
      const circuit = await opened();
      circuit.close();
      await settledWith(circuit(down)());
      const isolated = breaker();
      isolated.isolate();
      const slow = breaker({ slowCallRate: 1, slowCallDuration: Number.MIN_VALUE, minimumCalls: 1 });
      await slow(() => new Promise((resolve) => setTimeout(resolve, 2)))();
      expect(slow.state.state).toBe("open");
      return [circuit, isolated, slow].map((one) => new WeakRef(one));
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("a circuit whose key was forgotten, open too", async () => {
    const circuits = new Circuits(settingsOf({ consecutiveFailures: 1 }), new LiveSeams());
    const drop = async () => {
      const bracket = circuits.at("forgotten");
      await settledWith(wrapperOf({ kind: "breaker", options: {}, layer: { bracket } })(down)());
      expect(bracket.circuit.phase.is).toBe("open");
      return new WeakRef(bracket.circuit);
    };
    const dropped = await drop();
    for (let i = 0; i < mostKeys; i++) circuits.at(`a${i}`).circuit.isolate({ name: "", component: "" });
    expect(circuits.known("forgotten")).toBeUndefined();
    expect(await collected([dropped])).toBe(true);
  });
});

describe("ten thousand breakers", () => {
  it("hold no timer, whatever their state", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const circuits: Breaker[] = [];
    for (let i = 0; i < 100; i++) circuits.push(await opened());
    for (let i = 0; i < 9_900; i++) circuits.push(breaker());
    expect(timers()).toBe(before);
    expect(circuits).toHaveLength(10_000);
  });

  it("are cheap: about a kilobyte each until they count", () => {
    const many = new Array<Breaker>(10_000);
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < many.length; i++) many[i] = breaker();
    gc();
    const bytes = (process.memoryUsage().heapUsed - before) / many.length;
    expect(bytes).toBeLessThan(1_300);
    expect(many[9_999]?.state.state).toBe("closed");
  });
});
