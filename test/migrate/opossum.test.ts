// What docs/migrate/opossum.md says of opossum is so.
import { setTimeout as sleep } from "node:timers/promises";
import { breaker, fallback, pipe } from "holdfast";
import CircuitBreaker from "opossum";
import { describe, expect, it, onTestFinished, vi } from "vitest";

const down = async (): Promise<string> => {
  throw new Error("down");
};
const never = () => new Promise<never>(() => {});

describe("opossum, beside holdfast", () => {
  it("calls that it refused divide the rate, so that more failures are needed after a break; here they do not", async () => {
    const before = new CircuitBreaker(down);
    const after = breaker({ minimumCalls: 1 });
    const call = pipe(down, after);
    const states: boolean[][] = [];
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20; i++) await Promise.allSettled([before.fire(), call()]);
      states.push([before.opened, after.state.state === "open"]);
      before.close();
      after.close();
      await Promise.allSettled([before.fire(), call()]);
      states.push([before.opened, after.state.state === "open"]);
    }
    before.shutdown();
    expect(states[0]).toEqual([true, true]);
    expect(states[1]).toEqual([false, true]); // one failure after a break
  });

  it("a call for which there is no place counts as a failure", async () => {
    const circuit = new CircuitBreaker(never, { capacity: 1, timeout: false });
    void circuit.fire();
    for (let i = 0; i < 2; i++) await expect(circuit.fire()).rejects.toMatchObject({ code: "ESEMLOCKED" });
    expect(circuit.opened).toBe(true);
    circuit.shutdown();
  });

  it("an error that it filters out closes a half-open circuit; here it counts neither way", async () => {
    let fails = "down";
    const failing = () => Promise.reject(new Error(fails));
    const before = new CircuitBreaker(failing, { resetTimeout: 5, errorFilter: (error) => error.message === "mine" });
    const after = breaker({
      consecutiveFailures: 1,
      breakTime: 5,
      when: ({ ok, ...outcome }) => !ok && "error" in outcome && (outcome.error as Error).message !== "mine",
    });
    const call = pipe(failing, after);
    await Promise.allSettled([before.fire(), call()]);
    await sleep(30);
    fails = "mine";
    await Promise.allSettled([before.fire(), call()]);
    expect([before.closed, after.state.state]).toEqual([true, "halfOpen"]);
    before.shutdown();
  });

  it("a listener that throws makes a failure of a success", async () => {
    const circuit = new CircuitBreaker(async () => "fine");
    circuit.on("success", () => {
      throw new Error("a listener that breaks");
    });
    await expect(circuit.fire()).rejects.toThrow("a listener that breaks");
    circuit.shutdown();
  });

  it("what has timed out gives its place free while it runs on, and its signal is that of all calls", async () => {
    const abortController = new AbortController();
    let running = 0;
    const circuit = new CircuitBreaker(
      () => {
        running++;
        return never();
      },
      { capacity: 1, timeout: 5, abortController },
    );
    for (let i = 0; i < 2; i++) {
      circuit.close();
      await expect(circuit.fire()).rejects.toMatchObject({ code: "ETIMEDOUT" });
      expect(abortController.signal.aborted).toBe(true); // of the next call too
    }
    expect(running).toBe(2);
    circuit.shutdown();
  });

  it("a rate of 100 never opens it, and `maxFailures` is only warned of", async () => {
    const warned = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const circuit = new CircuitBreaker(down, { errorThresholdPercentage: 100, maxFailures: 1 });
    for (let i = 0; i < 20; i++) await circuit.fire().catch(() => {});
    expect([circuit.opened, warned.mock.calls.length]).toEqual([false, 1]);
    circuit.shutdown();
  });

  it("without a timeout, a probe that never ends keeps all others out", async () => {
    let hangs = false;
    const circuit = new CircuitBreaker(() => (hangs ? never() : down()), { resetTimeout: 5, timeout: false });
    await circuit.fire().catch(() => {});
    await sleep(30);
    hangs = true;
    void circuit.fire();
    await sleep(30);
    await expect(circuit.fire()).rejects.toMatchObject({ code: "EOPENBREAKER" });
    circuit.shutdown();
  });

  it("what was opened by hand is tried again by a timer; what is isolated here is not", async () => {
    const before = new CircuitBreaker(async () => "fine", { resetTimeout: 5 });
    const after = breaker({ breakTime: 5 });
    before.open();
    after.isolate();
    await sleep(30);
    expect([before.halfOpen, after.state.state]).toEqual([true, "isolated"]);
    before.shutdown();
  });

  it("a fallback answers for a 404; here the caller gets it", async () => {
    const missing = () => Promise.reject(Object.assign(new Error("no such thing"), { status: 404 }));
    const before = new CircuitBreaker(missing);
    before.fallback(() => "covered up");
    const after = pipe(missing, fallback([async () => "covered up"]));
    expect(await before.fire()).toBe("covered up");
    await expect(after(undefined)).rejects.toThrow("no such thing");
    before.shutdown();
  });
});
