// Who may import whom, as data, and what is asked of every file of the library.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** A file imports from lower numbers or from its own room, never sideways. */
const levels: Record<string, number> = {
  core: 0,
  ...{ input: 1, call: 1, output: 1, stores: 1 },
  fallback: 2,
  ...{ "declaration.ts": 3, "protect.ts": 3.5, "configure.ts": 3.5 }, // the types of the declaration, and what makes and changes it
  ...{ data: 4, workflow: 4, health: 4 },
  recovery: 5,
  ...{ observe: 6, chaos: 6 },
  ...{ dashboard: 7, adapters: 7, cli: 7 },
  "index.ts": 8,
  testing: 9,
};

/** Rooms that run wherever JavaScript does: what they take from Node is named here, file by file. */
const portable = new Set(["core", "input", "call", "output", "fallback"]);
const nodeImports: Record<string, string> = {
  "call/within": "node:async_hooks",
};

/** The one file each that may ask the machine for time or chance; all others ask the seams. */
const askedOnlyIn: Record<string, string> = {
  "Date.now": "core/clock.ts",
  "new Date": "core/clock.ts",
  "performance.now": "core/clock.ts",
  "Math.random": "core/seams.ts",
};

const maxLines = 300;

type Tree = Readonly<Record<string, string>>;
interface Import {
  readonly specifier: string;
  readonly reExport: boolean;
  /** Gone at run time. */
  readonly typeOnly: boolean;
}

/** What is wrong with a tree of sources (paths relative to `src`), a sentence each. */
function findings(tree: Tree, entries: readonly string[]): string[] {
  const found: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of Object.entries(tree)) {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const imports = importsOf(source);
    const room = roomOf(file);
    const level = levels[room];
    if (level === undefined) found.push(`${file}: no room of that name in the table`);
    graph.set(file, []);
    for (const { specifier, reExport, typeOnly } of imports) {
      if (reExport && !entries.includes(file)) found.push(`${file}: re-exports ${specifier}, and is no entry`);
      if (specifier.startsWith("node:") && portable.has(room) && nodeImports[file.replace(/\.ts$/, "")] !== specifier)
        found.push(`${file}: imports ${specifier}`);
      if (!specifier.startsWith(".")) continue;
      const target = posix.join(posix.dirname(file), specifier);
      const to = roomOf(target);
      if (!(target in tree)) found.push(`${file}: imports ${target}, which is not there`);
      else if (to !== room && !((levels[to] ?? Infinity) < (level ?? -1)))
        found.push(`${file}: imports ${target}, which is not below it`);
      // Types may know each other: only what is loaded can be found half made.
      if (!typeOnly) graph.get(file)?.push(target);
    }
    const exportsOnly = source.statements.every((s) => ts.isImportDeclaration(s) || ts.isExportDeclaration(s));
    if (exportsOnly && !entries.includes(file)) found.push(`${file}: has nothing of its own`);
    for (const word of timeAndChance(source)) if (askedOnlyIn[word] !== file) found.push(`${file}: reads ${word}`);
    const lines = text.trimEnd().split("\n").length;
    if (lines > maxLines) found.push(`${file}: ${lines} lines`);
  }
  return [...found, ...circles(graph).map((circle) => `circle: ${circle.join(" → ")}`)];
}

function roomOf(file: string): string {
  return file.split("/")[0] as string;
}

function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  visit(source, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const reExport = ts.isExportDeclaration(node);
      const typeOnly = reExport ? node.isTypeOnly : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      if (node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
        found.push({ specifier: node.moduleSpecifier.text, reExport, typeOnly });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ specifier: (node.argument.literal as ts.StringLiteral).text, reExport: false, typeOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [given] = node.arguments;
      const specifier = given && ts.isStringLiteral(given) ? given.text : "./(computed)";
      found.push({ specifier, reExport: false, typeOnly: false });
    }
  });
  return found;
}

function timeAndChance(source: ts.SourceFile): string[] {
  const found: string[] = [];
  visit(source, (node) => {
    const word = ts.isPropertyAccessExpression(node) && node.getText().replace(/^globalThis\./, "");
    if (word && word in askedOnlyIn) found.push(word);
    if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length)
      found.push("new Date");
  });
  return found;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** Each file that is met again on the way from itself, with that way. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]) => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

function realTree() {
  const root = fileURLToPath(new URL("../src/", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === "object" ? entry.default.replace(/^\.\/dist\/(.*)\.js$/, "$1.ts") : [],
  );
  return { entries, tree: Object.fromEntries(files.map((file) => [file, readFileSync(root + file, "utf8")])) };
}

describe("the layers", () => {
  it("hold in src", () => {
    const { tree, entries } = realTree();
    expect(entries.filter((entry) => !(entry in tree))).toEqual([]);
    expect(findings(tree, entries)).toEqual([]);
  });

  const x = "export const x = 1;\n";
  const cases: ReadonlyArray<[rule: string, tree: Tree, wanted: string[]]> = [
    [
      "lets a file import from below and from its own room",
      {
        "core/a.ts": x,
        "call/b.ts": 'import { x } from "../core/a.ts"; export const y = x;',
        "call/c.ts": 'import { y } from "./b.ts"; export const z = y;',
      },
      [],
    ],
    [
      "sees an import from above",
      { "call/b.ts": x, "core/a.ts": 'import { x } from "../call/b.ts"; export const y = x;' },
      ["core/a.ts: imports call/b.ts, which is not below it"],
    ],
    [
      "sees an import sideways",
      { "call/b.ts": x, "output/a.ts": 'import { x } from "../call/b.ts"; export const y = x;' },
      ["output/a.ts: imports call/b.ts, which is not below it"],
    ],
    [
      "sees an import of a type, written in either way",
      {
        "call/b.ts": "export type B = 1;",
        "core/a.ts": 'import type { B } from "../call/b.ts"; export type A = B | import("../call/c.ts").C;',
        "call/c.ts": "export type C = 1;",
      },
      ["core/a.ts: imports call/b.ts, which is not below it", "core/a.ts: imports call/c.ts, which is not below it"],
    ],
    [
      "sees a dynamic import",
      { "call/b.ts": x, "core/a.ts": 'export const y = () => import("../call/b.ts");' },
      ["core/a.ts: imports call/b.ts, which is not below it"],
    ],
    [
      "sees the library import the testing helpers",
      { "testing/a.ts": x, "observe/b.ts": 'import { x } from "../testing/a.ts"; export const y = x;' },
      ["observe/b.ts: imports testing/a.ts, which is not below it"],
    ],
    ["sees a file of no room", { "utils/a.ts": x }, ["utils/a.ts: no room of that name in the table"]],
    [
      "sees a circle",
      {
        "core/a.ts": 'import { b } from "./b.ts"; export const a = () => b;',
        "core/b.ts": 'import { c } from "./c.ts"; export const b = () => c;',
        "core/c.ts": 'import { a } from "./a.ts"; export const c = () => a;',
      },
      ["circle: core/a.ts → core/b.ts → core/c.ts → core/a.ts"],
    ],
    [
      "lets types know each other, as they are gone when the files are loaded",
      {
        "core/a.ts": 'import type { B } from "./b.ts"; export type A = B[];',
        "core/b.ts": 'import type { A } from "./a.ts"; export type B = A[];',
      },
      [],
    ],
    [
      "sees an import of what only Node has",
      { "core/a.ts": 'import { open } from "node:fs"; export const y = open;' },
      ["core/a.ts: imports node:fs"],
    ],
    [
      "lets the named files have what they need of Node",
      { "call/within.ts": 'import { AsyncLocalStorage } from "node:async_hooks"; export const y = AsyncLocalStorage;' },
      [],
    ],
    [
      "sees a re-export outside the entries",
      {
        "core/a.ts": x,
        "call/b.ts": 'export { x } from "../core/a.ts"; export const y = 1;',
        "index.ts": 'export { x } from "./core/a.ts";',
      },
      ["call/b.ts: re-exports ../core/a.ts, and is no entry"],
    ],
    [
      "sees a barrel",
      { "core/a.ts": x, "core/all.ts": 'import { x } from "./a.ts"; export { x };' },
      ["core/all.ts: has nothing of its own"],
    ],
    [
      "sees time and chance taken from the machine, called or handed on",
      {
        "call/a.ts": "export const t = Date.now() + performance.now();",
        "call/b.ts": "export const random = Math.random; // Date.now() in a comment is none",
        "core/clock.ts": "export const now = Date.now;",
        "call/c.ts": "export const t = [new Date(), new Date(0), globalThis.performance.now()];",
      },
      [
        "call/a.ts: reads Date.now",
        "call/a.ts: reads performance.now",
        "call/b.ts: reads Math.random",
        "call/c.ts: reads new Date",
        "call/c.ts: reads performance.now",
      ],
    ],
    [
      "sees a file that has grown too long",
      { "core/a.ts": x.repeat(301), "core/b.ts": x.repeat(300) },
      ["core/a.ts: 301 lines"],
    ],
  ];
  it.each(cases)("%s", (_, tree, wanted) => {
    expect(findings(tree, ["index.ts"])).toEqual(wanted);
  });
});
