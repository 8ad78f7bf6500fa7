import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { eventBus } from "../../src/core/bus.ts";
import { systemClock } from "../../src/core/clock.ts";
import { generation, idOf, LiveSeams, nextGeneration, replaceSeams } from "../../src/core/seams.ts";
import { testClock } from "../../src/testing/clock.ts";

function inForce() {
  const { clock, events, random } = new LiveSeams();
  return { clock, events, random };
}

describe("the ids of stories", () => {
  it("are each one's own, and of one process begin alike", () => {
    const ids = Array.from({ length: 4_000 }, (_, no) => idOf(no));
    expect(new Set(ids).size).toBe(4_000);
    expect(ids.every((id) => id.startsWith(`${ids[0]?.split("-")[0]}-`) && /^[0-9a-z]+-[0-9a-z]+$/.test(id))).toBe(
      true,
    );
    expect(idOf(7)).toBe(ids[7]);
  });
});

describe("what is in force", () => {
  it("is what was given, else what is common to all, read at each use", () => {
    const [own, others] = [testClock(), testClock()];
    const given = new LiveSeams({ clock: own, name: "n" });
    const none = new LiveSeams();
    const restore = replaceSeams({ clock: others });
    expect([given.clock, none.clock, given.name, none.name]).toEqual([own, others, "n", undefined]);
    restore();
    expect(none.clock).toBe(systemClock);
  });

  it("keeps the rest when one is laid over", () => {
    const [clock, events, random] = [testClock(), eventBus(), () => 0] as const;
    const both = new LiveSeams({ clock, random }).with({ events });
    expect([both.clock, both.events]).toEqual([clock, events]);
    expect(both.random).toBe(random);
  });
});

describe("replacing", () => {
  it("changes only what is given", () => {
    const before = inForce();
    const clock = testClock();
    const restore = replaceSeams({ clock });
    expect(inForce()).toEqual({ ...before, clock });
    restore();
    expect(inForce()).toEqual(before);
  });

  it("is undone in whatever order: what is left is in force", () => {
    const before = inForce();
    const [clock, random] = [testClock(), () => 0.5];
    const restoreClock = replaceSeams({ clock });
    const restoreRandom = replaceSeams({ random });
    restoreClock();
    expect(inForce()).toEqual({ ...before, random });
    restoreRandom();
    expect(inForce()).toEqual(before);
  });

  it("is undone once: a second time takes nothing from others", () => {
    const before = inForce();
    const [first, second] = [testClock(), testClock()];
    const restore = replaceSeams({ clock: first });
    restore();
    const restoreSecond = replaceSeams({ clock: second });
    restore();
    expect(inForce().clock).toBe(second);
    restoreSecond();
    expect(inForce()).toEqual(before);
  });

  it("leaves nothing behind, whatever is replaced and in whatever order it is undone", () => {
    const before = inForce();
    const replacement = fc.record({ clock: fc.boolean(), random: fc.boolean(), events: fc.boolean(), undo: fc.nat() });
    fc.assert(
      fc.property(fc.array(replacement, { maxLength: 8 }), (list) => {
        const undone = list.map(({ clock, random, events, undo }) => ({
          undo,
          restore: replaceSeams({
            ...(clock && { clock: testClock() }),
            ...(random && { random: () => 0 }),
            ...(events && { events: eventBus() }),
          }),
        }));
        undone.sort((a, b) => a.undo - b.undo);
        for (const { restore } of undone) restore();
        expect(inForce()).toEqual(before);
      }),
    );
  });
});

describe("a new generation", () => {
  it("grows the number by which state is known to be old", () => {
    const before = generation();
    nextGeneration();
    expect(generation()).toBe(before + 1);
  });

  it("leaves what is replaced in place: it lasts until its own end", () => {
    const clock = testClock();
    const restore = replaceSeams({ clock });
    nextGeneration();
    expect(inForce().clock).toBe(clock);
    restore();
    expect(inForce().clock).toBe(systemClock);
  });
});

describe("an id", () => {
  it("differs by number, and from those of another copy in the process", async () => {
    vi.resetModules();
    const copy = await import("../../src/core/seams.ts");
    expect(idOf(1)).not.toBe(idOf(2));
    expect(idOf(1)).not.toBe(copy.idOf(1));
  });
});

describe("two copies of holdfast in one process", () => {
  it("are one system: what one puts in place is in force for the other", async () => {
    vi.resetModules();
    const copy = await import("../../src/core/seams.ts");
    expect(copy.LiveSeams).not.toBe(LiveSeams);
    const clock = testClock();
    const restore = copy.replaceSeams({ clock });
    expect(inForce().clock).toBe(clock);
    restore();
    copy.nextGeneration();
    expect(generation()).toBe(copy.generation());
  });
});
