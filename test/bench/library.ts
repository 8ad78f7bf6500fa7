// What is measured is what users get: the built package, not its sources.
import { spawnSync } from "node:child_process";

export type Library = typeof import("../../src/index.ts");

export async function build(): Promise<Library> {
  const root = new URL("../../", import.meta.url);
  const { status } = spawnSync("npm run --silent build", { cwd: root, shell: true, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error("The build fails: nothing to measure.");
    process.exit(1);
  }
  return (await import(new URL("dist/index.js", root).href)) as Library;
}
