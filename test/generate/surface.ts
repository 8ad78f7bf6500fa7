// What the package declares to its users, read from the declarations that the build writes.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const repository = fileURLToPath(new URL("../../", import.meta.url));

export interface Entry {
  /** As a user imports it. */
  readonly name: string;
  readonly exports: ReadonlyArray<{ readonly name: string; readonly isType: boolean; readonly text: string }>;
  /** Types that the declarations name and no entry exports: nobody could write them down. */
  readonly unnamed: readonly string[];
  /** Optional properties that do not take `undefined`: a consumer's strictest settings refuse what it may not know. */
  readonly strict: readonly string[];
}

export function surface(): Entry[] {
  const dir = mkdtempSync(join(tmpdir(), "holdfast-api-"));
  try {
    const tsc = join(repository, "node_modules/@typescript/native/bin/tsc");
    const args = ["-p", ".tsconfig.build.json", "--emitDeclarationOnly", "--outDir", dir];
    execFileSync(process.execPath, [tsc, ...args], { cwd: repository, stdio: ["ignore", "inherit", "inherit"] });
    return read(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function read(dir: string): Entry[] {
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  const files = Object.entries(manifest.exports).flatMap(([path, entry]) =>
    typeof entry === "string"
      ? []
      : [{ name: path.replace(/^\./, "holdfast"), file: join(dir, entry.types.replace("./dist/", "")) }],
  );
  const program = ts.createProgram(
    files.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: [], noEmit: true },
  );
  const checker = program.getTypeChecker();
  const real = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const exportsOf = (file: string) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${file} is no module`);
    return checker.getExportsOfModule(module);
  };
  const everywhere = new Set(files.flatMap(({ file }) => exportsOf(file).map(real)));
  return files.map(({ name, file }) => {
    const unnamed = new Set<string>();
    const strict = new Set<string>();
    const exports = exportsOf(file).map((symbol) => {
      const declarations = real(symbol).declarations ?? [];
      for (const declaration of declarations) {
        for (const property of strictIn(declaration)) strict.add(`${property}, in ${symbol.name}`);
        for (const used of typesIn(declaration, checker)) {
          const type = real(used);
          const ours = type.declarations?.some(
            (d) => d.getSourceFile().fileName.startsWith(dir) && !ts.isTypeParameterDeclaration(d),
          );
          if (ours && !everywhere.has(type)) unnamed.add(`${type.name}, in ${symbol.name}`);
        }
      }
      const isType = !(real(symbol).flags & ts.SymbolFlags.Value);
      return { name: symbol.name, isType, text: declarations.map(print).join("\n") };
    });
    return {
      name,
      exports: exports.sort((a, b) => (a.name < b.name ? -1 : 1)),
      unnamed: [...unnamed].sort(),
      strict: [...strict].sort(),
    };
  });
}

function typesIn(node: ts.Node, checker: ts.TypeChecker): ts.Symbol[] {
  const name = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : undefined;
  const symbol = name && checker.getSymbolAtLocation(name);
  const found = symbol ? [symbol] : [];
  ts.forEachChild(node, (child) => {
    found.push(...typesIn(child, checker));
  });
  return found;
}

function strictIn(node: ts.Node): string[] {
  const optional = (ts.isPropertySignature(node) || ts.isPropertyDeclaration(node)) && node.questionToken && node.type;
  const found =
    optional && !/\b(undefined|unknown)\b/.test(optional.getText()) ? [(node.name as ts.Identifier).text] : [];
  ts.forEachChild(node, (child) => {
    found.push(...strictIn(child));
  });
  return found;
}

function print(declaration: ts.Declaration): string {
  const whole = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const text = printer.printNode(ts.EmitHint.Unspecified, whole, declaration.getSourceFile());
  return text
    .replace(/\n\s*private [^\n]*/g, "")
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replaceAll("    ", "  ");
}
