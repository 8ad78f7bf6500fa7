// Design rule 13: how attempts are numbered and counted, and what each of them knows of those before.
import pRetry from "p-retry";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  type CallContext,
  defineWrapper,
  type EventBus,
  eventBus,
  type Failure,
  fallback,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
} from "../../src/index.ts";
import { record, script, testClock } from "../../src/testing/index.ts";

vi.mock("p-retry", async (original) => {
  const module = await original<typeof import("p-retry")>();
  return { ...module, default: vi.fn(module.default) };
});

function setup() {
  const clock = testClock();
  const events: EventBus = eventBus();
  const seams = { clock, events, random: () => 0 };
  vi.mocked(pRetry).mockClear();
  return { clock, seams, seen: record(events), entered: () => vi.mocked(pRetry).mock.calls.length };
}

const down = new Error("down");

describe("`previous`", () => {
  it("is a snapshot per attempt: what comes later does not appear in it", async () => {
    const { seams } = setup();
    const snapshots: (readonly Failure[])[] = [];
    const call = protect(
      "user",
      async (_: void, { previous }) => {
        snapshots.push(previous);
        throw new Error(`no. ${snapshots.length}`);
      },
      { seams, retry: { attempts: 3 } },
    );
    await settled(call)();
    expect(snapshots.map((previous) => previous.map(({ error }) => (error as Error).message))).toEqual([
      [],
      ["no. 1"],
      ["no. 1", "no. 2"],
    ]);
  });

  it("holds what each earlier attempt and tier was, why it failed, what it had produced and how long it took", async () => {
    const { clock, seams } = setup();
    const operation = script({ error: down, after: 30 }, { value: { words: 2 }, after: 20 });
    const contexts: CallContext[] = [];
    const call = protect("draft", operation, {
      ...{ seams, retry: { attempts: 2, jitter: "none", base: 5 }, output: z.object({ words: z.number().min(10) }) },
      fallback: [
        async (_, context) => {
          contexts.push(context);
          return { words: 10 };
        },
      ],
    });
    const ended = settled(call)("tides");
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: true, value: { words: 10 } });
    expect(contexts[0]?.previous).toEqual([
      { error: down, kind: "unknown", attempt: 1, tier: 0, tierName: "draft", startedAt: 0, elapsedMs: 30 },
      expect.objectContaining({ kind: "quality", attempt: 2, produced: { words: 2 }, startedAt: 35, elapsedMs: 20 }),
    ]);
  });
});

describe("attempts", () => {
  it("of each tier start from 1", async () => {
    const { seams, seen } = setup();
    const fail = async () => Promise.reject(down);
    const twice = () => pipe(fail, retry({ attempts: 2 }, seams));
    const call = protect("user", fail, { seams, retry: { attempts: 3 }, fallback: [twice(), twice()] });
    await settled(call)();
    expect(seen.of("attempt.started").map(({ tier, attempt }) => [tier, attempt])).toEqual([
      ...[1, 2, 3].map((attempt) => [0, attempt]),
      ...[1, 2].map((attempt) => [1, attempt]),
      ...[1, 2].map((attempt) => [2, attempt]),
    ]);
  });

  it("in story and events are the times any tier's operation was called", async () => {
    const { seams, seen } = setup();
    const first = script<number>({ error: down }, { error: down });
    const second = script<number>({ error: down });
    const third = script({ value: 1 });
    const call = protect("user", first, { seams, retry: { attempts: 2 }, fallback: [second, third] });
    const { story } = await settled(call)(undefined);
    const called = first.calls.length + second.calls.length + third.calls.length;
    expect([story.attempts, seen.of("call.settled")[0]?.attempts, called]).toEqual([4, 4, 4]);
    expect(seen.of("attempt.started")).toHaveLength(4);
  });

  it("are none where the operation was never called", async () => {
    const { seams, seen } = setup();
    const call = protect("user", async (id: string) => id, { seams, input: z.string().min(2) });
    const { story } = await settled(call)("x");
    expect([story.attempts, seen.of("call.settled")[0]?.attempts, seen.of("attempt.started")]).toEqual([0, 0, []]);
  });

  it("of a retry are rounds; a layer that calls its operation more than once a round adds calls, each the next number", async () => {
    const { seams, seen } = setup();
    const twoAtOnce = defineWrapper("twoAtOnce", z.strictObject({}), {}, () => ({
      around:
        <I, O>(operation: Operation<I, O>) =>
        async (input: I, context: CallContext): Promise<O> => {
          const [one] = await Promise.allSettled([operation(input, context), operation(input, context)]);
          if (one.status === "rejected") throw one.reason;
          return one.value;
        },
    }));
    const operation = script<number>(...Array.from({ length: 4 }, () => ({ error: down })));
    const { story } = await settled(pipe(operation, twoAtOnce, retry({ attempts: 2 }, seams)))(undefined);
    expect(story.attempts).toBe(4);
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1, 2, 3, 4]);
    expect(seen.of("retry.exhausted")[0]?.attempts).toBe(2);
  });

  it("with `attempts: 1` are one, and nothing is said to be exhausted that was never to be repeated", async () => {
    const { seams } = setup();
    const operation = script({ error: down });
    const { story } = await settled(protect("user", operation, { seams, retry: { attempts: 1 } }))(undefined);
    expect(story.attempts).toBe(1);
  });
});

describe("p-retry", () => {
  it.each([
    ["the verdict says no", Object.assign(new Error("no such user"), { status: 404 }), {}],
    ["nothing is wrong", undefined, {}],
    ["only one attempt may be made", down, { attempts: 1 }],
  ])("is never entered when %s", async (_, error, options) => {
    const { seams, entered } = setup();
    const operation = script(error === undefined ? { value: 1 } : { error });
    await settled(protect("user", operation, { seams, retry: options }))(undefined);
    expect([operation.calls.length, entered()]).toEqual([1, 0]);
  });

  it("is what counts the rounds, when the verdict says yes", async () => {
    const { seams, entered } = setup();
    const operation = script({ error: down }, { value: 2 });
    expect(await protect("user", operation, { seams, retry: {} })(undefined)).toBe(2);
    expect(entered()).toBe(1);
  });
});

describe("the tier that answered", () => {
  it("is named with its number by `settled` and by the events", async () => {
    const { seams, seen } = setup();
    const call = protect("user", script({ error: down }), {
      ...{
        seams,
        fallback: [
          { name: "copy", operation: script({ error: down }) },
          { name: "cache", operation: script({ value: 3 }) },
        ],
      },
    });
    const { story } = await settled(call)(undefined);
    expect([story.tier, story.tierName]).toEqual([2, "cache"]);
    expect(seen.of("fallback.used").map(({ from, to, kind }) => [from, to, kind])).toEqual([
      ["user", "copy", "unknown"],
      ["copy", "cache", "unknown"],
    ]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "degraded", tier: 2 }]);
  });

  it("gets its number through hand-made wrappers too", async () => {
    const { seams } = setup();
    const call = pipe(script<number>({ error: down }), fallback([script<number>({ value: 1 })], {}, seams));
    const { story } = await settled(call)(undefined);
    expect(story).toMatchObject({ state: "degraded", tier: 1, attempts: 2 });
  });
});
