// Which keys a written path leads to, and what stands above or below them.
import { describe, expect, it } from "vitest";
import { leadsTo, stepsOf, touches } from "../../src/core/paths.ts";

const leads = (path: string, ...keys: string[]) => leadsTo(stepsOf(path), keys);
const touch = (path: string, ...keys: string[]) => touches(stepsOf(path), keys);

describe("a path", () => {
  it("is made of keys, and the empty one of none", () => {
    expect([stepsOf("a.b.0"), stepsOf("a"), stepsOf("")]).toEqual([["a", "b", "0"], ["a"], []]);
  });

  it("leads to exactly its keys", () => {
    expect([leads("a.b", "a", "b"), leads("")]).toEqual([true, true]);
    expect([leads("a.b", "a"), leads("a", "a", "b"), leads("a.b", "a", "c"), leads("a", "b")]).toEqual(
      Array(4).fill(false),
    );
    expect([leads("", "a"), leads("a"), leads("", "")]).toEqual([false, false, false]);
  });

  it("leads to any key where it says so, one each time", () => {
    expect([leads("*", "a"), leads("a.*.c", "a", "7", "c"), leads("*.*", "a", "b")]).toEqual([true, true, true]);
    expect([leads("*"), leads("*", "a", "b"), leads("a.*", "a"), leads("a.*.c", "a", "c")]).toEqual(
      Array(4).fill(false),
    );
    expect(leads("a.*", "a", "*")).toBe(true);
  });

  it("leads to keys with dots of their own, which take as many parts", () => {
    expect([leads("a.b.c", "a.b", "c"), leads("a.b.c", "a", "b.c"), leads("a.b.c", "a.b.c")]).toEqual([
      true,
      true,
      true,
    ]);
    expect([leads("a.b", "a.b.c"), leads("a.b.c", "a.b"), leads("a.b.c", "a.x", "c")]).toEqual([false, false, false]);
    // a key of any name is one key, whatever dots it has, and a star may be a part of one that has it
    expect([leads("*.c", "a.b", "c"), leads("*.b", "*.b")]).toEqual([true, true]);
  });

  it("touches what stands at its keys, above or below them, and nothing beside", () => {
    expect([touch("a.b", "a"), touch("a.b"), touch("a.b", "a", "b", "c"), touch("*.b", "x")]).toEqual(
      Array(4).fill(true),
    );
    expect([touch("a.b", "c"), touch("a.b", "a", "c"), touch("*.b", "x", "c")]).toEqual([false, false, false]);
  });
});
