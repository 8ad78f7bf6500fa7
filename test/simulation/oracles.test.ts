// An oracle that cannot fail is worth nothing: each rule of the simulation, and the faults that it has to find.
import { describe, expect, it } from "vitest";
import { faults } from "./faults.ts";
import { misreadings } from "./misreadings.ts";
import { loads } from "./misreadLoads.ts";
import { search } from "./search.ts";

describe("the simulation finds, and shrinks to few callers", { timeout: 60_000 }, () => {
  it.each([...faults, ...misreadings, ...loads])("$fault ($rule)", async ({ rule, planted }) => {
    const { found } = await search({ seed: 1, calls: 3_000, rule, ...planted });
    expect(found?.violations[0]).toMatchObject({ rule });
    expect(found?.plan.callers.length).toBeLessThanOrEqual(5);
  });
});
