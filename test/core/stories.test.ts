import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { OptionsInvalidError } from "../../src/core/errors.ts";
import {
  forgetStories,
  hasStory,
  keepFailure,
  keepSuccess,
  keepsSuccesses,
  type StoryTeller,
  stories,
  storyOf,
} from "../../src/core/stories.ts";
import type { Story } from "../../src/core/story.ts";

afterAll(() => stories.keep({ failures: 100, successes: 0 })); // as it was

function teller(id: string, startedAt = 0): StoryTeller {
  return { id, story: () => ({ id, startedAt }) as Story };
}

function setup(keep: { failures?: number; successes?: number } = {}) {
  forgetStories();
  stories.keep({ failures: 100, successes: 0, ...keep });
  return { fail: (id: string, startedAt?: number) => keepFailure(teller(id, startedAt), new Error(id)) };
}

function ids() {
  return stories.recent().map(({ id }) => id);
}

describe("recent stories", () => {
  it("are the last 100 failures, and no success, by default", () => {
    const { fail } = setup();
    for (let i = 0; i < 130; i++) fail(String(i), i);
    expect(ids()).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 30)));
    expect(keepsSuccesses()).toBe(false);
    keepSuccess(teller("s"));
    expect(stories.get("s")).toBeUndefined();
  });

  it("are found by id, failures and successes alike", () => {
    const { fail } = setup({ successes: 1 });
    fail("f");
    keepSuccess(teller("s"));
    expect([stories.get("f")?.id, stories.get("s")?.id, stories.get("x")]).toEqual(["f", "s", undefined]);
  });

  it("are told in the order in which the calls began", () => {
    const { fail } = setup({ successes: 5 });
    fail("late", 30);
    keepSuccess(teller("middle", 20));
    fail("early", 10);
    expect(ids()).toEqual(["early", "middle", "late"]);
  });

  it("of each kind never push out the other", () => {
    const { fail } = setup({ failures: 2, successes: 2 });
    for (let i = 0; i < 9; i++) fail(`f${i}`, i);
    keepSuccess(teller("s", 99));
    expect(ids()).toEqual(["f7", "f8", "s"]);
  });

  it("are the latest ones, whatever is kept and however that changes", () => {
    const step = fc.oneof(fc.constant("fail" as const), fc.nat({ max: 6 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { fail } = setup({ failures: 3 });
        let [model, max, no] = [[] as string[], 3, 0];
        for (const step of steps) {
          if (step === "fail") {
            fail(String(no), no);
            model.push(String(no++));
          } else {
            max = step;
            stories.keep({ failures: max });
          }
          model = max === 0 ? [] : model.slice(-max);
          expect(ids()).toEqual(model);
        }
      }),
    );
  });

  it("are none after they were forgotten, and come again", () => {
    const { fail } = setup({ failures: 3 });
    for (const id of ["a", "b", "c", "d"]) fail(id);
    forgetStories();
    expect(ids()).toEqual([]);
    for (const id of ["e", "f", "g", "h"]) fail(id);
    expect(ids()).toEqual(["f", "g", "h"]);
  });

  it.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, "7"])("cannot be kept %s times", (count) => {
    const { fail } = setup({ failures: 1 });
    fail("a");
    const wrong = { failures: count, successes: count } as { failures: number };
    expect(() => stories.keep(wrong)).toThrow(OptionsInvalidError);
    expect(() => stories.keep(wrong)).toThrow(/failures.*successes/);
    fail("b");
    expect(ids()).toEqual(["b"]);
  });
});

describe("the story of an error", () => {
  it("is that of the last call that settled with it, the outermost", () => {
    setup({ failures: 0 });
    const error = new Error("x");
    keepFailure(teller("inner"), error);
    keepFailure(teller("outer"), error);
    expect(storyOf(error)?.id).toBe("outer");
  });

  it("is known of objects and functions, frozen ones too; primitives cannot be told apart", () => {
    setup();
    const thrown = [Object.freeze({}), () => {}, "text", 1, undefined, null];
    for (const [i, error] of thrown.entries()) keepFailure(teller(String(i)), error);
    expect(thrown.map((error) => storyOf(error)?.id)).toEqual(["0", "1", undefined, undefined, undefined, undefined]);
    expect(storyOf(Symbol("s"))).toBeUndefined();
  });

  it("tells whether an error has been a call's end", () => {
    setup();
    const [known, fresh] = [new Error("a"), new Error("b")];
    keepFailure(teller("a"), known);
    expect([known, fresh].map((error) => hasStory(error as never))).toEqual([true, false]);
  });

  it("is still known when the recent ones are forgotten or pushed out", () => {
    const { fail } = setup({ failures: 1 });
    const error = new Error("x");
    keepFailure(teller("mine"), error);
    fail("next");
    forgetStories();
    expect(storyOf(error)?.id).toBe("mine");
  });

  it("is known to another copy of the package in the same process", async () => {
    setup();
    vi.resetModules();
    const copy = await import("../../src/core/stories.ts");
    const error = new Error("x");
    copy.keepFailure(teller("theirs"), error);
    expect(copy.storyOf).not.toBe(storyOf);
    expect(storyOf(error)?.id).toBe("theirs");
  });

  it("holds no error: it is collected with its story", async () => {
    setup({ failures: 0 });
    const held = (() => {
      const error = new Error("x");
      keepFailure({ id: "x", story: () => ({ failures: [{ error }] }) as unknown as Story }, error);
      return new WeakRef(error);
    })();
    for (let i = 0; i < 20 && held.deref() !== undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    expect(held.deref()).toBeUndefined();
  });
});
