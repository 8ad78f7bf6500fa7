// The replay of a trace as its users run it: a process, on a file, against services that are processes too.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { faultsOf } from "../../examples/replay/faults.ts";
import { figuresOf, isTooLate } from "../../examples/replay/figures.ts";
import { pictureOf } from "../../examples/replay/picture.ts";
import type { Seen } from "../../examples/replay/replay.ts";
import { readTrace } from "../../examples/replay/trace.ts";

vi.setConfig({ testTimeout: 60_000 });

const root = fileURLToPath(new URL("../..", import.meta.url));
const sample = join(root, "examples/replay/sample.csv");
const header = "TIMESTAMP,ContextTokens,GeneratedTokens";

async function run(...args: readonly string[]) {
  const tsx = [join(root, "node_modules/.bin/tsx"), "--tsconfig", join(root, "tsconfig.json")];
  const job = spawn(process.execPath, [...tsx, join(root, "examples/replay/main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  job.stdout.on("data", (part) => (said.out += part));
  job.stderr.on("data", (part) => (said.err += part));
  const [code] = (await once(job, "close")) as [number];
  return { code, ...said };
}

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "trace.csv"), text);
  return join(folder, "trace.csv");
}

describe("a replay", () => {
  it("makes every call of the trace, and says goodput, latency, cost, shed and lost, and how far it is, in plain lines", async () => {
    const { code, err, out } = await run(sample);
    expect(code).toBe(0);
    expect(out).toMatch(/^80 requests of 0:32 at 20 × the speed, in 1\.64 s$/m);
    for (const line of [/^goodput {3}[\d.]+ %/m, /^latency {3}p50 [\d.]+ s, p99 [\d.]+ s$/m, /^cost {6}0\.\d\d/m])
      expect(out).toMatch(line);
    expect(out).toMatch(/^shed {6}\d+\nlost {6}.*\nlate {6}p99 [\d.]+ s after they were due/m);
    expect(out.match(/^ +\d:\d\d {2}\d+ came, p50 .*, p99 .*, \d+ unanswered$/gm)).toHaveLength(12);
    expect(err).toMatch(/^100 %: 80\/80 came, \d+ of 80 unanswered$/m);
    expect(out + err).not.toContain("\x1b");
  });

  it("of a service that is gone is answered by the second one", async () => {
    const { code, out } = await run(sample, "--faults", "outage=0+100", "--json");
    const { bySecond, goodput, requests } = JSON.parse(out) as ReturnType<typeof figuresOf>;
    expect([code, requests]).toEqual([0, 80]);
    expect(goodput).toBeGreaterThan(0.3);
    expect(bySecond).toBe(goodput);
  });

  it("takes only the first requests, and no other speed than it is told", async () => {
    const { out } = await run(sample, "--first", "5", "--speed", "50");
    expect(out).toMatch(/^5 requests of 0:0\d at 50 × the speed/);
  });
});

describe("what cannot be replayed", () => {
  it.each([
    ["no file", [], /^Which trace\?\nnpm run replay/],
    ["a file that is not there", ["nowhere.csv"], /^nowhere\.csv: there is no such file\.$/m],
    ["a folder", [root], /: that is a folder\.$/m],
    ["a speed of 0", [sample, "--speed", "0"], /^--speed: got "0", wanted a number, at least 0\.001\.$/m],
    ["a slot and a half", [sample, "--slots", "1.5"], /^--slots: got "1\.5", wanted a whole number, at least 1\.$/m],
    ["a request and a half", [sample, "--first", "1.5"], /^--first: got "1\.5", wanted a whole number, at least 1\.$/m],
    ["faults that nobody knows", [sample, "--faults", "rain=3"], /^--faults: got "rain=3", wanted errors=PERCENT/],
    ["an option that nobody knows", [sample, "--sped", "3"], /--sped/],
  ])("is said, with what to do: %s", async (_, args, wanted) => {
    const { code, err, out } = await run(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(wanted);
  });

  it.each([
    ["", /there is no request in it, only 0 lines\.$/],
    ["a,b,c\n", /line 1: got "a,b,c", wanted the columns TIMESTAMP,ContextTokens,GeneratedTokens\.$/],
    [`${header}\n`, /there is no request in it, only 1 line\.$/],
    [`${header}\n2023-11-16 18:17:03.9,1,2\n2023-11-16 18:17:04,1\n`, /line 3: columns: got "2023-11-16 18:17:04,1"/],
    [`${header}\n\n16.11.2023,1,2\n`, /line 3: TIMESTAMP: got "16\.11\.2023", wanted a time such as/],
    [`${header}\n2023-13-16 18:17:03,1,2\n`, /line 2: TIMESTAMP/],
    [`${header}\n2023-11-16 18:17:03,-1,2\n`, /line 2: ContextTokens: got "-1", wanted a whole number/],
    [`${header}\n2023-11-16 18:17:03,1,2.5\n`, /line 2: GeneratedTokens: got "2.5"/],
  ])("is a file with such lines, and the line is named: %j", async (text, wanted) => {
    await expect(readTrace(fileOf(text))).rejects.toThrow(wanted);
  });
});

describe("a trace", () => {
  it("is read with all digits of a second, with and without carriage returns, a byte order mark and a last line's end, in order of time", async () => {
    const lines = [header, "2023-11-16 18:17:04.5000000,3,4", "2023-11-16 18:17:03.9799600,1,2"];
    for (const text of [lines.join("\n"), `\uFEFF${lines.join("\r\n")}\r\n`])
      expect(await readTrace(fileOf(text))).toEqual([
        { at: 0, contextTokens: 1, generatedTokens: 2 },
        { at: expect.closeTo(520.04, 2), contextTokens: 3, generatedTokens: 4 },
      ]);
    expect(await readTrace(sample)).toHaveLength(readFileSync(sample, "utf8").trim().split("\n").length - 1);
  });
});

describe("figures and picture", () => {
  const seen: Seen[] = Array.from({ length: 100 }, (_, i) => ({
    at: i * 1_000,
    tookMs: i,
    lateMs: 0,
    state: i < 90 ? "succeeded" : i < 95 ? "shed" : i < 98 ? "degraded" : "timedOut",
    money: 0.5,
  }));

  it("tell what was refused by us from what was lost, and what was paid for nothing", () => {
    const { cost, goodput, bySecond, lost, shed, wasted } = figuresOf(seen);
    expect({ cost, goodput, bySecond, lost, shed, wasted }).toEqual({
      ...{ cost: 50, goodput: 0.93, bySecond: 0.03, lost: { timedOut: 2 }, shed: 5, wasted: 3.5 },
    });
  });

  it("tell how late the requests were sent, and whether that is much beside what the answers took", () => {
    const sent = (lateMs: number) =>
      figuresOf(seen.map((one, i) => ({ ...one, tookMs: 1_000, lateMs: i < 90 ? 1 : lateMs })));
    expect([sent(20).lateMs, isTooLate(sent(20)), isTooLate(sent(200))]).toEqual([20, false, true]);
  });

  it("are drawn in the width there is, or written in lines", () => {
    const drawn = pictureOf(seen, 60).split("\n");
    expect(drawn.map((line) => line.slice(0, 10).trim())).toEqual(["arrivals", "p50", "p99", "unanswered", ""]);
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(pictureOf(seen, undefined).split("\n")).toHaveLength(12);
  });

  it("of faults are read as they are written", () => {
    expect(faultsOf("errors=2,slow=0.5, outage=60+30")).toEqual({
      ...{ errors: 2, slow: 0.5, outage: { from: 60_000, to: 90_000 } },
    });
    for (const text of ["errors", "errors=200", "outage=3", "slow=1+2"])
      expect(() => faultsOf(text)).toThrow("--faults");
  });
});
