import * as library from "holdfast";
import * as pino from "holdfast/pino";
import * as review from "holdfast/review";
import * as testing from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { surface } from "./generate/surface.ts";

const modules: Record<string, object> = {
  holdfast: library,
  "holdfast/testing": testing,
  "holdfast/pino": pino,
  "holdfast/review": review,
};

describe("the entries of the package", () => {
  it.each(surface())("$name exports at run time the values that it declares, and no other", ({ name, exports }) => {
    const declared = exports.filter(({ isType }) => !isType).map((exported) => exported.name);
    expect(Object.keys(modules[name] ?? {}).sort()).toEqual(declared.sort());
  });

  it.each([
    ["the declaration", ["protect", "standard"]],
    ["the primitives", ["retry", "breaker", "timeout", "deadline", "fallback", "bulkhead", "cache", "guard", "gate"]],
    ["what is done by hand", ["pipe", "named", "defineWrapper"]],
    [
      "what looks at a call",
      ["settled", "storyOf", "report", "stories", "classify", "explain", "configure", "events", "problem"],
    ],
    [
      "the errors",
      [
        "HoldfastError",
        "InputRejectedError",
        "OutputRejectedError",
        "ReviewPendingError",
        "FallbackExhaustedError",
        "TimeoutError",
        "DeadlineExceededError",
        "BreakerOpenError",
        "BulkheadFullError",
        "OptionsInvalidError",
      ],
    ],
  ])("have %s", (_, names) => {
    expect(names.filter((name) => !(name in library))).toEqual([]);
  });

  it("have the helpers of a user's tests", () => {
    expect(Object.keys(testing)).toEqual(
      expect.arrayContaining(["testClock", "seededRandom", "record", "script", "seams", "reset"]),
    );
  });

  it("are tested on a Node that they promise to run on", () => {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(22_013);
  });
});
