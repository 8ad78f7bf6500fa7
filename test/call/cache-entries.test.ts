// What a cache keeps, and for how long, apart from the calls that ask for it.
import { testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { Entries } from "../../src/call/cache/entries.ts";
import { LiveSeams } from "../../src/core/seams.ts";

function setup(max: number) {
  const clock = testClock();
  const entries = new Entries(new LiveSeams({ clock }), max);
  const put = (key: string, keepMs = 60_000) =>
    entries.put(key, { value: key, failedIn: undefined, ttl: keepMs, asked: key }, keepMs);
  return { clock, entries, put, values: (keys: string[]) => keys.map((key) => entries.find(key)?.value) };
}

describe("the entries", () => {
  it("are never more than the most, whose room is no double of the first, and those used last stay", () => {
    const { entries, put, values } = setup(40);
    for (let i = 0; i < 100; i++) {
      put(`${i}`);
      expect(entries.size).toBe(Math.min(i + 1, 40));
      entries.find("0");
    }
    expect(values(["0", "60", "61", "99"])).toEqual(["0", undefined, "61", "99"]);
  });

  it.each([0, 1, 2])("go when their time is over, also those of the clock's first moments: ms %d", async (ms) => {
    const { clock, entries, put } = setup(40);
    await clock.advance(ms);
    put("a", 10);
    await clock.advance(10);
    entries.look();
    expect(entries.find("a")?.value).toBe("a");
    await clock.advance(1);
    entries.look();
    expect(entries.find("a")).toBeUndefined();
    expect(entries.size).toBe(0);
  });

  it("move to a larger room as old as they are", async () => {
    const { clock, entries, put, values } = setup(40);
    put("old", 10);
    for (let i = 0; i < 15; i++) put(`${i}`);
    await clock.advance(6);
    put("one more");
    await clock.advance(4);
    entries.look();
    expect(values(["old", "0", "one more"])).toEqual(["old", "0", "one more"]);
    await clock.advance(1);
    entries.look();
    expect(values(["old", "0", "one more"])).toEqual([undefined, "0", "one more"]);
  });

  it("of one key that is put again take no further room, nor does a smaller room keep more than it has", () => {
    const { entries, put, values } = setup(40);
    for (let i = 0; i < 100; i++) put("same");
    expect(entries.size).toBe(1);
    for (let i = 0; i < 30; i++) put(`${i}`);
    entries.resize(2);
    expect(entries.size).toBe(2);
    expect(values(["same", "27", "28", "29"])).toEqual([undefined, undefined, "28", "29"]);
    entries.resize(40);
    for (let i = 0; i < 50; i++) put(`${i}`);
    expect(entries.size).toBe(40);
  });
});
