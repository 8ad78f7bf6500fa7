// An oracle that cannot fail is worth nothing: each rule of the simulation, and the faults that it has to find.
import { describe, expect, it } from "vitest";
import { faults } from "./faults.ts";
import { search } from "./search.ts";

describe("the simulation finds, and shrinks to a caller or two", () => {
  it.each(faults)("$fault ($rule)", async ({ rule, planted }) => {
    const { found } = await search({ seed: 1, calls: 3_000, ...planted });
    expect(found?.violations[0]).toMatchObject({ rule });
    expect(found?.plan.callers.length).toBeLessThanOrEqual(2);
  });
});
