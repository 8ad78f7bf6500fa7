// What the main job does with folders and files of any kind, and in which order its faults come.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { record } from "holdfast/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { readFolder } from "../../examples/workforce/documents.ts";
import { phasesOf } from "../../examples/workforce/faults.ts";
import { fromMarkdown, toMarkdown } from "../../examples/workforce/markdown.ts";
import { readText } from "../../examples/workforce/sentences.ts";
import { checkBrief } from "../../examples/workforce/workers.ts";

function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), "workforce-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** How many inputs were rejected, as the bus tells it. */
function heard(): () => number {
  const seen = record();
  onTestFinished(() => seen.stop());
  return () => seen.of("input.rejected").length;
}

describe("a folder", () => {
  it("gives every .md and .txt file in it and below, whatever their case, and nothing of node_modules, briefs or hidden folders", async () => {
    const folder = folderOf({
      "a.md": "One.",
      "sub/B.TXT": "Two.",
      "sub/deep/c.markdown": "Three.",
      "picture.png": "no",
      "node_modules/x/README.md": "no",
      ".git/d.md": "no",
      "briefs/e.md": "no",
    });

    const { documents, refused } = await readFolder(folder);

    expect(documents.map(({ path }) => path)).toEqual(["a.md", "sub/B.TXT", "sub/deep/c.markdown"]);
    expect(refused).toEqual([]);
  });

  it("refuses an empty file, a binary one, one of 5 MB, one that is no UTF-8, one without a sentence and one that is not there, each with what was got, what is wanted and what would do", async () => {
    const folder = folderOf({
      "bin.md": Buffer.from([0x89, 0x50, 0x00, 0x01]),
      "code.md": "# Title\n\n```\ncode.\n```\n",
      "empty.md": " \n",
      "good.md": "One.",
      "large.md": "A sentence of a large text. ".repeat(180_000),
      "latin.txt": Buffer.from("Gr\xfc\xdfe.", "latin1"),
    });
    symlinkSync("nowhere.md", join(folder, "lost.md"));
    const rejected = heard();

    const { documents, refused } = await readFolder(folder);

    expect(documents.map(({ path }) => path)).toEqual(["good.md"]);
    expect(Object.fromEntries(refused.map(({ path, reason }) => [path, reason]))).toEqual({
      "bin.md": "a zero byte, wanted text: leave binary files out",
      "code.md": "only code, headings, figures or markup, wanted a sentence",
      "empty.md": "an empty file, wanted text",
      "large.md": "size 5.0 MB, wanted at most 1.0 MB: split it",
      "latin.txt": "bytes that are none, wanted UTF-8 text: save it as UTF-8",
      "lost.md": "a link to nothing, wanted a file: mend the link",
    });
    expect(rejected()).toBe(6);
  });

  it("does not wait for a pipe of such a name", async () => {
    const folder = folderOf({ "a.md": "One." });
    execFileSync("mkfifo", [join(folder, "pipe.md")]);
    expect((await readFolder(folder)).refused).toMatchObject([{ path: "pipe.md" }]);
  });

  it("that is not there, is a file, or holds no document is told in a sentence", async () => {
    const folder = folderOf({ "picture.png": "no" });
    await expect(readFolder(join(folder, "nowhere"))).rejects.toThrow("There is no folder");
    await expect(readFolder(join(folder, "picture.png"))).rejects.toThrow("is a file");
    await expect(readFolder(folder)).rejects.toThrow("There is no document");
  });
});

describe("a brief's page", () => {
  const text = readText("# On (line 7)\n\nIt takes **5 ms** (line 3). So it does.\n");
  const document = { path: "a.md", ...text };
  const brief = {
    title: "On (line 7)",
    summary: [
      { source: 1, text: "It takes 5 ms (line 3)." },
      { source: 2, text: "So it does." },
    ],
    figures: [{ source: 1, figure: "5 ms" }],
  };

  it("says the same when it is read back", () => {
    expect(fromMarkdown(toMarkdown(brief, document), text)).toEqual(brief);
  });

  it("fails the checks once a word, a line or a figure of it is changed", () => {
    const page = toMarkdown(brief, document);
    const findings = (changed: string) => checkBrief(fromMarkdown(changed, text), text);
    expect(findings(page)).toEqual([]);
    expect(findings(page.replace("So it does", "So it did"))).not.toEqual([]);
    expect(findings(page.replace("- So it does. (line 3)", "- So it does. (line 4)"))).not.toEqual([]);
    expect(findings(page.replace("**5 ms**", "**6 ms**"))).not.toEqual([]);
    expect(findings(page.replace("# On", "# Off"))).not.toEqual([]);
    expect(findings("")).not.toEqual([]);
  });
});

describe("the faults", () => {
  it("are two at any time, never two of a kind, all six in three phases, and none is a kill before the work has begun", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const phases = phasesOf(seed);
        for (let cycle = 0; cycle < 4; cycle++) {
          const three = [1, 2, 3].map(() => phases.next().value);
          for (const phase of three) expect(phase.filter((fault) => fault !== undefined)).toHaveLength(2);
          expect(new Set(three.flat().filter((fault) => fault !== undefined)).size).toBe(6);
          expect(new Set(three.map((phase) => phase.indexOf(undefined))).size).toBe(3);
          if (cycle === 0) expect(three[0]).not.toContain("killed");
        }
      }),
    );
  });

  it("come in the same order for the same seed", () => {
    const first = (seed: number) => {
      const phases = phasesOf(seed);
      return Array.from({ length: 9 }, () => phases.next().value);
    };
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
  });
});
