// The main job as its users run it: a process, on a folder, while its providers fail.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = (subject: string) => `# The ${subject}

A ${subject} protects a call that may fail. It waits 5 ms before it tries once more, and it tries 3 times in all.
Each ${subject} has a state of its own. Nobody but the ${subject} changes this state.

## When not to use a ${subject}

A ${subject} costs 0.4 µs a call. Where a call cannot fail, a ${subject} is of no use. Ask Dr. Smith.
`;
const pages = Object.fromEntries(["retry", "breaker", "timeout", "fallback"].map((each) => [`${each}.md`, page(each)]));

/** In a directory of its own, with the documents in `in`. */
function setup(files: Readonly<Record<string, string | Buffer>> = pages) {
  const cwd = mkdtempSync(join(tmpdir(), "workforce-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  mkdirSync(join(cwd, "in"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, "in", name), content);
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}, program = "examples/workforce/main.ts") => {
    const { OPENAI_API_KEY: _, ...own } = process.env;
    const tsx = [join(root, "node_modules/.bin/tsx"), "--tsconfig", join(root, "tsconfig.json")];
    const job = spawn(process.execPath, [...tsx, join(root, program), ...args], {
      cwd,
      env: { ...own, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    job.stdout.on("data", (part) => (said.out += part));
    job.stderr.on("data", (part) => (said.err += part));
    return { job, said, ended: once(job, "close").then(([code]) => code as number) };
  };
  const run = async (args: readonly string[], env?: NodeJS.ProcessEnv) => {
    const { said, ended } = start(args, env);
    return { code: await ended, ...said };
  };
  const tool = async ([program = "", ...args]: readonly string[]) => {
    const { said, ended } = start(args, {}, program);
    return { code: await ended, ...said };
  };
  const briefs = () => readdirSync(join(cwd, "briefs"), { recursive: true, encoding: "utf8" });
  return { cwd, start, run, tool, briefs };
}

/** The rows of the table, by their names. */
function rowsOf(out: string): Record<string, string[]> {
  const rows = out.matchAll(/^(\S.*?) {2,}(\S.*)$/gm);
  return Object.fromEntries([...rows].map(([, name = "", cells = ""]) => [name, cells.split(/ {2,}/)]));
}

function providersOf(job: number | undefined): number[] {
  const processes = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [])
    .map(([, pid, parent, args = ""]) => ({ pid: Number(pid), parent: Number(parent), args }));
  const below = (pid: number): typeof processes =>
    processes.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return below(job as number).flatMap(({ pid, args }) => (args.includes("provider/main.ts") ? [pid] : []));
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("the main job", () => {
  it("delivers every document that can be read, loses none, and says of the others why not", async () => {
    const { run, briefs, cwd } = setup({
      ...pages,
      "empty.md": "",
      "binary.txt": Buffer.from([1, 0, 2]),
      "large.md": "A long story. ".repeat(360_000),
    });

    const { code, out, err } = await run(["in", "--seed", "3"]);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    const rows = rowsOf(out);
    expect(rows).toMatchObject({
      "documents in": ["7"],
      delivered: ["4 (100 %)"],
      "flagged for a person": ["0"],
      "refused, with a reason": ["3"],
      lost: ["0"],
      "delivered unchecked": ["0"],
      "rejected in": ["3"],
      faults: [expect.stringMatching(/, 6 kinds$/)],
      "money, gamma": ["no price"],
      "money in all": [expect.stringMatching(/^at least \d/)],
    });
    for (const name of ["corrected", "re-asked", "repaired", "rejected out", "tokens, alpha", "money, alpha"])
      expect(rows[name], name).toHaveLength(1);
    expect(out).toContain("refused: empty.md: an empty file, wanted text\n");
    expect(out).toContain("refused: binary.txt: a zero byte, wanted text: leave binary files out\n");
    expect(out).toContain("refused: large.md: size 5.0 MB, wanted at most 1.0 MB: split it\n");
    const folder = /The briefs are in (\S+)/.exec(out)?.[1] as string;
    expect(briefs().filter((file) => file.endsWith(".brief.md"))).toHaveLength(4);
    expect(readFileSync(join(cwd, folder, "retry.md.brief.md"), "utf8")).toMatch(/^# The retry\n[\s\S]*## Key figures/);
  });

  it("ends with the list of flagged briefs and how to look at them; what a person amends is delivered then", async () => {
    const secret = "# The keys\n\nThis page is not to be read by machines. It has 3 keys.\n";
    const { run, tool, briefs } = setup({ "retry.md": page("retry"), "secret.md": secret });

    const { code, out } = await run(["in", "--seed", "5"]);

    expect(code).toBe(0);
    expect(rowsOf(out)).toMatchObject({ "flagged for a person": ["1"], lost: ["0"], "delivered unchecked": ["0"] });
    const [, file = ""] = /npm run review -- (\S+)\n/.exec(out) ?? [];
    const [flagged, look, deliver] = out.trimEnd().split("\n").slice(-3);
    expect(flagged).toMatch(/^flagged: secret\.md, wanted a brief that the team has finished, got /);
    expect(look).toBe(`They wait for a person. To look at them: npm run review -- ${file}`);
    expect(deliver).toBe(`What is decided is delivered by: npm start -- --decided ${file}`);

    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const review = (args: readonly string[]) => tool([...scripts.review.split(" ").slice(1), file, ...args]);
    const [kept] = JSON.parse((await review(["--list", "--json"])).out);
    expect(kept).toMatchObject({ name: "brief", labels: { document: "secret.md" } });
    const brief = { title: "The keys", summary: [{ source: 2, text: "It has 3 keys." }], figures: [] };
    await review(["--amend", kept.id, "--output", JSON.stringify(brief), "--by", "ada"]);
    expect(briefs().filter((name) => name.endsWith("secret.md.brief.md"))).toHaveLength(0);

    expect(await run(["--decided", file])).toEqual({ code: 0, out: "delivered: secret.md\n", err: "" });

    expect(briefs().filter((name) => name.endsWith("secret.md.brief.md"))).toHaveLength(1);
    expect((await review(["--list"])).out).toBe("Nothing waits for a verdict.\n");
    expect(await run(["--decided", file])).toEqual({ code: 0, out: "", err: "" });
  });

  it("by default shows each of its outcomes: beside what it delivers it refuses two documents, and flags one for a person", async () => {
    const { run, cwd } = setup();
    renameSync(join(cwd, "in"), join(cwd, "docs"));
    const inbox = "examples/workforce/inbox";
    cpSync(join(root, inbox), join(cwd, inbox), { recursive: true });

    const { code, out, err } = await run([]);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [, who] = out.split("\n");
    expect(who).toMatch(/^alpha, beta, gamma: model providers, /);
    expect(rowsOf(out)).toMatchObject({
      "documents in": ["7"],
      delivered: ["4 (80 %)"],
      "flagged for a person": ["1"],
      "refused, with a reason": ["2"],
      lost: ["0"],
      "delivered unchecked": ["0"],
    });
    expect(out).toContain(`refused: ${inbox}/draft.md: only code, headings, figures or markup, wanted a sentence\n`);
    expect(out).toContain(`refused: ${inbox}/scan.txt: a zero byte, wanted text: leave binary files out\n`);
    const [flagged, look] = out.trimEnd().split("\n").slice(-3);
    expect(flagged).toMatch(new RegExp(`^flagged: ${inbox}/contract\\.md, wanted .*contentFiltered`));
    expect(look).toMatch(/^They wait for a person\. To look at them: npm run review -- briefs\//);
  });

  it("shows what the same faults do to bare calls", async () => {
    const { run } = setup({ "retry.md": page("retry"), "breaker.md": page("breaker") });

    const { code, out } = await run(["in", "--seed", "22", "--unprotected"]); // the researcher's favourite begins with 429

    expect(code).toBe(1);
    const { lost = [], "delivered unchecked": unchecked = [], delivered = [] } = rowsOf(out);
    expect([lost[0], unchecked[0], delivered[0]]).toEqual(["0", "0", "2 (100 %)"]);
    expect(Number(lost[1]) + Number(unchecked[1])).toBeGreaterThan(0);
  });

  it("ends with a sentence where there is nothing to work on", async () => {
    const { run } = setup({ "picture.png": "no" });
    expect(await run(["nowhere"])).toEqual({ code: 1, out: "", err: "There is no folder nowhere.\n" });
    expect(await run(["in"])).toMatchObject({ code: 1, out: "", err: expect.stringContaining("There is no document") });
    expect(await run(["in", "--sead", "3"])).toMatchObject({ code: 1, err: expect.stringContaining("--sead") });
  });

  it.each(["SIGINT", "SIGKILL"] as const)("leaves no provider behind when it gets %s", async (signal) => {
    const { start } = setup();
    const { job, said, ended } = start(["in", "--seed", "3"]);
    let providers: number[] = [];
    for (; providers.length < 3; await sleep(20)) providers = providersOf(job.pid);
    const [main] = execFileSync("ps", ["-o", "ppid=", "-p", String(providers[0])], { encoding: "utf8" })
      .trim()
      .split("\n");

    process.kill(Number(main), signal);
    await ended;

    for (let waited = 0; providers.some(alive) && waited < 5000; waited += 20) await sleep(20);
    expect(providers.filter(alive)).toEqual([]);
    expect(said.out).not.toContain("delivered");
  });
});
