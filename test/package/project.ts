// Projects of their own, outside the repository, that use the package as its users do.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const repository = fileURLToPath(new URL("../../", import.meta.url));

export const compilers = {
  "7.0": join(repository, "node_modules/@typescript/native/bin/tsc"),
  "5.9": join(repository, "node_modules/typescript59/bin/tsc"),
};
export type Compiler = keyof typeof compilers;

/** What `npm install holdfast` brings along. */
const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

export interface Project {
  readonly dir: string;
  write(files: Readonly<Record<string, string>>): void;
  /** Puts a folder, by default the repository's own copy, where `import` finds it. */
  install(name: string, from?: string): void;
  /** What the compiler has to say; empty when it is content. */
  compile(compiler: Compiler, options: object, files: readonly string[]): Promise<string>;
  /** Runs Node there, this one unless told. */
  node(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  remove(): void;
}

export function project(): Project {
  const dir = mkdtempSync(join(tmpdir(), "holdfast-"));
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), text);
    }
  };
  let configs = 0;
  write({ "package.json": JSON.stringify({ name: "consumer", type: "module", private: true }) });
  return {
    dir,
    write,
    install(name, from = join(repository, "node_modules", name)) {
      const at = join(dir, "node_modules", name);
      mkdirSync(dirname(at), { recursive: true });
      symlinkSync(from, at);
    },
    async compile(compiler, options, files) {
      const config = `tsconfig.${configs++}.json`;
      write({ [config]: JSON.stringify({ include: [], ...options, files }) });
      const { code, stdout, stderr } = await run(
        process.execPath,
        [compilers[compiler], "-p", config, "--pretty", "false"],
        dir,
      );
      return code === 0 ? "" : stdout + stderr;
    },
    node: (...args) => run(process.execPath, args, dir),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The package as npm would publish it, built from `src` and unpacked beside its dependencies: the folder `holdfast`. No `dist` of the repository is read or written. */
export async function packed(into: Project): Promise<string> {
  try {
    return await pack(into);
  } catch (error) {
    into.remove();
    throw error;
  }
}

async function pack(into: Project): Promise<string> {
  const stage = join(into.dir, "stage");
  mkdirSync(stage);
  for (const file of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"])
    if (existsSync(join(repository, file))) cpSync(join(repository, file), join(stage, file));
  await must(
    process.execPath,
    [compilers["7.0"], "-p", ".tsconfig.build.json", "--outDir", join(stage, "dist")],
    repository,
  );
  const named = await must("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", into.dir], stage);
  const home = join(into.dir, "node_modules/holdfast");
  mkdirSync(home, { recursive: true });
  await must("tar", ["-xzf", join(into.dir, named.trim()), "-C", home, "--strip-components=1"], into.dir);
  for (const name of Object.keys(dependencies)) into.install(name);
  return home;
}

async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

const execute = promisify(execFile);

async function run(command: string, args: readonly string[], cwd: string) {
  try {
    return { code: 0, ...(await execute(command, args, { cwd, maxBuffer: 2 ** 26 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
  }
}
