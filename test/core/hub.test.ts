import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { named } from "../../src/core/wrapper.ts";
import { protect } from "../../src/protect.ts";

/** Calls on one signal, each pending until it is told to end. */
function setup() {
  const controller = new AbortController();
  const { signal } = controller;
  const ends: (() => void)[] = [];
  const call = named("waits", (_: void) => new Promise<string>((resolve) => ends.push(() => resolve("done"))));
  return {
    controller,
    signal,
    ends,
    start: () => call(undefined, { signal }),
    listeners: () => getEventListeners(signal, "abort").length,
  };
}

describe("calls on one signal", () => {
  it("have one listener on it, however many they are, and none when they are over", async () => {
    const { start, ends, listeners } = setup();
    const warned = vi.fn();
    process.on("warning", warned);
    const pending = Array.from({ length: 10_000 }, start);
    await Promise.resolve();
    expect(listeners()).toBe(1);
    for (const end of ends) end();
    await Promise.all(pending);
    await turn();
    process.off("warning", warned);
    expect(listeners()).toBe(0);
    expect(warned).not.toHaveBeenCalled();
  });

  it("that have their answer in the same turn never touch it", async () => {
    const { controller } = setup();
    const { signal } = controller;
    const listening = vi.spyOn(signal, "addEventListener");
    const call = protect("at once", async () => "done", { timeout: "1s", retry: {} });
    for (let i = 0; i < 100; i++) expect(await call(undefined, { signal })).toBe("done");
    expect(listening).not.toHaveBeenCalled();
  });

  it("hear an abort that comes in the turn of their start, in that turn", async () => {
    const { start, controller } = setup();
    const pending = start();
    controller.abort("at once");
    const turned = turn().then(() => "a turn later");
    expect(await Promise.race([pending.catch((reason) => reason), turned])).toBe("at once");
  });

  it("all end when it aborts, each with its very reason, and let go of it", async () => {
    const { start, controller, listeners } = setup();
    const pending = [start(), start(), start()];
    const reason = { why: "enough" };
    controller.abort(reason);
    expect(listeners()).toBe(0);
    const ended = await Promise.allSettled(pending);
    expect(ended.every((end) => end.status === "rejected" && end.reason === reason)).toBe(true);
  });

  it("that are over when it aborts keep what they gave", async () => {
    const { start, ends, controller } = setup();
    const [first, second] = [start(), start()];
    ends[0]?.();
    expect(await first).toBe("done");
    controller.abort("late");
    await expect(first).resolves.toBe("done");
    await expect(second).rejects.toBe("late");
  });

  it("that begin after it has aborted add nothing to it", async () => {
    const { start, controller, listeners, ends } = setup();
    controller.abort("before");
    await expect(start()).rejects.toBe("before");
    expect([listeners(), ends.length]).toEqual([0, 0]);
  });

  it("can end others while it aborts: each ends once", async () => {
    const { signal, controller, listeners } = setup();
    const outer = named("outer", (_: void, context) => inner(undefined, context));
    const inner = named("inner", (_: void, context) => {
      const own = inMost(undefined, context);
      own.catch(() => {});
      return inMost(undefined, { ...context, signal });
    });
    const inMost = named("inmost", () => new Promise<never>(() => {}));
    const pending = [outer(undefined, { signal }), outer(undefined, { signal })];
    controller.abort("enough");
    const ended = await Promise.allSettled(pending);
    expect(ended.map((end) => end.status === "rejected" && end.reason)).toEqual(["enough", "enough"]);
    expect(listeners()).toBe(0);
  });

  it("hold exactly one listener while one is pending, whoever comes and goes", async () => {
    const step = fc.oneof(fc.constant("start" as const), fc.nat());
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, abort) => {
        const { start, ends, listeners, controller } = setup();
        const pending: { end: () => void; answer: Promise<string> }[] = [];
        for (const step of steps) {
          if (step === "start") {
            const answer = start();
            pending.push({ answer, end: ends.at(-1) as () => void });
          } else {
            const [ending] = pending.splice(step % Math.max(1, pending.length), 1);
            ending?.end();
            await ending?.answer;
          }
          await Promise.resolve();
          expect(listeners()).toBe(pending.length > 0 ? 1 : 0);
        }
        if (abort) controller.abort("over");
        else for (const { end } of pending) end();
        const ended = await Promise.allSettled(pending.map(({ answer }) => answer));
        expect(ended.map((end) => (end.status === "fulfilled" ? end.value : end.reason))).toEqual(
          pending.map(() => (abort ? "over" : "done")),
        );
        expect(listeners()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
