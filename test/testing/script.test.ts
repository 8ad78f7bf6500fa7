import { describe, expect, expectTypeOf, it } from "vitest";
import { OptionsInvalidError, protect } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

/** Called by hand, outside a call: with a signal, and no more. */
const bare = (signal = new AbortController().signal) => ({ signal }) as never;

describe("a script", () => {
  it("gives its answers in turn: values, errors, also undefined as either", async () => {
    const error = new Error("x");
    const scripted = script<number | undefined>({ value: 1 }, { error }, { value: undefined }, { error: undefined });
    expect(await scripted("a", bare())).toBe(1);
    await expect(scripted("b", bare())).rejects.toBe(error);
    expect(await scripted("c", bare())).toBeUndefined();
    await expect(scripted("d", bare())).rejects.toBeUndefined();
  });

  it("keeps what it was given, call by call, with the context", async () => {
    const scripted = script({ error: new Error("x") }, { value: 1 });
    await protect("counts", scripted, { retry: { base: 0 } })({ n: 1 }, { labels: { tenant: "a" } });
    expect(scripted.calls.map(({ input }) => input)).toEqual([{ n: 1 }, { n: 1 }]);
    expect(scripted.calls.map(({ context }) => [context.name, context.attempt, context.labels])).toEqual([
      ["counts", 1, { tenant: "a" }],
      ["counts", 2, { tenant: "a" }],
    ]);
    expect(scripted.calls[1]?.context.previous).toHaveLength(1);
  });

  it("answers overlapping calls in the order in which they were made", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const scripted = script({ value: "slow", after: "2s" }, { value: "quick", after: "1s" });
    const order: string[] = [];
    for (let i = 0; i < 2; i++) scripted(i, bare()).then((value) => order.push(value));
    expect(scripted.calls).toHaveLength(2);
    await clock.advance("2s");
    expect(order).toEqual(["quick", "slow"]);
  });

  it("waits on the clock in force, before a value and before an error", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const scripted = script<number>({ value: 1, after: "50ms" }, { error: "x", after: 50 });
    const ends: unknown[] = [];
    for (let i = 0; i < 2; i++)
      scripted(i, bare()).then(
        (value) => ends.push(value),
        (error) => ends.push(error),
      );
    await clock.advance(49);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toEqual([1, "x"]);
    expect(clock.sleepers).toBe(0);
  });

  it("waits on the clock of the call that it is part of, if that has one of its own", async () => {
    const [common, own] = [testClock(), testClock()];
    using _ = seams({ clock: common });
    const answer = protect("own", script({ value: 1, after: "1s" }), { seams: { clock: own } })(undefined);
    await own.advance(0);
    expect([common.sleepers, own.sleepers]).toEqual([0, 1]);
    await own.advance("1s");
    expect(await answer).toBe(1);
  });

  it("answers without a clock where there is nothing to wait for", async () => {
    using _ = seams({ clock: testClock() });
    expect(await script({ value: 1, after: 0 })(undefined, bare())).toBe(1);
  });

  it("ends a wait at once, with the signal's reason, when its attempt is aborted", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const controller = new AbortController();
    const waiting = script({ value: 1, after: "1h" })(undefined, bare(controller.signal));
    const reason = { why: "enough" };
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(clock.sleepers).toBe(0);
  });

  it('of "never" stays pending for ever, aborted or not', async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const controller = new AbortController();
    let settled = false;
    const end = () => {
      settled = true;
    };
    script("never")(undefined, bare(controller.signal)).then(end, end);
    controller.abort("enough");
    await clock.advance("1h");
    expect(settled).toBe(false);
  });

  it("says how many answers there were when they are used up", async () => {
    const none = script();
    const one = script({ value: 1 });
    await one(undefined, bare());
    await expect(one(undefined, bare())).rejects.toThrow(new RangeError("script() has 1 answer, and this is call 2."));
    await expect(none(undefined, bare())).rejects.toThrow("script() has 0 answers, and this is call 1.");
    expect([one.calls.length, none.calls.length]).toEqual([2, 1]);
  });

  it("that is used up is a mistake of the test: it is not tried again", async () => {
    const one = script({ error: new Error("first") });
    const call = protect("short", one, { retry: { attempts: 5, base: 0 } });
    await expect(call(undefined)).rejects.toThrow("script() has 1 answer, and this is call 2.");
  });

  it("can be called with no context at all", async () => {
    using _ = seams({ clock: testClock() });
    const loose = script({ value: 1 }) as unknown as () => Promise<number>;
    expect(await loose()).toBe(1);
  });

  it.each<[string, unknown, string]>([
    ["an answer that is none", {}, "1"],
    ["a value and an error at once", { value: 1, error: 2 }, "1"],
    ["a bare value", 5, "1"],
    ["nothing", null, "1"],
    ["another word", "later", "1"],
    ["a wait that is none", { value: 1, after: "soon" }, "1.after"],
    ["a wait without end", { value: 1, after: Number.POSITIVE_INFINITY }, "1.after"],
  ])("throws when it is made with %s, and says where", (_, answer, path) => {
    const make = () => script<number>({ value: 1 }, answer as never);
    expect(make).toThrow(OptionsInvalidError);
    expect(make).toThrow(`${path}: wanted`);
  });

  it("has the type of its values, and takes any input", () => {
    const scripted = script<number>({ error: new Error("x") }, { value: 1, after: "50ms" }, "never");
    expectTypeOf(scripted).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(protect("s", scripted)).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(script({ value: "x" })).returns.toEqualTypeOf<Promise<string>>();
  });
});
