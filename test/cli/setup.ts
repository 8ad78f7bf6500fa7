// What the tests of the command share: files with reviews, the command run in this process and in one of its own, and programs that use the package.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { review } from "../../src/cli/review.ts";
import { protect, type Review, reviews } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";

const source = (file: string) => new URL(`../../src/${file}`, import.meta.url);
const node = ["--disable-warning=ExperimentalWarning"];

export const Report = z.object({ title: z.string(), claims: z.array(z.string()) });

export function setup() {
  reset();
  const dir = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
  const running: ChildProcess[] = [];
  onTestFinished(() => {
    for (const child of running) child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
    reset();
  });

  function start(args: readonly string[], env: Record<string, string> = {}): Running {
    const child = spawn(process.execPath, [...node, ...args], { cwd: dir, env: { ...process.env, ...env } });
    running.push(child);
    return following(child);
  }

  return {
    dir,
    file: join(dir, "reviews.json"),
    path: (name: string) => join(dir, name),
    /** Keeps one, in this process. */
    async flag(output: unknown = { title: "tides", claims: [] }, input = "x"): Promise<Review> {
      const call = protect("draft", async (_: string): Promise<unknown> => output, {
        output: Report,
        gate: {
          checks: [({ claims }) => (claims.length === 0 ? "at least one claim" : undefined)],
          onReject: "review",
        },
      });
      const { reviewId } = await call(input).catch((error) => error);
      const kept = (await reviews.pending()).find(({ id }) => id === reviewId);
      if (kept === undefined) throw new Error("it was not kept");
      return kept;
    },
    /** The command, in this process. */
    async run(args: readonly string[], typed = "") {
      const input = new PassThrough();
      const output = new PassThrough();
      input.end(typed);
      const shown = text(output);
      const error = await review(args, { input, output, editor: undefined }).then(
        () => undefined,
        (error: Error) => error,
      );
      output.end();
      return { shown: await shown, error };
    },
    /** The command in a process of its own. */
    holdfast: (args: readonly string[], env?: Record<string, string>) =>
      start([fileURLToPath(source("cli/main.ts")), ...args], env),
    /** A program that uses the package; what it needs of it is in scope. */
    program(code: string, env?: Record<string, string>) {
      const file = join(dir, `program-${running.length}.mjs`);
      writeFileSync(
        file,
        `import { protect, reviews, settled, events } from "${source("index.ts")}";
import { serveReviews, syncReviews } from "${source("cli/live.ts")}";
const draft = (onReject) => protect("draft", async (topic) => ({ title: topic, claims: [] }), {
  gate: { checks: [() => "at least one claim"], onReject },
});
${code}`,
      );
      return start([file], env);
    },
    /** Any Node program. */
    start,
  };
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when it has written this. */
  said(what: string | RegExp): Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function following(child: ChildProcess): Running {
  let stdout = "";
  let stderr = "";
  const looks = new Set<() => void>();
  const add = (chunk: string) => {
    stdout += chunk;
    for (const look of looks) look();
  };
  child.stdout?.setEncoding("utf8").on("data", add);
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return {
    child,
    ended,
    said: (what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!(typeof what === "string" ? stdout.includes(what) : what.test(stdout))) return;
          looks.delete(look);
          resolve(stdout);
        };
        looks.add(look);
        ended.then(() => reject(new Error(`it ended without saying ${what}: ${stdout}${stderr}`)));
        look();
      }),
  };
}
