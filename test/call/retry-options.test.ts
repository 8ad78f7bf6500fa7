import { describe, expect, it } from "vitest";
import { explain, OptionsInvalidError, pipe, protect, retry } from "../../src/index.ts";

const operation = async () => 1;

describe("bad options", () => {
  it.each([
    [{ attempts: 0 }, "attempts"],
    [{ attempts: -1 }, "attempts"],
    [{ attempts: 2.5 }, "attempts"],
    [{ attempts: Number.NaN }, "attempts"],
    [{ attempts: Number.POSITIVE_INFINITY }, "attempts"],
    [{ base: "abc" }, "base"],
    [{ base: -1 }, "base"],
    [{ base: Number.NaN }, "base"],
    [{ cap: Number.POSITIVE_INFINITY }, "cap"],
    [{ backoff: "fibonacci" }, "backoff"],
    [{ jitter: "some" }, "jitter"],
    [{ maxElapsed: 0 }, "maxElapsed"],
    [{ patience: "1 s" }, "patience"],
    [{ when: true }, "when"],
    [{ retries: 3 }, "retries"],
  ])("throw when the wrapper is made, with the option's path: %o", (options, path) => {
    const issues = issuesOf(() => retry(options as never));
    expect(issues.map((issue) => issue.path)).toEqual([path]);
    expect(issuesOf(() => protect("x", operation, { retry: options as never })).map((issue) => issue.path)).toEqual([
      `retry.${path}`,
    ]);
  });

  it("throw all at once", () => {
    expect(issuesOf(() => retry({ attempts: 0, base: "x" as never, jitters: 1 } as never))).toHaveLength(3);
  });

  it("are none: the defaults are three rounds, exponential from 100 ms to 20 s, full jitter, 1 s of patience", () => {
    const [layer] = explain(pipe(operation, retry()));
    expect(layer).toMatchObject({
      kind: "retry",
      options: { attempts: 3, backoff: "exponential", base: 100, cap: 20_000, jitter: "full", patience: 1_000 },
    });
  });
});

function issuesOf(make: () => unknown) {
  try {
    make();
  } catch (error) {
    if (error instanceof OptionsInvalidError) return error.issues;
    throw error;
  }
  return [];
}
