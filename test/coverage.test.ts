// What docs/coverage.md claims: that the tests it names are there under those titles, and the files, and as many lines as it says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository } from "./package/project.ts";
import { hasTitle, missingIn, testsIn } from "./package/titles.ts";

interface Section {
  readonly name: string;
  readonly declared: number;
  readonly rows: readonly string[];
}

/** Every `### name (n lines)` with the rows of its table. */
function sectionsOf(page: string): Section[] {
  return [...page.matchAll(/^### (.*) \((\d+) lines\)\n([^#]*)/gm)].map(([, name = "", declared, table = ""]) => ({
    name,
    declared: Number(declared),
    rows: table.split("\n").filter((line) => /^\| \d+ \|/.test(line)),
  }));
}

function setup() {
  const page = readFileSync(join(repository, "docs/coverage.md"), "utf8");
  return { page, sections: sectionsOf(page) };
}

describe("the page of coverage", () => {
  it("names tests that are there, under their titles", () => {
    expect(missingIn(testsIn(setup().page))).toEqual([]);
  });

  it("has as many lines in each section as it says, numbered, and in all", () => {
    const { page, sections } = setup();
    expect(sections.map(({ name, rows }) => [name, rows.length])).toEqual(
      sections.map(({ name, declared }) => [name, declared]),
    );
    for (const { rows } of sections)
      expect(rows.map((row) => Number(/\d+/.exec(row)?.[0]))).toEqual(rows.map((_, i) => i + 1));
    const all = sections.reduce((sum, { rows }) => sum + rows.length, 0);
    expect(page).toContain(`(${all} lines)`);
    expect(sections.length).toBeGreaterThan(20);
  });

  it("has a test for every line", () => {
    const without = setup().sections.flatMap(({ name, rows }) =>
      rows.filter((row) => testsIn(row).length === 0).map((row) => `${name}: ${row}`),
    );
    expect(without).toEqual([]);
  });

  it("names files that are there", () => {
    const named = [...setup().page.matchAll(/`((?:src|test|examples|docs)\/[^`\s]+\.\w+)[` ]/g)].map(
      ([, file]) => file,
    );
    expect(named.length).toBeGreaterThan(100);
    expect([...new Set(named)].filter((file) => !existsSync(join(repository, file as string)))).toEqual([]);
  });
});

describe("a title", () => {
  it("is found as it is written, of a test, of a group and of a table of tests, and not elsewhere", () => {
    const source = `describe("a", () => {\n  it.each([1])(\n    "b: %s",\n () => {});\n it('c "d"', () => {}) }); const e = "f", g = 1;`;
    expect(["a", "b: %s", 'c "d"', "f", "b"].filter((title) => hasTitle(source, title))).toEqual([
      "a",
      "b: %s",
      'c "d"',
    ]);
  });

  it("is read out of a row with its file, also when it holds code", () => {
    expect(testsIn("| 1 | x | `test/a.test.ts` › b › `c` \\| d<br>`test/e.test.ts` › f |")).toEqual([
      { file: "test/a.test.ts", titles: ["b", "`c` | d"] },
      { file: "test/e.test.ts", titles: ["f"] },
    ]);
  });
});
