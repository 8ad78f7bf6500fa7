// The state that follows from results, and how the whole follows from its parts: what holds for every course of them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gauge, type Result } from "../../src/health/gauge.ts";
import { isWorse, rollUp } from "../../src/health/rollUp.ts";
import type { Criticality, Health } from "../../src/index.ts";
import { healths } from "./setup.ts";

const results: readonly Result[] = ["healthy", "degraded", "unhealthy"];
const worseness = (level: Health) => ({ healthy: 0, degraded: 1, unknown: 1.5, unhealthy: 2 })[level];
const course = fc.record({
  heard: fc.array(fc.constantFrom(...results), { maxLength: 60 }),
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  firstDecides: fc.boolean(),
});

describe("the state", () => {
  it("never changes without the declared number of results in a row, and goes no further than all of them went", () => {
    fc.assert(
      fc.property(course, ({ heard, firstDecides, ...thresholds }) => {
        const gauge = new Gauge(thresholds, firstDecides);
        for (const [i, result] of heard.entries()) {
          const before = gauge.level;
          gauge.hear(result);
          if (gauge.level === before) continue;
          if (before === "unknown" && firstDecides) {
            expect(gauge.level).toBe(result);
            continue;
          }
          const worse = worseness(gauge.level) > worseness(before);
          const needed = worse ? thresholds.failureThreshold : thresholds.successThreshold;
          const row = heard.slice(i + 1 - needed, i + 1).map(worseness);
          expect(row.length).toBe(needed);
          if (worse) expect(Math.min(...row)).toBe(worseness(gauge.level));
          else expect(Math.max(...row)).toBe(worseness(gauge.level));
        }
      }),
    );
  });

  it("always follows results that stay the same", () => {
    fc.assert(
      fc.property(course, fc.constantFrom(...results), ({ heard, firstDecides, ...thresholds }, last) => {
        const gauge = new Gauge(thresholds, firstDecides);
        for (const result of heard) gauge.hear(result);
        for (let i = 0; i < 8; i++) gauge.hear(last);
        expect(gauge.level).toBe(last);
      }),
    );
  });

  it.each([
    ["two failures of three leave it as it was", ["healthy", "unhealthy", "unhealthy"], "healthy"],
    ["the third in a row makes it unhealthy", ["healthy", "unhealthy", "unhealthy", "unhealthy"], "unhealthy"],
    [
      "a success in between begins the row anew",
      ["healthy", "unhealthy", "unhealthy", "healthy", "unhealthy"],
      "healthy",
    ],
    ["of three worse ones the mildest counts", ["healthy", "unhealthy", "degraded", "unhealthy"], "degraded"],
    ["one success is enough to be well again", ["unhealthy", "healthy"], "healthy"],
  ] as const)("%s", (_, heard, level) => {
    const gauge = new Gauge({ failureThreshold: 3, successThreshold: 1 }, true);
    for (const result of heard) gauge.hear(result);
    expect(gauge.level).toBe(level);
  });

  it("is unknown until enough calls have told: one failed call is none that decides", () => {
    const gauge = new Gauge({ failureThreshold: 3, successThreshold: 1 }, false);
    gauge.hear("unhealthy");
    gauge.hear("unhealthy");
    expect(gauge.level).toBe("unknown");
    gauge.hear("unhealthy");
    expect(gauge.level).toBe("unhealthy");
  });
});

describe("the whole", () => {
  const criticalities: readonly Criticality[] = ["critical", "normal", "sheddable", "background"];
  const part = fc.record({ status: fc.constantFrom(...healths), criticality: fc.constantFrom(...criticalities) });

  it("never becomes better because a part becomes worse", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.nat(), fc.constantFrom(...healths), (parts, at, status) => {
        const i = at % parts.length;
        const changed = parts.with(i, { ...(parts[i] as (typeof parts)[number]), status });
        if (isWorse(status, parts[i]?.status as Health)) expect(isWorse(rollUp(parts), rollUp(changed))).toBe(false);
      }),
    );
  });

  it("does not depend on the order of the parts, and with one part more is never better than without", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), part, (parts, more) => {
        expect(rollUp(parts.toReversed())).toBe(rollUp(parts));
        if (rollUp(parts) !== "unknown") expect(isWorse(rollUp(parts), rollUp([...parts, more]))).toBe(false);
      }),
    );
  });

  it.each([
    [
      "falls with a critical one",
      [
        ["unhealthy", "critical"],
        ["healthy", "normal"],
      ],
      "unhealthy",
    ],
    ["falls with a normal one", [["unhealthy", "normal"]], "unhealthy"],
    [
      "is degraded by a sheddable one at most",
      [
        ["unhealthy", "sheddable"],
        ["healthy", "critical"],
      ],
      "degraded",
    ],
    ["is degraded by one in the background at most", [["unhealthy", "background"]], "degraded"],
    [
      "is unknown while a critical one is",
      [
        ["unknown", "critical"],
        ["healthy", "normal"],
      ],
      "unknown",
    ],
    [
      "is not unknown for one in the background",
      [
        ["unknown", "background"],
        ["healthy", "normal"],
      ],
      "healthy",
    ],
    [
      "is degraded rather than unknown",
      [
        ["unknown", "critical"],
        ["degraded", "normal"],
      ],
      "degraded",
    ],
    ["is unknown with nothing in it", [], "unknown"],
  ] as ReadonlyArray<[string, ReadonlyArray<[Health, Criticality]>, Health]>)("%s", (_, parts, whole) => {
    expect(rollUp(parts.map(([status, criticality]) => ({ status, criticality })))).toBe(whole);
  });
});
