// The way out of an attempt, where what it waits for and what ends it come together.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  bulkhead,
  type Check,
  cache,
  fallback,
  gate,
  hedge,
  named,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { type Answer, script } from "../../src/testing/index.ts";
import { moments, outcome, recovering, setup, turn } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 503 });
const slow: Answer<string> = { value: "slow", after: 500 };

describe("what ends a call in the very turn in which a layer has its answer", () => {
  it.each(["a judgement", "a recovery"])("ends it, though %s had it a moment before", async (what) => {
    const { caller } = setup({ watched: false });
    const gone = caller();
    const open: ((value: unknown) => void)[] = [];
    const wait = () => new Promise((resolve) => open.push(resolve));
    const { bracket } = moments();
    const layer = what === "a recovery" ? recovering(wait) : bracket("judging", { judge: wait });
    const operation = script<string>(what === "a recovery" ? { error: down } : { value: "a" });
    const call = pipe(operation, layer, retry({ attempts: 3, base: 0 }));
    const ended = outcome(call(undefined, { signal: gone.signal }));
    await turn();
    open[0]?.("too late");
    gone.abort("gone");
    expect(await ended).toEqual({ error: "gone" });
    expect(operation.calls.length).toBe(1);
  });
});

describe("a judgement of what has lost meanwhile", () => {
  it("changes nothing, though a layer further out is judging by then", async () => {
    const { clock } = setup();
    const outside: number[] = [];
    const operation = script<{ n: number }>({ value: { n: 1 }, after: 90 }, { value: { n: 2 }, after: 10 });
    const schema = z.object({ n: z.number() });
    const inner = gate(schema, {
      checks: [async ({ n }) => (n === 1 ? clock.sleep(500).then(() => undefined) : undefined)],
    });
    const outer = gate(schema, {
      checks: [
        async ({ n }) => {
          outside.push(n);
          return clock.sleep(1_000).then(() => undefined);
        },
      ],
    });
    const { log, bracket } = moments();
    const call = pipe(named("call", operation), inner, hedge({ after: 100 }), outer, bracket("outside"));
    const ended = outcome(call(undefined));
    await clock.advance(900);
    expect(log).not.toContain("outside.after ok");
    await clock.advance(300);
    expect(await ended).toEqual({ value: { n: 2 } });
    expect(outside).toEqual([2]);
    expect(log.filter((moment) => moment === "outside.after ok")).toHaveLength(1);
  });
});

describe("a check outside that makes a call of its own with its context", () => {
  const looked = protect("look", async (_: string) => "fine");
  const asking: Check<string> = async (value, context) => {
    await looked(value, context);
    return undefined;
  };

  it("may, where the first of several runs has lost", async () => {
    const { clock } = setup();
    const operation = script<string>(slow, { value: "hedged", after: 10 });
    const call = pipe(named("call", operation), hedge({ after: 100 }), gate(z.string(), { checks: [asking] }));
    const ended = settled(call)(undefined);
    await clock.advance(110);
    expect(await ended).toMatchObject({ ok: true, value: "hedged", story: { children: [{ state: "succeeded" }] } });
  });

  it("may, where the first attempt was ended by its time-out and the next was not", async () => {
    const { clock } = setup();
    const operation = script<string>("never", { value: "retried", after: 10 });
    const rounds = [timeout(50), retry({ base: 1, jitter: "none" }), gate(z.string(), { checks: [asking] })] as const;
    const ended = settled(pipe(named("call", operation), ...rounds))(undefined);
    await clock.advance(61);
    expect(await ended).toMatchObject({ ok: true, value: "retried", story: { children: [{ state: "succeeded" }] } });
  });

  it("may, where a tier answered after the operation's time-out", async () => {
    const { clock } = setup();
    const tiers = fallback([async (_: void) => "copy"]);
    const call = pipe(
      named("call", async (_: void): Promise<string> => new Promise(() => {})),
      ...([timeout(50), tiers, gate(z.string(), { checks: [asking] })] as const),
    );
    const ended = settled(call)(undefined);
    await clock.advance(50);
    expect(await ended).toMatchObject({ ok: true, value: "copy", story: { children: [{ state: "succeeded" }] } });
  });
});

describe("the context of a check outside", () => {
  it.each([
    ["the first answer", [1]],
    ["each further one", [2, 3]],
  ])("is of the attempt that gave %s, whatever ended those before it", async (which, numbers) => {
    const { clock } = setup();
    const seen: unknown[] = [];
    const judged = gate(z.string(), {
      checks: [
        (value, { attempt, signal }) => {
          seen.push([attempt, signal.aborted]);
          return value === "poor" ? { wanted: "better" } : undefined;
        },
      ],
    });
    const good: Answer<string> = { value: "good", after: 10 };
    const answers: Answer<string>[] = which === "the first answer" ? [good] : ["never", { value: "poor" }, good];
    const rounds = () => retry({ attempts: 2, base: 1, jitter: "none" });
    const call = pipe(named("call", script(...answers)), timeout(50), rounds(), judged, rounds(), judged);
    const ended = outcome(call(undefined));
    await clock.advance(100);
    expect(await ended).toEqual({ value: "good" });
    const all = numbers.map((number) => [number, false]);
    expect(seen).toEqual([...all, all.at(-1)]);
  });

  it.each([true, false])("is nobody's that has lost, where that waited for a place, watched: %s", async (watched) => {
    const { clock } = setup({ watched });
    const seen: unknown[] = [];
    const judged = gate(z.string(), { checks: [(_, { signal }) => void seen.push(signal.aborted)] });
    const places = bulkhead({ concurrency: 1, queue: 1 });
    const held = places.acquire();
    const target = script<string>({ value: "target" });
    const call = pipe(named("call", script<string>()), places, hedge({ after: 10, to: [target] }), judged);
    const ended = outcome(call(undefined));
    await clock.advance(20);
    expect(await ended).toEqual({ value: "target" });
    expect(seen).toEqual([false]);
    held?.done({ ok: true, value: undefined });
  });

  it("is nobody's that has ended, where a cache was asked until its time-out, and a tier then answered", async () => {
    const { clock } = setup();
    const seen: unknown[] = [];
    const judged = gate(z.string(), { checks: [(_, { signal }) => void seen.push(signal.aborted)] });
    const call = pipe(
      named("call", async (_: string): Promise<string> => new Promise(() => {})),
      ...([cache({ ttl: "1m" }), timeout(50), fallback([async (_: string) => "copy"]), judged] as const),
    );
    const ended = outcome(call("a"));
    await clock.advance(50);
    expect(await ended).toEqual({ value: "copy" });
    expect(seen).toEqual([false]);
  });
});

describe("the input of a further attempt", () => {
  it("is what the layers outside gave on, and nothing of what those inside made of it", async () => {
    setup();
    const { bracket } = moments();
    const adding = (name: string) => bracket(name, { before: ({ input }) => `${input as string}${name}` });
    const again = () => recovering((_, __, ___, run) => run());
    const seen: string[] = [];
    const operation = async (input: string) => {
      seen.push(input);
      throw down;
    };
    const call = pipe(operation, adding("1"), adding("2"), again(), adding("3"), adding("4"), again(), adding("5"));
    await outcome(call("in"));
    expect(seen).toEqual(Array(4).fill("in54321"));
  });
});
