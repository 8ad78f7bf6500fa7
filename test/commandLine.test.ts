// A flag that is not known is no crash: each command says in one line how it is used.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

async function run(file: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code, said };
}

describe.concurrent("a command that is called with what it does not know", { timeout: 60_000 }, () => {
  it.each([
    ["test/simulation/main.ts", ["--wat"], "Unknown option '--wat'. Usage: npm run simulate -- "],
    ["test/simulation/main.ts", ["--calls", "many"], "--calls: got many. Usage: npm run simulate -- "],
    ["test/mutants/main.ts", ["--wat"], "Unknown option '--wat'. Usage: npm run mutants -- "],
    ["test/mutants/main.ts", ["src/core", "--sample", "few"], "--sample: got few. Usage: npm run mutants -- "],
    ["test/bench/main.ts", ["--wat"], "Unknown option '--wat'. Usage: npm run bench -- "],
    ["test/bench/load/main.ts", ["--wat"], "Unknown option '--wat'. Usage: npm run bench:load -- "],
    ["examples/workforce/soak.ts", ["--wat"], "Usage: npm run soak -- "],
  ])("%s %j says so in one line, and ends with 2", async (file, args, told) => {
    const { code, said } = await run(file, ...args);
    expect(said).toMatch(/^[^\n]+\n$/);
    expect(said).toContain(told);
    expect(code).toBe(2);
  });
});
