// Each example runs as a process of its own, and prints what the comment at its end says: `// prints:`, then a comment line for each line; `…` stands for anything.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { lineLike } from "./package/printed.ts";
import { repository } from "./package/project.ts";

const folder = join(repository, "examples");
const examples = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .sort();

function printedBy(text: string): string[] | undefined {
  const [, block] = /^\/\/ prints:\n((?:\/\/.*\n)*)\s*$/m.exec(text) ?? [];
  return block
    ?.split("\n")
    .slice(0, -1)
    .map((line) => line.replace(/^\/\/ ?/, ""));
}

describe("the examples", { timeout: 120_000 }, () => {
  it("are numbered as a reader would go, without a gap", () => {
    expect(examples.map((file) => Number(file.slice(0, 2)))).toEqual(examples.map((_, i) => i + 1));
  });

  it.concurrent.each(examples)("%s runs, and prints what it says at its end", async (file) => {
    const tsx = join(repository, "node_modules/tsx/dist/cli.mjs");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [tsx, join(folder, file)], {
      cwd: repository,
      timeout: 50_000,
    });
    expect(stderr).toBe("");
    const wanted = printedBy(readFileSync(join(folder, file), "utf8"));
    expect(wanted, `${file} must end with "// prints:" and a comment line for each line`).toBeDefined();
    expect(stdout.split("\n").slice(0, -1)).toEqual(wanted?.map((line) => expect.stringMatching(lineLike(line))));
  });

  it("say what they print in their last comment, and nothing after it", () => {
    expect(printedBy("run();\n\n// prints:\n// a … ms\n//\n// b\n")).toEqual(["a … ms", "", "b"]);
    expect(printedBy("// prints:\n// a\nrun();\n")).toBeUndefined();
  });
});
