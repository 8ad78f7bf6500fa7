// What breakers cost that nobody calls, and what is left of those that nobody refers to.
import type { EventEmitter } from "node:events";
import { reset } from "holdfast/testing";
import CircuitBreaker from "opossum";
import { describe, expect, it, vi } from "vitest";
import type { CircuitBracket } from "../../src/call/breaker/bracket.ts";
import { Circuits, mostKeys } from "../../src/call/breaker/keys.ts";
import { settingsOf } from "../../src/call/breaker/settings.ts";
import { type Breaker, breaker } from "../../src/call/breaker.ts";
import { LiveSeams } from "../../src/core/seams.ts";
import type { LayerSpec } from "../../src/core/stack.ts";
import { specOf, wrapperOf } from "../../src/core/wrapper.ts";
import { down, settledWith, well } from "./breaker-setup.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;

/** Whether all are gone after a while. */
async function collected(dropped: readonly WeakRef<object>[]): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    await settledWith(breaker()(down)()); // whatever keeps the last one keeps this
    await new Promise((resolve) => setTimeout(resolve, 5));
    reset(); // the stories of recent failures tell of the calls, and those of their layers
    gc();
    if (dropped.every((one) => one.deref() === undefined)) return true;
  }
  return false;
}

/** A breaker, and the circuit behind it. */
function partsOf(...breakers: readonly Breaker[]): WeakRef<object>[] {
  return breakers.flatMap((one) => {
    const { layer } = specOf(one) as LayerSpec;
    const { bracket } = layer as { readonly bracket: CircuitBracket };
    return [one, bracket, bracket.circuit].map((part) => new WeakRef<object>(part));
  });
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
      return [...partsOf(circuit), new WeakRef(call)];
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("open, isolated, closed by hand and opened again", async () => {
    const drop = async () => {
      const again = await opened();
      again.close();
      await settledWith(again(down)());
      const isolated = breaker();
      isolated.isolate();
      return partsOf(await opened(), again, isolated);
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
  it("hold no timer: that of 24 days, by which opossum would hold an open one, is cleared at once", async () => {
    const [set, cleared] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
    const rule = { failureRate: 1, minimumCalls: 1, slowCallRate: 1, slowCallDuration: Number.MIN_VALUE };
    const many = Array.from({ length: 10_000 }, () => breaker(rule));
    for (const circuit of many.slice(0, 100)) {
      await settledWith(circuit(down)());
      circuit.close();
      await settledWith(circuit(down)());
      expect(circuit.state.state).toBe("open");
    }
    const timers = set.mock.results.map(({ value }) => value as unknown);
    expect(timers.length).toBeGreaterThanOrEqual(400); // opossum counts the failures, and the slow calls
    const gone = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
    expect(timers.filter((timer) => !gone.has(timer))).toEqual([]);
    set.mockRestore();
    cleared.mockRestore();
  });

  const many = 10_000;

  async function bytesEach(make: () => Promise<object> | object): Promise<number> {
    const made = new Array<object>(many);
    for (let i = 0; i < 1_000; i++) made[i] = await make(); // what is compiled on the way is no breaker's
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < many; i++) made[i] = await make();
    gc();
    const bytes = (process.memoryUsage().heapUsed - before) / many;
    expect(made).toHaveLength(many);
    return bytes;
  }

  it("are cheap: less than a kilobyte each until they count", async () => {
    expect(await bytesEach(() => breaker())).toBeLessThan(1_024);
  });

  it("are as cheap when they have counted, beside opossum's own", async () => {
    const fail = () => Promise.reject(new Error("down"));
    const theirs = await bytesEach(() => {
      // as much as it needs to turn its window by hand
      const turning = { turn: () => {}, on: onTurn, listenerCount: none, removeListener: none };
      return new CircuitBreaker(fail, {
        name: "theirs",
        timeout: false,
        enableSnapshots: false,
        rollingPercentilesEnabled: false,
        rotateBucketController: turning as unknown as EventEmitter,
        resetTimeout: 2 ** 31 - 1,
        errorThresholdPercentage: 50.5,
        volumeThreshold: 10,
        rollingCountTimeout: 30_000,
        rollingCountBuckets: 10,
      });
    });
    const ours = await bytesEach(async () => {
      const circuit = breaker();
      await circuit(well)();
      return circuit;
    });

    expect(ours - theirs).toBeLessThan(1_024);
  });
});

function onTurn(this: { turn: () => void }, _: string, turn: () => void): void {
  this.turn = turn;
}

function none(): number {
  return 0;
}
