// What docs/migrate/p-retry.md says of p-retry is so.
import { setTimeout as sleep } from "node:timers/promises";
import { deadline, pipe, retry } from "holdfast";
import pRetry, { AbortError } from "p-retry";
import { describe, expect, it, onTestFinished, vi } from "vitest";

const down = async (): Promise<string> => {
  throw new Error("down");
};
const never = () => new Promise<never>(() => {});

describe("p-retry, beside holdfast", () => {
  it("its limit of time does not end an attempt that hangs; a deadline does", async () => {
    const ended = await Promise.race([pRetry(never, { maxRetryTime: 5 }), sleep(50, "still waiting")]);
    expect(ended).toBe("still waiting");
    await expect(pipe(never, retry(), deadline(5))()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("with its defaults a call waits for 17 minutes before it gives up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let waited = 0;
    const onFailedAttempt = ({ retryDelay }: { retryDelay: number }) => {
      waited += retryDelay;
    };
    const ended = pRetry(down, { onFailedAttempt }).catch((error) => error.message);
    await vi.runAllTimersAsync();
    expect([await ended, Math.round(waited / 60_000)]).toEqual(["down", 17]);
  });

  it("a callback that throws ends the call with its own error", async () => {
    const onFailedAttempt = () => {
      throw new Error("a callback that breaks");
    };
    await expect(pRetry(down, { onFailedAttempt, minTimeout: 1 })).rejects.toThrow("a callback that breaks");
  });

  it("its AbortError ends a retry here too, and is what the caller gets; there it is what was in it", async () => {
    const thrown = new AbortError("no such user");
    let calls = 0;
    const gives = async (): Promise<never> => {
      calls++;
      throw thrown;
    };
    await expect(pRetry(gives, { minTimeout: 1 })).rejects.toBe(thrown.originalError);
    await expect(pipe(gives, retry({ base: 1 }))()).rejects.toBe(thrown);
    expect(calls).toBe(2);
  });

  it("`retryable: false` on an error does the same", async () => {
    let calls = 0;
    const gives = async () => {
      calls++;
      throw Object.assign(new Error("final"), { retryable: false });
    };
    await expect(pipe(gives, retry({ base: 1 }))()).rejects.toThrow("final");
    expect(calls).toBe(1);
  });
});
