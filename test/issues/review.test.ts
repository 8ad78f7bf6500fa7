// What a first hard look at the whole found wrong.
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type Check, guard, OptionsInvalidError, pipe, protect, retry, settled } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

const down = Object.assign(new Error("down"), { status: 503 });

describe("maxElapsed of a retry", () => {
  it("counts from its own first round, not from what the call did before it", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const slowGuard = guard(z.string(), {
      checks: [
        async () => {
          await clock.sleep(200);
          return undefined;
        },
      ],
    });
    const operation = script({ error: down }, { value: 1 });
    const answered = pipe(operation, retry({ maxElapsed: "100ms", base: 1 }), slowGuard)("x");
    await clock.advance("1s");
    expect(await answered).toBe(1);
  });
});

describe("rounds without a wait", () => {
  it("go on under a framework's fake timers", async () => {
    vi.useFakeTimers();
    try {
      const call = protect("x", async () => Promise.reject(down), { retry: { attempts: 40, base: 0 } });
      const { story } = await settled(call)();
      expect(story.attempts).toBe(40);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a check in JavaScript", () => {
  it("that gives a list is taken to have found all of it", async () => {
    const found = [{ wanted: "a" }, "b"] as unknown as string;
    const call = protect("x", async (_: string) => 1, { guard: { checks: [() => found] } });
    const { error } = (await settled(call)("x")) as { error: Error };
    expect(error.message).toContain("wanted a; wanted b");
  });

  it("that gives what is no finding is a mistake of the check, and says so", async () => {
    const odd = (() => 5) as unknown as Check<string>;
    const call = protect("x", async (_: string) => 1, { guard: { checks: [odd] } });
    const { error } = (await settled(call)("x")) as { error: Error };
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain("A check gives what it found");
  });
});

describe("what cannot be meant says what is wanted, and whose it is", () => {
  const message = (make: () => unknown) => {
    try {
      make();
    } catch (error) {
      expect(error).toBeInstanceOf(OptionsInvalidError);
      return (error as Error).message;
    }
    return "nothing was wrong";
  };
  it.each<[what: string, make: () => unknown, says: string]>([
    ["no attempts", () => retry({ attempts: 0 }), "attempts: wanted at least 1, got 0"],
    ["a text for a number", () => retry({ attempts: "3" as never }), "attempts: wanted a number, got 3"],
    [
      "a word for a retry",
      () => protect("x", async () => 1, { retry: true as never }),
      "retry: wanted a retry, its options, or false",
    ],
    [
      "a breaker for a retry",
      () =>
        protect("x", async () => 1, {
          retry: pipe(retry(), (r) => Object.assign(() => r, { kind: "breaker" })) as never,
        }),
      "got a breaker",
    ],
    ["no operation", () => protect("charge", undefined as never), 'The options of "charge"'],
    ["no wrapper", () => pipe(async () => 1, 5 as never), "1: wanted a wrapper, such as retry(), got 5"],
    [
      "a wrapper that was not made",
      () => pipe(async () => 1, retry as never),
      "an operation goes to what `retry()` gives",
    ],
  ])("%s", (_, make, says) => {
    expect(message(make)).toContain(says);
  });
});

describe("a cost that is none", () => {
  it("spoils no sum, and makes it an estimate", async () => {
    const call = protect("x", async (_: undefined, { cost }) => {
      cost({ money: 1, inputTokens: Number.NaN });
      cost({ money: "x" as never, inputTokens: 5 });
    });
    const { story } = await settled(call)(undefined);
    expect(story.cost).toMatchObject({ money: 1, inputTokens: 5, estimated: true });
  });
});
