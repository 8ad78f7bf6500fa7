// What a breaker can be made with.
import { explain, type OptionsInvalidError, pipe } from "holdfast";
import { describe, expect, it } from "vitest";
import { breaker } from "../../src/call/breaker.ts";
import { well } from "./breaker-setup.ts";

describe("a bad option", () => {
  it.each([
    ["failureRate", Number.NaN],
    ["failureRate", 0],
    ["failureRate", -0.1],
    ["failureRate", 50],
    ["failureRate", "0.5"],
    ["consecutiveFailures", 0],
    ["consecutiveFailures", 2.5],
    ["consecutiveFailures", Number.POSITIVE_INFINITY],
    ["minimumCalls", 0],
    ["minimumCalls", Number.NaN],
    ["halfOpenCalls", 0],
    ["window", 0],
    ["window", "abc"],
    ["window", Number.POSITIVE_INFINITY],
    ["breakTime", Number.NaN],
    ["breakTime", -1],
    ["maxBreakTime", "-5s"],
    ["ramp", Number.NaN],
    ["mode", "dry"],
    ["when", true],
    ["key", "tenant"],
    ["failurerate", 0.5],
  ])("throws when the breaker is made, with its path: %s %j", (path, given) => {
    expect(() => breaker({ [path]: given })).toThrow(
      expect.objectContaining({
        code: "OPTIONS_INVALID",
        issues: [expect.objectContaining({ path })],
      }),
    );
  });

  it("is told with all others at once", () => {
    try {
      breaker({ failureRate: 2, minimumCalls: -1, breakTime: "soon" as never });
      expect.unreachable();
    } catch (error) {
      expect((error as OptionsInvalidError).issues.map(({ path }) => path)).toEqual([
        "failureRate",
        "minimumCalls",
        "breakTime",
      ]);
    }
  });

  it("that is a break time computed as NaN or negative is reported, not obeyed", () => {
    const perhaps = (given: string) => Number.parseInt(given, 10);
    expect(() => breaker({ breakTime: perhaps("soon") })).toThrow(/breakTime: wanted milliseconds/);
    expect(() => breaker({ breakTime: perhaps("-20") })).toThrow(/breakTime: wanted milliseconds.*got -20/);
  });

  it("is half of a pair that says nothing alone", () => {
    expect(() => breaker({ slowCallRate: 0.5 })).toThrow(/slowCallDuration: wanted a duration/);
    expect(() => breaker({ slowCallDuration: "1s" })).toThrow(/slowCallRate: wanted a rate/);
  });

  it("is a longest break shorter than the first", () => {
    expect(() => breaker({ breakTime: "5s", maxBreakTime: "1s" })).toThrow(/maxBreakTime: wanted at least breakTime/);
    expect(() => breaker({ breakTime: "10m" })).not.toThrow();
  });
});

describe("the options in force", () => {
  const optionsOf = (options: object) => explain(pipe(well, breaker(options)))[0]?.options;

  it("are the defaults where nothing is written", () => {
    const wanted = {
      failureRate: 0.5,
      window: 10_000,
      minimumCalls: 10,
      breakTime: 5_000,
      maxBreakTime: 60_000,
      halfOpenCalls: 1,
      ramp: 0,
      mode: "enforce",
    };
    expect(optionsOf({})).toEqual(wanted);
    expect(optionsOf({ failureRate: undefined, when: undefined })).toEqual(wanted);
  });

  it("have no failure rate beside failures in a row, unless it is written", () => {
    expect(optionsOf({ consecutiveFailures: 3 })).not.toHaveProperty("failureRate");
    expect(optionsOf({ consecutiveFailures: 3, failureRate: 0.4 })).toMatchObject({ failureRate: 0.4 });
  });

  it("are left alone, also when they are frozen", () => {
    const options = Object.freeze({ failureRate: 0.2 });
    breaker(options);
    expect(Object.keys(options)).toEqual(["failureRate"]);
  });

  it("are shown with the state", () => {
    const circuit = breaker();
    circuit.isolate();
    expect(explain(circuit(well))).toMatchObject([{ kind: "breaker", state: { state: "isolated" } }]);
  });
});
