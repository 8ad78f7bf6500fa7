// docs/benchmarks.md has two parts, each written by a run of its own: what a call costs, and what happens under load.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../../docs/benchmarks.md", import.meta.url);
const load = "## Under load";

export function writePart(part: "cost" | "load", text: string): void {
  const before = readFileSync(file, "utf8");
  const at = before.indexOf(`\n${load}\n`);
  const [cost, other] = at < 0 ? [before, ""] : [before.slice(0, at), before.slice(at + 1)];
  const parts = part === "cost" ? [text, other] : [cost, text];
  writeFileSync(
    file,
    `${parts
      .map((one) => one.trim())
      .join("\n\n")
      .trim()}\n`,
  );
}
