import { describe, expect, it } from "vitest";
import { z } from "zod";
import { functionSchema } from "../../src/core/wanted.ts";
import { defineWrapper, OptionsInvalidError } from "../../src/index.ts";

/** What is said of an option that a wrapper of this schema cannot take. */
function said(schema: z.ZodType, given: unknown): string | undefined {
  try {
    defineWrapper("mine", z.object({ a: schema }), { a: given }, () => ({ bracket: {} }));
  } catch (error) {
    if (error instanceof OptionsInvalidError) return error.issues[0]?.wanted;
    throw error;
  }
  return undefined;
}

describe("an option that cannot be used is answered with what is wanted", () => {
  it.each<[wanted: string, schema: z.ZodType, given: unknown]>([
    ["a number", z.number(), "x"],
    ["an object", z.object({}), 1],
    [
      "{ limit, per, burst?, shape? }",
      z.strictObject({
        limit: z.number(),
        per: z.string(),
        burst: z.int().optional(),
        shape: z.string().prefault("x"),
      }),
      5,
    ],
    ["a whole number", z.int(), 1.5],
    ["a list", z.array(z.number()), 1],
    ["at least 2", z.number().min(2), 1],
    ["more than 2", z.number().gt(2), 2],
    ["at most 2", z.number().max(2), 3],
    ["less than 2", z.number().lt(2), 2],
    ["at least 2 characters", z.string().min(2), "x"],
    ["at most 2 characters", z.string().max(2), "xyz"],
    ["at least 2 of them", z.array(z.number()).min(2), [1]],
    ['"low" or "high"', z.enum(["low", "high"]), "x"],
    ['"x" or undefined', z.literal(["x", undefined]), 2],
    ["a function", functionSchema(), 1],
  ])("%s", (wanted, schema, given) => {
    expect(said(schema, given)).toBe(wanted);
  });
});
