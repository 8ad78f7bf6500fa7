// Why a process takes no new work: held until it is let go, by each who holds it, or until everything is as new.
import { beforeEach, describe, expect, it } from "vitest";
import { holdReadiness, readinessHolds } from "../../src/core/readiness.ts";
import { reset } from "../../src/testing/index.ts";

beforeEach(() => reset());

describe("readiness", () => {
  it("is held by nobody at first", () => {
    expect(readinessHolds()).toEqual([]);
  });

  it("is held by each until that one lets go, the oldest reason first", () => {
    const migrating = holdReadiness("migrating");
    const warming = holdReadiness("warming up");
    expect(readinessHolds()).toEqual(["migrating", "warming up"]);
    migrating();
    expect(readinessHolds()).toEqual(["warming up"]);
    warming();
    expect(readinessHolds()).toEqual([]);
  });

  it("is held twice for one reason by two, and letting go twice lets go of one's own alone", () => {
    const first = holdReadiness("migrating");
    holdReadiness("migrating");
    first();
    first();
    expect(readinessHolds()).toEqual(["migrating"]);
  });

  it("is held no more when everything is as new; what is held from then on is", () => {
    const before = holdReadiness("migrating");
    reset();
    expect(readinessHolds()).toEqual([]);
    holdReadiness("warming up");
    before();
    expect(readinessHolds()).toEqual(["warming up"]);
  });
});
