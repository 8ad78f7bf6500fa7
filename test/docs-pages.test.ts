// What a reader finds on every page of docs/, and that its links and the tests that it names are there.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository } from "./package/project.ts";
import { missingIn, testsIn } from "./package/titles.ts";

const folder = join(repository, "docs");
const read = (page: string) => readFileSync(join(folder, page), "utf8");
const pages = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .sort();

/** No page for the use of one thing, and why. */
const exempt: Readonly<Record<string, string>> = {
  "architecture.md": "for those who change holdfast",
  "benchmarks.md": "figures, and how they were measured",
  "coverage.md": "which demand is answered by which test",
  "events.md": "a list, generated from the map of events",
  "order.md": "one table; looked at below",
  "replay.md": "a tool of this repository, and no part of a declaration",
};

const wanted: Readonly<Record<string, (page: string) => boolean>> = {
  "what it is for, in three sentences at most": (page) => sentencesOf(introOf(page)) <= 3,
  "the smallest use, before anything else": (page) =>
    /^```ts\n/m.test((page.split(/^## /m)[0] ?? "") + sectionOf(page, "The smallest use")),
  "defaults or options": (page) => headings(page).some((heading) => /\b(defaults|options)\b/i.test(heading)),
  events: (page) => headings(page).some((heading) => heading.startsWith("Events")),
  "how it works, with a diagram": (page) => /^```(mermaid)?\n[^`]*?^```$/m.test(sectionOf(page, "How it works")),
  "together with others": (page) => sectionOf(page, "Together with others").includes("\n- "),
  "when not to": (page) => sectionOf(page, "When not to").includes("\n- "),
};

function introOf(page: string): string {
  return page.split("\n\n")[1] ?? "";
}

function sentencesOf(text: string): number {
  return [...text.matchAll(/[.!?](?=\s|$)/g)].length;
}

function headings(page: string): string[] {
  return [...page.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
}

function sectionOf(page: string, heading: string): string {
  return page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
}

describe("every page", () => {
  it.each(pages.filter((page) => !(page in exempt)))("%s says all that a reader looks for", (page) => {
    const text = read(page);
    const missing = Object.entries(wanted).filter(([, isThere]) => !isThere(text));
    expect(missing.map(([what]) => what)).toEqual([]);
  });

  it("that is exempt is there", () => {
    expect(Object.keys(exempt).filter((page) => !pages.includes(page))).toEqual([]);
  });
});

describe("the links", () => {
  const all = ["../README.md", ...readdirSync(folder, { recursive: true, encoding: "utf8" })].filter((file) =>
    file.endsWith(".md"),
  );

  it("lead only to what is there", () => {
    const dead = all.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(([, file = "", anchor]) => {
        const text = textOf(file === "" ? join(folder, page) : join(folder, dirname(page), file));
        if (text === undefined) return [`${page}: ${file}`];
        return anchor === undefined || anchors(text).includes(anchor) ? [] : [`${page}: ${file}#${anchor}`];
      }),
    );
    expect(dead).toEqual([]);
  });
});

describe("the diagrams", () => {
  /** What mermaid takes for its own, outside labels: words as the names of nodes, a semicolon as the end of a line. */
  const misread = (diagram: string) =>
    diagram.startsWith("sequenceDiagram")
      ? [...diagram.matchAll(/^.*;.*$/gm)].map(([line]) => line)
      : diagram
          .split("\n")
          .slice(1)
          .filter((line) =>
            /(^|\s)(call|class|click|default|end|graph|href|style)(\s|$)/.test(
              line.replaceAll(/"[^"]*"|\[[^\]]*\]|\{[^}]*\}|\|[^|]*\||-- .* -->/g, ""),
            ),
          );

  it.each(pages)("of %s have no word or sign that mermaid takes for its own", (page) => {
    const diagrams = [...read(page).matchAll(/^```mermaid\n((?:flowchart|sequenceDiagram)[\s\S]*?)^```$/gm)];
    expect(diagrams.flatMap(([, diagram = ""]) => misread(diagram))).toEqual([]);
  });

  it("would be seen to have one", () => {
    expect(misread("flowchart LR\n  a[call] -- end --> b\n  call --> b\n")).toEqual(["  call --> b"]);
    expect(misread("sequenceDiagram\n  a->>b: first; second\n")).toEqual(["  a->>b: first; second"]);
  });
});

describe("the page of the order", () => {
  const rows = [...read("order.md").matchAll(/^\| \d+ \| .*$/gm)].map(([row]) => row);

  it("names a test beside each place, which is there under its title", () => {
    expect(rows.length).toBeGreaterThanOrEqual(8);
    expect(rows.filter((row) => testsIn(row).length === 0)).toEqual([]);
    expect(missingIn(testsIn(rows.join("\n")))).toEqual([]);
  });
});

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return (error as { code?: string }).code === "EISDIR" ? "" : undefined;
  }
}

/** As GitHub makes them of headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
