// What is measured is what users get: the built package, not its sources.
import { execSync } from "node:child_process";

export type Library = typeof import("../../src/index.ts");

export async function build(): Promise<Library> {
  const root = new URL("../../", import.meta.url);
  execSync("npm run --silent build", { cwd: root, stdio: "inherit" });
  return (await import(new URL("dist/index.js", root).href)) as Library;
}
