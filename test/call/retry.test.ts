import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallContext, type Operation, pipe, protect, type RetryOptions, retry, settled } from "../../src/index.ts";
import { seams as put, script, seededRandom, testClock } from "../../src/testing/index.ts";
import { setup, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });

/** Fails so many times, then answers. */
function failing(times: number) {
  return script<string>(...Array.from({ length: times }, () => ({ error: down })), { value: "ok" });
}

describe("retry", () => {
  it("tries again until it succeeds, and gives that value", async () => {
    const { clock, seen } = setup();
    const operation = failing(2);
    const answer = pipe(operation, retry())("x");
    await clock.advance("1s");
    expect(await answer).toBe("ok");
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1, 2, 3]);
    expect(operation.calls.map(({ input }) => input)).toEqual(["x", "x", "x"]);
    expect(seen.of("retry.scheduled")).toMatchObject([
      { attempt: 2, delayMs: 50, kind: "transient" },
      { attempt: 3, delayMs: 100, kind: "transient" },
    ]);
    expect(seen.of("retry.exhausted")).toEqual([]);
  });

  it("calls nothing twice where the first time succeeds, and tells nothing", async () => {
    const { seen } = setup();
    const operation = failing(0);
    expect(await pipe(operation, retry())("x")).toBe("ok");
    expect(operation.calls).toHaveLength(1);
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
  });

  it("keeps every attempt's failure, and ends with the last one's very error", async () => {
    const { clock } = setup();
    const errors = ["first", "second", "third"].map((text) => new Error(text));
    const ended = settled(pipe(script(...errors.map((error) => ({ error }))), retry({ base: 10, jitter: "none" })))(
      "x",
    );
    await clock.advance("1s");
    const { ok, error, story } = (await ended) as {
      ok: false;
      error: unknown;
      story: { failures: readonly unknown[] };
    };
    expect([ok, error]).toEqual([false, errors[2]]);
    expect(story).toMatchObject({
      state: "failed",
      attempts: 3,
      failures: errors.map((one, i) => ({
        error: one,
        kind: "unknown",
        attempt: i + 1,
        tier: 0,
        startedAt: [0, 10, 30][i],
      })),
    });
  });

  it("hands each attempt what was tried before it", async () => {
    const { clock } = setup();
    const operation = failing(2);
    const answer = pipe(operation, retry())("x");
    await clock.advance("1s");
    await answer;
    expect(operation.calls.map(({ context }) => context.previous.map(({ attempt }) => attempt))).toEqual([
      [],
      [1],
      [1, 2],
    ]);
  });

  it.each([
    "oops",
    undefined,
    null,
    0,
    { reason: "plain" },
    new TypeError("Failed to fetch"),
    new TypeError("Load failed"),
  ])(
    "gives whatever is thrown (string, undefined, TypeError of any browser's fetch) to `when` and caller unchanged: %s",
    async (thrown) => {
      const { clock } = setup();
      const asked: unknown[] = [];
      const when: RetryOptions["when"] = (outcome) => asked.push(outcome.ok ? "a value" : outcome.error) > 0;
      const ended = watch(pipe(async () => Promise.reject(thrown), retry({ attempts: 3, when }))());
      await clock.advance("1s");
      expect(ended.at).toHaveProperty("error");
      expect((ended.at as { error: unknown }).error).toBe(thrown);
      expect(asked).toHaveLength(2);
      for (const one of asked) expect(one).toBe(thrown);
    },
  );

  it("leaves alone what another try cannot help: 400, 401, a bug, a spent quota", async () => {
    setup();
    for (const error of [
      Object.assign(new Error("bad"), { status: 400 }),
      Object.assign(new Error("who"), { status: 401 }),
      new TypeError("x is not a function"),
      Object.assign(new Error("spent"), { status: 429, code: "insufficient_quota" }),
    ]) {
      const operation = script({ error });
      await expect(pipe(operation, retry())("x")).rejects.toBe(error);
      expect(operation.calls).toHaveLength(1);
    }
  });

  it("tries an operation that throws before it gives a promise", async () => {
    const { clock } = setup();
    let calls = 0;
    const answer = pipe(
      (() => {
        if (++calls < 3) throw down;
        return Promise.resolve("ok");
      }) as Operation<void, string>,
      retry(),
    )();
    await clock.advance("1s");
    expect([await answer, calls]).toEqual(["ok", 3]);
  });
});

describe("`attempts`", () => {
  it("includes the first; 3 without a word", async () => {
    const { clock } = setup();
    for (const [options, calls] of [
      [{}, 3],
      [{ attempts: 1 }, 1],
      [{ attempts: 5 }, 5],
    ] as const) {
      const operation = failing(9);
      const ended = settled(pipe(operation, retry(options)))("x");
      await clock.advance("10s");
      expect(await ended).toMatchObject({ ok: false, error: down });
      expect(operation.calls).toHaveLength(calls);
    }
  });

  it("none left is reported only by the last failure", async () => {
    const { clock, seen } = setup();
    const ended = settled(pipe(failing(3), retry({ attempts: 3, base: 10, jitter: "none" })))("x");
    await clock.advance(29);
    expect(seen.of("retry.exhausted")).toEqual([]);
    await clock.advance(1);
    await ended;
    expect(seen.of("retry.exhausted")).toMatchObject([{ attempts: 3, kind: "transient", severity: "warning" }]);
    expect(seen.of("retry.scheduled")).toHaveLength(2);
  });

  it("ends also a `when` or delay function that always says again", async () => {
    const { clock } = setup();
    const operation = failing(99);
    const ended = settled(pipe(operation, retry({ attempts: 40, when: () => true, backoff: () => 0 })))("x");
    await clock.advance("1s");
    expect((await ended).ok).toBe(false);
    expect(operation.calls).toHaveLength(40);
  });

  it("ends a `when` that is never content with a value: it is delivered, none left", async () => {
    const { clock } = setup();
    const operation = script<number>({ value: 1 }, { value: 2 }, { value: 3 });
    const ended = settled(pipe(operation, retry({ attempts: 3, when: () => true })))("x");
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: true, value: 3, story: { state: "succeeded", attempts: 3 } });
  });
});

describe("`when`, on error and on result", () => {
  it.each([
    { how: "at once", when: (ready: boolean) => !ready },
    { how: "with a promise", when: async (ready: boolean) => !ready },
  ])("asks for another try of a value that is not there yet: $how", async ({ when }) => {
    const { clock } = setup();
    const poll = script<{ ready: boolean }>({ value: { ready: false } }, { error: down }, { value: { ready: true } });
    const call = protect("poll", poll, {
      retry: {
        attempts: 5,
        when: (outcome, verdict) => (outcome.ok ? when(outcome.value.ready) : (verdict?.retry ?? false)),
      },
    });
    const ended = settled(call)("x");
    await clock.advance("5s");
    expect(await ended).toMatchObject({ ok: true, value: { ready: true }, story: { attempts: 3 } });
  });
});

describe("`maxElapsed`", () => {
  it("begins no round later than this after the first", async () => {
    const { clock } = setup();
    const operation = failing(9);
    const options = { attempts: 9, backoff: "constant", base: 100, jitter: "none", maxElapsed: 250 } as const;
    const ended = settled(pipe(operation, retry(options)))("x");
    await clock.advance(200);
    expect((await ended).ok).toBe(false);
    expect(operation.calls).toHaveLength(3);
    expect(clock.monotonic()).toBe(200); // it did not wait to find out
  });
});

describe("whatever the options, the failures and the caller", () => {
  const durations = fc.integer({ min: 0, max: 2_000 });

  it("never more than the declared attempts, never one after the deadline, and an abort ends it at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          attempts: fc.integer({ min: 1, max: 6 }),
          backoff: fc.constantFrom("exponential", "linear", "constant"),
          base: durations,
          cap: durations,
          jitter: fc.constantFrom("full", "decorrelated", "none"),
        }),
        fc.record({ within: fc.integer({ min: 1, max: 6_000 }), takes: fc.integer({ min: 0, max: 700 }) }),
        fc.option(fc.integer({ min: 0, max: 6_000 }), { nil: undefined }),
        fc.array(fc.constantFrom("fails", "hints", "succeeds", "hangs"), { minLength: 6, maxLength: 6 }),
        fc.integer(),
        async (options, { within, takes }, abortAt, answers, seed) => {
          const clock = testClock();
          using _ = put({ clock, random: seededRandom(seed) });
          const begun: number[] = [];
          const operation = async (_: unknown, { signal }: CallContext) => {
            begun.push(clock.monotonic());
            const how = answers[begun.length - 1];
            if (how === "hangs") return new Promise<never>(() => {});
            await clock.sleep(takes, signal);
            if (how === "succeeds") return "ok";
            throw Object.assign(new Error("no"), {
              status: 503,
              ...(how === "hints" && { headers: { "retry-after": "1" } }),
            });
          };
          const caller = new AbortController();
          let endedAt = Number.NaN;
          const call = protect("x", operation, { deadline: within, retry: options as RetryOptions });
          const ended = settled(call)("x", { signal: caller.signal });
          const at = ended.then(() => {
            endedAt = clock.monotonic();
          });
          if (abortAt !== undefined) {
            await clock.advance(abortAt);
            caller.abort("gone");
          }
          await clock.advance("1h");
          await at;
          expect(begun.length).toBeLessThanOrEqual(options.attempts);
          expect(begun.every((one) => one < within)).toBe(true);
          expect(endedAt).toBeLessThanOrEqual(Math.min(within, abortAt ?? within));
          if (abortAt !== undefined) expect(begun.every((one) => one <= abortAt)).toBe(true);
          expect(clock.sleepers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
