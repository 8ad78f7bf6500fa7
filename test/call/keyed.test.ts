// What is kept for each key: nothing is lost while its room grows, and what goes when there is no more.
import { describe, expect, it } from "vitest";
import { Keyed } from "../../src/call/keyed.ts";

interface Held {
  readonly n: number;
  isSpare: boolean;
}

function filled(most: number, many: number, looks?: number) {
  const keyed = new Keyed<Held>(most, ({ isSpare }) => isSpare, looks);
  for (let n = 0; n < many; n++) keyed.add(`${n}`, { n, isSpare: false });
  return keyed;
}

const keysOf = (keyed: Keyed<Held>) => [...keyed.entries()].map(([, { n }]) => n).toSorted((a, b) => a - b);

describe("what is kept for each key", () => {
  it("stays while its room grows, in the order in which it was used", () => {
    const keyed = filled(100, 40);
    expect(keyed.get("0")).toMatchObject({ n: 0 });
    for (let n = 40; n < 101; n++) keyed.add(`${n}`, { n, isSpare: false });
    expect([keyed.size, keyed.peek("0")?.n, keyed.peek("1")]).toEqual([100, 0, undefined]);
    expect(keysOf(keyed)).toEqual([0, ...Array.from({ length: 99 }, (_, i) => i + 2)]);
  });

  it("is never more than it may be, also of a few", () => {
    for (const most of [1, 3, 16, 17]) expect([filled(most, 50).size, filled(most, 0).size]).toEqual([most, 0]);
  });

  it("goes where it loses nothing, of those that are looked at; else what was used longest ago", () => {
    for (const [spare, looks, gone] of [
      [5, 20, 5],
      [5, 5, 0],
      [-1, 20, 0],
    ] as const) {
      const keyed = filled(20, 20, looks);
      const held = keyed.peek(`${spare}`);
      if (held !== undefined) held.isSpare = true;
      keyed.add("20", { n: 20, isSpare: false });
      expect(keysOf(keyed)).toEqual(Array.from({ length: 21 }, (_, n) => n).filter((n) => n !== gone));
    }
  });
});
