// What health is to the process it is in: nothing that holds it, and nothing that it has to wait for. Each case is a process of its own.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { repository } from "../package/project.ts";

/** Runs a module as a process of its own; gives what it printed and how long it lived after its last line, by its own measure. */
async function run(code: string): Promise<string[]> {
  const tsx = join(repository, "node_modules/tsx/dist/esm/index.mjs");
  const library = JSON.stringify(join(repository, "src/index.ts"));
  const module = `
    import { probe, health, healthHandler, protect } from ${library};
    const done = performance.now();
    process.on("exit", () => console.log(performance.now() - done < 5_000 ? "at once" : "late"));
    ${code}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--import", tsx, "--input-type=module", "--eval", module],
    { cwd: repository, timeout: 30_000 },
  );
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

describe("a process", { timeout: 60_000 }, () => {
  it("ends at once though probes wait for their next round", async () => {
    expect(await run('const db = probe("db", async () => {}); console.log(await db.now());')).toEqual([
      "healthy",
      "at once",
    ]);
  });

  it("ends at once though a check hangs and its time is not over", async () => {
    expect(await run('probe("db", () => new Promise(() => {}), { timeout: "10s" });')).toEqual(["at once"]);
  });

  it("lives until a round that somebody waits for has ended, though the check hangs", async () => {
    const code =
      'const db = probe("db", () => new Promise(() => {}), { timeout: 50, failureThreshold: 1 }); console.log(await db.now());';
    expect(await run(code)).toEqual(["unhealthy", "at once"]);
  });

  it("ends at once after stop, and with a blocking task that never settles", async () => {
    const code =
      'const db = probe("db", async () => {}, { every: "10ms" }); await db.now(); db.stop(); void health.block(new Promise(() => {}), "a task"); healthHandler();';
    expect(await run(code)).toEqual(["at once"]);
  });
});
