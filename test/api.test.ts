import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { apiFile, apiText } from "./generate/api.ts";
import { surface } from "./generate/surface.ts";

describe("the public surface", () => {
  const entries = surface();

  it("is the one that docs/api.txt shows: after a change that is meant, run `npm run api` and commit it", () => {
    expect(readFileSync(apiFile, "utf8")).toBe(apiText(entries));
  });

  it.each(entries)(
    "exports from $name every type that its declarations name, so that a user can write it down",
    ({ unnamed }) => {
      expect(unnamed).toEqual([]);
    },
  );

  it.each(entries)("takes `undefined` in $name wherever a property may be left out", ({ strict }) => {
    expect(strict).toEqual([]);
  });
});
