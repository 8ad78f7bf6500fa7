// An output in the person's own editor.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "./screen.ts";
import type { Lines } from "./session.ts";

/** The text as it was left; in a folder of its own that nobody else may read, and that is gone afterwards. */
export async function edited(editor: string, output: unknown, lines: Pick<Lines, "pause" | "resume">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-review-"));
  const file = join(folder, "output.json");
  try {
    await writeFile(file, `${json(output)}\n`, { mode: 0o600 });
    lines.pause();
    await run(editor, file);
    return await readFile(file, "utf8");
  } finally {
    lines.resume();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Through a shell, as the word may be a command with arguments ("code --wait"). */
function run(editor: string, file: string): Promise<void> {
  const running =
    process.platform === "win32"
      ? spawn(`${editor} "${file}"`, { stdio: "inherit", shell: true })
      : spawn("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    running.once("error", reject);
    running.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The editor ended with ${code}: nothing is amended.`));
    });
  });
}
