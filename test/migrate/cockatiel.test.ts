// What docs/migrate/cockatiel.md says of cockatiel is so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as cockatiel from "cockatiel";
import { ConsecutiveBreaker, ConstantBackoff, circuitBreaker, handleAll, handleType } from "cockatiel";
import { breaker, bulkhead, fallback, pipe, retry, settled, timeout } from "holdfast";
import { describe, expect, it } from "vitest";
import { repository } from "../package/project.ts";

const down = async (): Promise<string> => {
  throw new Error("down");
};
const never = () => new Promise<never>(() => {});

describe("cockatiel, beside holdfast", () => {
  it("an abort counts in a breaker that handles all; here it does not", async () => {
    const before = circuitBreaker(handleAll, { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(1) });
    const after = breaker({ consecutiveFailures: 1 });
    const waits = ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const caller = new AbortController();
    const both = [
      before.execute(waits, caller.signal),
      pipe((_: void, context: { signal: AbortSignal }) => waits(context), after)(undefined, { signal: caller.signal }),
    ];
    caller.abort();
    await Promise.allSettled(both);
    expect([before.state, after.state.state]).toEqual([cockatiel.CircuitState.Open, "closed"]);
  });

  it("a timeout says of a caller's abort that the time is over; here it is the caller's reason", async () => {
    const caller = new AbortController();
    const before = cockatiel.timeout(5_000, cockatiel.TimeoutStrategy.Aggressive).execute(never, caller.signal);
    const after = pipe(never, timeout("5s"))(undefined, { signal: caller.signal });
    caller.abort("gone");
    const [was, is] = await Promise.allSettled([before, after]);
    expect(was).toMatchObject({ reason: { message: expect.stringContaining("timed out") } });
    expect(is).toMatchObject({ reason: "gone" });
  });

  it("an abort in a bulkhead's queue is heard when its turn has come; here at once", async () => {
    let release = () => {};
    const held = () => new Promise<void>((resolve) => (release = resolve));
    const first = cockatiel.bulkhead(1, 1);
    const second = pipe(held, bulkhead({ concurrency: 1, queue: 1 }));
    const ends: string[] = [];
    const caller = new AbortController();
    const before = first.execute(held);
    const releaseBefore = release;
    const after = second();
    const waiting = [
      first.execute(never, caller.signal).catch((error) => ends.push(error.name)),
      second(undefined, { signal: caller.signal }).catch((reason) => ends.push(reason)),
    ];
    caller.abort("gone");
    await sleep(20);
    expect(ends).toEqual(["gone"]);
    releaseBefore();
    release();
    await Promise.all([before, after, ...waiting]);
    expect(ends).toHaveLength(2);
  });

  it("a fallback answers for a caller who has left; here the call ends with the caller's reason", async () => {
    const left = AbortSignal.abort("gone");
    const before = cockatiel
      .fallback(handleAll, "an answer")
      .execute(async ({ signal }) => signal.throwIfAborted(), left);
    const after = pipe(down, fallback([async () => "an answer"]))(undefined, { signal: left });
    expect(await before).toBe("an answer");
    await expect(after).rejects.toBe("gone");
  });

  it("an error that a policy does not handle closes a half-open breaker", async () => {
    const circuit = circuitBreaker(handleType(TypeError), { halfOpenAfter: 5, breaker: new ConsecutiveBreaker(1) });
    await circuit.execute(() => Promise.reject(new TypeError("counts"))).catch(() => {});
    await sleep(30);
    await circuit.execute(down).catch(() => {});
    expect(circuit.state).toBe(cockatiel.CircuitState.Closed);
  });

  it("a retry round a breaker spends its attempts on refusals; here a refusal takes none", async () => {
    const circuit = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) });
    const again = cockatiel.retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(1) });
    let waits = 0;
    again.onRetry(() => waits++);
    await cockatiel
      .wrap(again, circuit)
      .execute(down)
      .catch(() => {});
    expect(waits).toBe(3);

    const call = pipe(down, breaker({ consecutiveFailures: 1, breakTime: "1m" }), retry({ attempts: 4, base: 1 }));
    expect((await settled(call)()).story.attempts).toBe(1);
  });

  it("a retry without options neither waits nor ends", async () => {
    let calls = 0;
    const from = performance.now();
    await cockatiel.retry(handleAll, {}).execute(() => (++calls < 100 ? down() : "up"));
    expect(calls).toBe(100);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it("what is no longer isolated is closed, also in the middle of a break; here the break goes on", async () => {
    const before = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) });
    const after = breaker({ consecutiveFailures: 1, breakTime: "1m" });
    await Promise.allSettled([before.execute(down), pipe(down, after)()]);
    before.isolate().dispose();
    after.isolate()();
    expect([before.state, after.state.state]).toEqual([cockatiel.CircuitState.Closed, "open"]);
  });

  it("it has no dependency", () => {
    expect(
      JSON.parse(readFileSync(join(repository, "node_modules/cockatiel/package.json"), "utf8")).dependencies ?? {},
    ).toEqual({});
  });
});
