import { describe, expect, it } from "vitest";
import { generation, LiveSeams } from "../../src/core/seams.ts";
import { events, OptionsInvalidError, protect, stories, storyOf } from "../../src/index.ts";
import { record, reset, script, seams, seededRandom, testClock } from "../../src/testing/index.ts";

function inForce() {
  const { clock, events, random } = new LiveSeams();
  return { clock, events, random };
}

/** Declared at a module's top, as in the code under test. */
const declared = protect("declared", async () => new Promise<never>(() => {}), { timeout: "20s" });

describe("seams", () => {
  it("act on calls that were made before, until their end", async () => {
    const before = inForce();
    const clock = testClock();
    {
      using _ = seams({ clock });
      const ended = declared().catch((error: { code: string }) => error.code);
      await clock.advance("20s");
      expect(await ended).toBe("TIMEOUT");
    }
    expect(inForce()).toEqual(before);
  });

  it("inside others keep what they do not replace, and give it back at their end", () => {
    const before = inForce();
    const [outer, inner] = [testClock(), testClock()];
    const [random, other] = [seededRandom(1), seededRandom(2)];
    {
      using _ = seams({ clock: outer, random });
      {
        using _ = seams({ clock: inner });
        using __ = seams({ random: other });
        expect(inForce()).toEqual({ ...before, clock: inner, random: other });
      }
      expect(inForce()).toEqual({ ...before, clock: outer, random });
    }
    expect(inForce()).toEqual(before);
  });

  it("end also when the test throws", () => {
    const before = inForce();
    const test = () => {
      using _ = seams({ clock: testClock() });
      throw new Error("failed test");
    };
    expect(test).toThrow("failed test");
    expect(inForce()).toEqual(before);
  });

  it("leave a call what it was given itself: its name, its clock", async () => {
    const [own, common] = [testClock(), testClock()];
    using _ = seams({ clock: common, name: "of nobody" });
    const call = protect("mine", script({ value: 1, after: "1s" }), { seams: { clock: own } });
    const seen = record();
    const answer = call(undefined);
    await own.advance("1s");
    seen.stop();
    expect([await answer, seen.events[0]?.name]).toEqual([1, "mine"]);
  });

  it("are refused when they are none, all at once, and nothing is replaced", () => {
    const before = inForce();
    const wrong = { clock: { now: () => 0 }, random: 0.5, events: {}, clok: 1 } as never;
    expect(() => seams(wrong)).toThrow(OptionsInvalidError);
    expect(() => seams(wrong)).toThrow(/clock: wanted an object with now.*events.*random: wanted a function.*clok/s);
    expect(inForce()).toEqual(before);
  });
});

describe("reset", () => {
  it("begins a new generation, for everything that keeps state", () => {
    const before = generation();
    reset();
    expect(generation()).toBe(before + 1);
  });

  it("forgets recent stories; whoever holds an error still has its story", async () => {
    const error = new Error("no");
    await protect("fails", () => Promise.reject(error))().catch(() => {});
    expect(stories.recent().some(({ name }) => name === "fails")).toBe(true);
    reset();
    expect(stories.recent()).toEqual([]);
    expect(storyOf(error)?.name).toBe("fails");
  });

  it("closes an open breaker: what one test did is nothing to the next", async () => {
    const down = protect("down", () => Promise.reject(new Error("no")), { breaker: { consecutiveFailures: 1 } });
    await down().catch(() => {});
    await expect(down()).rejects.toMatchObject({ code: "BREAKER_OPEN" });
    reset();
    await expect(down()).rejects.toThrow("no");
  });

  it("leaves seams and listeners where they are", async () => {
    const clock = testClock();
    using _ = seams({ clock });
    const seen = record();
    reset();
    expect(inForce()).toMatchObject({ clock, events });
    await protect("answer", async () => 42)();
    seen.stop();
    expect(seen.of("call.settled")).toHaveLength(1);
  });
});
