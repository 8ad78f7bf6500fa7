import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { findingsOf } from "../../src/core/schema.ts";

function findings(schema: StandardSchemaV1, given: unknown) {
  const result = schema["~standard"].validate(given);
  if (result instanceof Promise || result.issues === undefined) throw new Error("is to be refused, at once");
  return findingsOf(result.issues, given);
}

describe("what a schema's issues say", () => {
  it("has the path, what stands there, and what is wanted, every issue at once", () => {
    const schema = z.object({ topic: z.string(), parts: z.array(z.object({ words: z.number().max(9, "at most 9") })) });
    expect(findings(schema, { topic: 1, parts: [{ words: 3 }, { words: 12 }] })).toEqual([
      { path: "topic", got: 1, wanted: "Invalid input: expected string, received number" },
      { path: "parts.1.words", got: 12, wanted: "at most 9" },
    ]);
  });

  it("has what stands in a map, too", () => {
    const schema = z.object({ ages: z.map(z.string(), z.number("a number")) });
    const given = { ages: new Map<string, unknown>([["ada", "old"]]) };
    expect(findings(schema, given)).toEqual([{ path: "ages.ada", got: "old", wanted: "a number" }]);
  });

  it("of the whole has an empty path", () => {
    expect(findings(z.string("a text"), 5)).toEqual([{ path: "", got: 5, wanted: "a text" }]);
  });

  it("tells every unknown key by its own path", () => {
    const schema = z.object({ retry: z.strictObject({ attempts: z.number() }) });
    expect(findings(schema, { retry: { attempts: 1, retries: 2, tries: 3 } })).toEqual([
      { path: "retry.retries", wanted: "no such key" },
      { path: "retry.tries", wanted: "no such key" },
    ]);
  });

  it("tells nothing of what is missing, or is inherited", () => {
    const given = Object.create({ b: 1 }) as object;
    const issues = [
      { message: "m", path: ["a", "deep"] },
      { message: "m", path: ["b"] },
      { message: "m", path: ["toString"] },
    ];
    expect(findingsOf(issues, given).map(({ got }) => got)).toEqual([undefined, undefined, undefined]);
    expect(findingsOf(issues, null).map(({ path }) => path)).toEqual(["a.deep", "b", "toString"]);
  });

  it("is read from other vendors' issues too: no path, keys as objects, keys that are symbols", () => {
    const sym = Symbol("s");
    const issues = [{ message: "m" }, { message: "m", path: [{ key: "a" }, 0] }, { message: "m", path: [sym] }];
    expect(findingsOf(issues, { a: ["x"], [sym]: 1 })).toEqual([
      { path: "", got: { a: ["x"], [sym]: 1 }, wanted: "m" },
      { path: "a.0", got: "x", wanted: "m" },
      { path: "Symbol(s)", got: 1, wanted: "m" },
    ]);
  });
});
