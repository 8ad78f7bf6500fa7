import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { severities } from "../src/core/events.ts";
import { eventsFile, eventsOf, eventsPage } from "./generate/events.ts";

describe("the page of events", () => {
  it("is the one that the map of events gives: after a change, run `npm run docs:events` and commit it", () => {
    expect(readFileSync(eventsFile, "utf8")).toBe(eventsPage(eventsOf()));
  });

  it("says of every event when it happens", () => {
    expect(
      eventsOf()
        .filter(({ when }) => when === "")
        .map(({ type }) => type),
    ).toEqual([]);
  });

  it("has every event that is given a severity", () => {
    const types = eventsOf().map(({ type }) => type);
    expect(Object.keys(severities).filter((type) => !types.includes(type))).toEqual([]);
  });

  it("names events by a noun and what happened to it, and durations by their unit", () => {
    for (const { type, facts } of eventsOf()) {
      expect(type).toMatch(/^[a-z]+\.[a-z][a-zA-Z]+$/);
      for (const fact of facts) expect(fact).not.toMatch(/^(elapsed|delay|duration|age|late)\b/);
    }
  });

  it("reads the sentence and the facts of an event", () => {
    const map = 'interface EventMap {\n  /** It broke. */\n  "thing.broke": { why: "a" | "b"; n: number };\n}';
    expect(eventsOf(map)).toEqual([
      { type: "thing.broke", when: "It broke.", facts: ['why: "a" | "b";', "n: number;"] },
    ]);
    expect(eventsPage(eventsOf(map))).toContain(
      '| `thing.broke` | info | It broke. | `why: "a" \\| "b"`<br>`n: number` |',
    );
  });
});
