// Every TypeScript block of the pages and every `@example` of the sources compiles against the packed package and runs; what `// → …` says it prints, it prints.
// A block that cannot run anywhere is marked "ts no-run" and says why in its first line: `// not run: …`. It still compiles.
// A page's block is complete with its imports; an `@example` may leave out those of holdfast.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "holdfast";
import * as testing from "holdfast/testing";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { type Block, blocksOfPage, lineOf, said } from "./package/blocks.ts";
import { lineLike } from "./package/printed.ts";
import { packed, project, repository } from "./package/project.ts";

function blocksOfSource(file: string, text: string): Block[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const blocks: Block[] = [];
  const seen = new Set<number>();
  const visit = (node: ts.Node) => {
    for (const tag of ts.getJSDocTags(node)) {
      if (tag.tagName.text !== "example" || seen.has(tag.pos)) continue;
      seen.add(tag.pos);
      const written = ts.getTextOfJSDocComment(tag.comment) ?? "";
      const [, info = "", fenced] = /```ts( .*)?\n([\s\S]*?)```/.exec(written) ?? [];
      blocks.push({
        at: `${file}:${lineOf(text, tag.pos)}`,
        code: withImports(fenced ?? written),
        runs: info.trim() !== "no-run",
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return blocks;
}

function withImports(code: string): string {
  if (/from "holdfast/.test(code)) return code;
  const used = (names: readonly string[]) =>
    names.filter(
      (name) =>
        new RegExp(`(?:(?<=\\.\\.\\.)|(?<![.\\w"]))${name}\\b`).test(code) &&
        !new RegExp(`\\b(const|function) ${name}\\b`).test(code),
    );
  const lines = Object.entries({ holdfast: library, "holdfast/testing": testing }).map(([entry, module]) => ({
    entry,
    names: used(Object.keys(module)).sort(),
  }));
  const z = /\bz\./.test(code) ? ['import { z } from "zod";'] : [];
  return [
    ...lines
      .filter(({ names }) => names.length)
      .map(({ entry, names }) => `import { ${names.join(", ")} } from "${entry}";`),
    ...z,
    code,
  ].join("\n");
}

function blocks(): Block[] {
  const read = (file: string) => readFileSync(join(repository, file), "utf8");
  const under = (dir: string, end: string) =>
    readdirSync(join(repository, dir), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(end))
      .sort()
      .map((file) => `${dir}/${file}`);
  return [
    ...["README.md", ...under("docs", ".md")].flatMap((page) => blocksOfPage(page, read(page))),
    ...under("src", ".ts").flatMap((file) => blocksOfSource(file, read(file))),
  ];
}

async function setup() {
  const all = blocks().map((block) => ({ ...block, file: block.at.replaceAll(/[/:]/g, "_") }));
  const site = project();
  await packed(site);
  for (const name of ["@types/node", "@types/opossum", "undici-types", "cockatiel", "openai", "pino"])
    site.install(name);
  site.write(Object.fromEntries(all.map(({ file, code }) => [`blocks/${file}.ts`, code])));
  const complaints = await site.compile(
    "7.0",
    {
      compilerOptions: {
        ...{
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: true,
          module: "nodenext",
          moduleDetection: "force",
        },
        ...{ target: "es2023", lib: ["es2024", "dom", "dom.asynciterable", "esnext.disposable"], types: ["node"] },
        ...{ rootDir: "blocks", outDir: "run" },
      },
    },
    all.map(({ file }) => `blocks/${file}.ts`),
  );
  return { site, all, complaints };
}

describe("what the pages and docstrings show", { timeout: 120_000 }, async () => {
  const { site, all, complaints } = await setup();
  afterAll(site.remove);

  it("compiles", () => {
    expect(complaints).toBe("");
  });

  it("says why, where it cannot run", () => {
    expect(all.filter(({ runs, code }) => !runs && !/^\s*\/\/ not run: \S/.test(code)).map(({ at }) => at)).toEqual([]);
  });

  it.concurrent.each(all.filter(({ runs }) => runs))("runs, and prints what it says: $at", async ({ file, code }) => {
    const { code: exit, stdout, stderr } = await site.node(`run/${file}.js`);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const lines = stdout.split("\n").slice(0, -1);
    const wanted = said(code);
    if (wanted.length) expect(lines).toEqual(wanted.map((line) => expect.stringMatching(lineLike(line))));
  });
});

describe("a block", () => {
  it("is found in a page with its line, mark and all, also when it is indented", () => {
    const page = "# x\n```ts\na;\n```\n- y\n  ```ts no-run\n  // not run: z\n  b;\n  ```\n```js\nc;\n```\n";
    expect(blocksOfPage("p.md", page)).toEqual([
      { at: "p.md:2", code: "a;\n", runs: true },
      { at: "p.md:6", code: "// not run: z\nb;\n", runs: false },
    ]);
  });

  it("is found in a docstring, fenced or not, and gets the imports that it leaves out", () => {
    const source =
      "/** One.\n * @example\n * ```ts\n * protect(f.name, f, { ...standard, retry: retry() });\n * ```\n */\nexport const a = 1;\n/** @example const timeout = pipe(f); */\nexport const b = 1;";
    expect(blocksOfSource("a.ts", source)).toEqual([
      {
        at: "a.ts:2",
        code: 'import { protect, retry, standard } from "holdfast";\nprotect(f.name, f, { ...standard, retry: retry() });\n',
        runs: true,
      },
      { at: "a.ts:8", code: 'import { pipe } from "holdfast";\nconst timeout = pipe(f);', runs: true },
    ]);
  });

  it("says what it prints, with a gap where that differs from run to run", () => {
    expect(said("console.log(1); // → 1 (of 2)\n// → took … ms\n")).toEqual(["1 (of 2)", "took … ms"]);
  });
});
