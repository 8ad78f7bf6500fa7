// Calls that are in flight when their options change: none is lost, and each goes on by what is said at its next decision.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type CallContext,
  type Change,
  configure,
  eventBus,
  explain,
  HoldfastError,
  InputRejectedError,
  OutputRejectedError,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../src/index.ts";
import { record, script, seededRandom, testClock } from "../src/testing/index.ts";
import { moments, refuse, setup, turn, watch } from "./composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const hangs = () => new Promise<string>(() => {});
const fails = async (): Promise<string> => Promise.reject(down);

describe("a time-out", () => {
  it("of an attempt under way keeps its number, in its error too; the next one has the new", async () => {
    const { clock } = setup();
    const call = protect("x", hangs, { timeout: "2s", retry: { attempts: 2, base: 0 } });
    const running = settled(call)();
    await clock.advance("1s");
    configure(call, { timeout: "500ms" });
    const later = watch(call());
    await clock.advance("500ms");
    expect(later.at).toBeUndefined();
    await clock.advance("500ms"); // the first attempt of `running` and the second of `later`
    expect(later.at).toMatchObject({ error: { afterMs: 500 } });
    await clock.advance("500ms");
    const { story } = await running;
    expect(story.failures.map(({ error, startedAt, elapsedMs }) => [startedAt, elapsedMs, error])).toMatchObject([
      [0, 2_000, { afterMs: 2_000 }],
      [2_000, 500, { afterMs: 500 }],
    ]);
  });

  it("that becomes endless, and again an end, needs no new layer", async () => {
    const { clock, caller } = setup();
    const call = protect("x", hangs, { timeout: "2s" });
    const undo = configure(call, { timeout: Number.POSITIVE_INFINITY });
    const gone = caller();
    const endless = watch(call(undefined, { signal: gone.signal }));
    await clock.advance("1h");
    expect(endless.at).toBeUndefined();
    undo();
    const ends = watch(call());
    await clock.advance("2s");
    expect([endless.at, ends.at]).toMatchObject([undefined, { error: { afterMs: 2_000 } }]);
    gone.abort("enough");
    await turn();
  });

  it("round a retry, as a scope, is read when the scope begins", async () => {
    const { clock } = setup();
    const call = pipe(hangs, retry({ attempts: 9 }), timeout("2s"));
    const first = watch(call());
    configure(call, { timeout: "1s" });
    const second = watch(call());
    await clock.advance("1s");
    expect([first.at, second.at]).toMatchObject([undefined, { error: { afterMs: 1_000 } }]);
    await clock.advance("1s");
    expect(first.at).toMatchObject({ error: { afterMs: 2_000 } });
  });

  it("of the declaration changes with its tiers; a tier's own stays", async () => {
    const { clock } = setup();
    const call = protect("x", fails, {
      timeout: "2s",
      fallback: [() => hangs(), { name: "own", operation: () => hangs(), timeout: "5s" }],
    });
    configure(call, { timeout: "1s" });
    const ended = settled(call)();
    await clock.advance("10s");
    const { story } = await ended;
    expect(story.failures.slice(1).map(({ error }) => error)).toMatchObject([{ afterMs: 1_000 }, { afterMs: 5_000 }]);
  });
});

describe("a deadline", () => {
  it("of a call under way keeps its time, and what it says of it; the next call has the new", async () => {
    const { clock } = setup();
    const contexts: CallContext[] = [];
    const operation = (_: void, context: CallContext) => {
      contexts.push(context);
      return hangs();
    };
    const call = protect("x", operation, { deadline: "4s", breaker: { minimumCalls: 1 } });
    const first = watch(call());
    await clock.advance("1s");
    configure(call, { deadline: "20s" });
    const second = watch(call());
    expect(contexts.map(({ deadlineAt }) => deadlineAt)).toEqual([4_000, 21_000]);
    await clock.advance("3s");
    expect([first.at, second.at]).toMatchObject([{ error: { code: "DEADLINE_EXCEEDED" } }, undefined]);
    // it had the whole of its deadline as it was then, so it counts against what was called
    expect(explain(call).find(({ kind }) => kind === "breaker")?.state).toMatchObject({ state: "open" });
    await clock.advance("17s");
    expect(second.at).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
  });
});

describe("a retry", () => {
  it.each([
    { attempts: 5, why: "more" },
    { attempts: 2, why: "fewer" },
  ])("under way goes on by the rounds that are said now: $why", async ({ attempts }) => {
    const { clock, seen } = setup();
    const operation = script<string>(...Array(9).fill({ error: down }));
    const call = protect("x", operation, { retry: { attempts: 3, base: 1_000, jitter: "none", backoff: "constant" } });
    const ended = watch(call(undefined));
    await clock.advance(500); // in the first wait
    configure(call, { retry: { attempts } });
    await clock.advance("1m");
    expect(operation.calls).toHaveLength(attempts);
    expect(ended.at).toEqual({ error: down });
    expect(seen.of("retry.exhausted")).toMatchObject([{ attempts }]);
  });

  it("ends at its next decision where fewer rounds are said than it has had", async () => {
    const { clock } = setup();
    const operation = script<string>(...Array(9).fill({ error: down }));
    const call = protect("x", operation, { retry: { attempts: 9, base: 10, jitter: "none", backoff: "constant" } });
    const ended = watch(call(undefined));
    await clock.advance(35);
    configure(call, { retry: { attempts: 1 } });
    await clock.advance("1m");
    expect([operation.calls.length, ended.at]).toEqual([5, { error: down }]);
  });

  it("waits as long as was said when the wait began, and the next as is said then", async () => {
    const { clock, seen } = setup();
    const call = protect("x", fails, { retry: { attempts: 3, base: 1_000, jitter: "none", backoff: "constant" } });
    const ended = watch(call());
    await clock.advance(500);
    configure(call, { retry: { base: 20 } });
    await clock.advance(520);
    expect(ended.at).toEqual({ error: down });
    expect(seen.of("retry.scheduled").map(({ delayMs }) => delayMs)).toEqual([1_000, 20]);
  });

  it("has patience as is said now, less what it has waited", async () => {
    const { clock, seen } = setup();
    const busy = moments().bracket("busy", {
      before: () => refuse(new HoldfastError("busy", { code: "LOAD_SHED", retryAfterMs: 100 })),
    });
    const call = pipe(async () => "ok", busy, retry());
    const waited = () => seen.of("retry.scheduled").length;
    const impatient = watch(call());
    await clock.advance("10s");
    expect([impatient.at, waited()]).toEqual([{ error: expect.objectContaining({ code: "LOAD_SHED" }) }, 3]); // of 1 s
    const patient = watch(call());
    await clock.advance(100);
    configure(call, { retry: { patience: "2s" } });
    await clock.advance("10s");
    expect([patient.at, waited() - 3]).toEqual([{ error: expect.objectContaining({ code: "LOAD_SHED" }) }, 5]);
  });

  it("asks a `when` that was not there before, of values too, of calls in flight as well", async () => {
    const { clock } = setup({ watched: false });
    const operation = script<string>({ value: "no", after: "1s" }, { value: "yes" }, { value: "no" });
    const call = protect("x", operation, { retry: { attempts: 5, base: 0 } });
    const ended = watch(call(undefined));
    const undo = configure(call, { retry: { when: (outcome) => outcome.ok && outcome.value === "no" } });
    await clock.advance("1s");
    expect(ended.at).toEqual({ value: "yes" });
    undo();
    expect(await call(undefined)).toBe("no");
  });
});

describe("guard and gate", () => {
  it("ask what is said now, on every tier", async () => {
    setup();
    const call = protect("x", async (text: string) => text, { input: z.string(), output: z.string(), retry: {} });
    const undo = configure(call, {
      guard: { checks: [(text: string) => (text === "" ? "a text" : undefined)], secret: [""] },
      gate: { checks: [(text: string) => (text.length > 3 ? "at most 3 letters" : undefined)] },
      retry: { attempts: 1 },
    });
    await expect(call("")).rejects.toBeInstanceOf(InputRejectedError);
    await expect(call("four")).rejects.toBeInstanceOf(OutputRejectedError);
    expect(await call("yes")).toBe("yes");
    undo();
    expect([await call(""), await call("four")]).toEqual(["", "four"]);
    const chain = protect("y", fails, { output: z.string(), fallback: [async () => "from the tier"] });
    configure(chain, { gate: { repair: [(text) => `${text}, repaired`] } });
    expect(await chain()).toBe("from the tier, repaired");
  });

  it("correct by what is said now", async () => {
    const call = protect("x", async ({ n }: { n: number }) => n, { input: z.object({ n: z.number().max(9) }) });
    configure(call, { guard: { correct: { n: "clamp" } } });
    expect(await call({ n: 12 })).toBe(9);
  });
});

describe("a thousand calls in flight", { timeout: 60_000 }, () => {
  it("are none of them lost when retry, breaker and timeout change; what was counted stays, and a bad change changes nothing", async () => {
    const { clock, seen } = setup();
    const random = seededRandom(7);
    const operation = async () => {
      await clock.sleep(1 + random() * 900);
      if (random() < 0.3) throw down;
      return "ok";
    };
    const call = protect("x", operation, {
      retry: { attempts: 3, base: "100ms" },
      breaker: { minimumCalls: 10_000, window: "1m" },
      timeout: "1s",
    });
    const running = Array.from({ length: 1_000 }, () => settled(call)());
    await clock.advance("300ms");
    const counted = () => explain(call).find(({ kind }) => kind === "breaker")?.state as { calls: number };
    const { calls } = counted();
    expect(calls).toBeGreaterThan(100);
    configure(call, { retry: { attempts: 6 }, breaker: { failureRate: 0.99, window: "2m" }, timeout: "2s" });
    expect(counted()).toMatchObject({ calls });
    const before = explain(call);
    expect(() => configure(call, { timeout: "1s", retry: { attempts: -1 } })).toThrow("retry.attempts");
    expect(explain(call)).toEqual(before);
    await clock.advance("1m");
    const ends = await Promise.all(running);
    // by now six rounds each: those that still failed had all of them
    const failed = ends.filter(({ ok }) => !ok).map(({ story }) => [story.state, story.attempts]);
    expect(failed).toEqual(failed.map(() => ["failed", 6]));
    expect(ends.filter(({ ok }) => ok).length).toBeGreaterThan(980);
    expect(seen.of("call.settled")).toHaveLength(1_000);
    expect(counted().calls).toBe(seen.of("attempt.started").length);
  });
});

describe("what stands inside a cache", () => {
  it("is changed as what stands outside it is", async () => {
    const { clock } = setup();
    let asked = 0;
    const operation = async (id: string) => {
      asked++;
      return clock.sleep(400).then(() => id);
    };
    const call = protect("x", operation, { cache: { ttl: "1m" }, timeout: "1s", retry: { attempts: 1 } });
    const undo = configure(call, { cache: { ttl: "1s" }, timeout: "100ms", retry: { attempts: 2, base: 0 } });
    const ended = watch(call("a"));
    await clock.advance("1s");
    expect([ended.at, asked]).toMatchObject([{ error: { afterMs: 100 } }, 2]);
    undo();
    configure(call, { cache: { ttl: "2s" } });
    const first = watch(call("a"));
    await clock.advance("1s");
    expect([first.at, asked]).toEqual([{ value: "a" }, 3]);
    await clock.advance("500ms");
    expect([await call("a"), asked]).toEqual(["a", 3]);
    await clock.advance("1s");
    const again = watch(call("a"));
    await clock.advance("400ms");
    expect([again.at, asked]).toEqual([{ value: "a" }, 4]);
  });
});

/** One step of a plan: lets time pass, changes something, or undoes one of the changes before. */
const step = fc.oneof(
  fc.record({ wait: fc.nat({ max: 400 }) }),
  fc.record({
    change: fc.record(
      {
        timeout: fc.integer({ min: 20, max: 900 }),
        deadline: fc.integer({ min: 500, max: 9_000 }),
        retry: fc.record(
          { attempts: fc.integer({ min: 1, max: 6 }), base: fc.nat({ max: 200 }), patience: fc.nat({ max: 2_000 }) },
          { requiredKeys: [] },
        ),
        breaker: fc.record(
          {
            failureRate: fc.double({ min: 0.05, max: 1, noNaN: true }),
            minimumCalls: fc.integer({ min: 1, max: 500 }),
            window: fc.integer({ min: 100, max: 9_000 }),
            breakTime: fc.integer({ min: 1, max: 900 }),
            halfOpenCalls: fc.integer({ min: 1, max: 9 }),
            ramp: fc.nat({ max: 900 }),
            mode: fc.constantFrom("enforce" as const, "observe" as const, "off" as const),
          },
          { requiredKeys: [] },
        ),
        bulkhead: fc.record(
          { concurrency: fc.integer({ min: 1, max: 99 }), queue: fc.nat({ max: 900 }) },
          { requiredKeys: [] },
        ),
        gate: fc.constantFrom({ checks: [] }, { repair: [(text: unknown) => text] }),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ undo: fc.nat() }),
  fc.constant({ bad: { timeout: "1s", retry: { attempts: 0 } } as Change }),
);

describe("whatever is changed and undone", { timeout: 60_000 }, () => {
  it("each of 1,000 calls ends once, and what is in force is what the changes that stand say", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), fc.nat(), async (steps, seed) => {
        const [clock, events, random] = [testClock(), eventBus(), seededRandom(seed)];
        const seen = record(events);
        const operation = async () => {
          await clock.sleep(random() * 1_000);
          if (random() < 0.4) throw down;
          return "ok";
        };
        const declared = {
          output: z.string(),
          timeout: 500,
          deadline: 5_000,
          retry: {},
          breaker: {},
          bulkhead: { concurrency: 50, queue: 800 },
          seams: { clock, events },
        };
        const call = protect("x", operation, declared);
        const running: Promise<unknown>[] = Array.from({ length: 1_000 }, () => settled(call)());
        const model: { change: Change; undo: () => void; stands: boolean }[] = [];
        for (const one of steps) {
          running.push(settled(call)());
          if ("wait" in one) await clock.advance(one.wait);
          else if ("change" in one) model.push({ change: one.change, undo: configure(call, one.change), stands: true });
          else if ("bad" in one) expect(() => configure(call, one.bad)).toThrow("retry.attempts");
          else {
            const undone = model[one.undo % Math.max(1, model.length)];
            undone?.undo();
            if (undone !== undefined) undone.stands = false;
          }
          const said = model.filter(({ stands }) => stands).map(({ change }) => change as Record<string, object>);
          const over = (key: string) => Object.assign({}, ...said.map((change) => change[key]));
          const twin = protect("x", operation, {
            ...declared,
            ...Object.assign(
              {},
              ...said.map(({ timeout, deadline }) => ({ ...(timeout && { timeout }), ...(deadline && { deadline }) })),
            ),
            ...{ retry: over("retry"), breaker: over("breaker"), gate: over("gate") },
            bulkhead: { ...declared.bulkhead, ...over("bulkhead") },
          });
          const options = (of: unknown) => explain(of).map(({ kind, options }) => [kind, options]);
          expect(options(call)).toEqual(options(twin));
        }
        await clock.advance("1m");
        expect((await Promise.all(running)).length).toBe(seen.of("call.settled").length);
        expect(clock.sleepers).toBe(0);
        const places = explain(call).find(({ kind }) => kind === "bulkhead");
        expect(places?.state).toMatchObject({ running: 0, queued: 0 });
      }),
      { numRuns: 5 },
    );
  });
});
