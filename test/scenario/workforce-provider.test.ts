// A provider of the main job, as the process that it is, asked through the real client.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startProvider } from "../../examples/workforce/provider/start.ts";

vi.setConfig({ testTimeout: 30_000 });

const facts = [
  { source: 1, text: "The breaker opens when calls fail too often." },
  { source: 2, text: "An open breaker refuses calls within 1 ms." },
  { source: 3, text: "After a break of 5 s the breaker lets one call through." },
  { source: 4, text: "Bananas are yellow." },
];
const figures = [{ source: 3, figure: "5 s" }];
const draft = { title: "The breaker", summary: facts.slice(0, 2), figures };

const measuredIn = (figures: { source: number; figure: string }[]) =>
  figures.every(({ source, figure }) => facts[source - 1]?.text.includes(figure));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "workforce-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

async function setup() {
  const log = join(folder(), "log.jsonl");
  const provider = await startProvider("alpha", log);
  onTestFinished(() => provider.stop());
  const client = new OpenAI({ baseURL: provider.url, apiKey: "none", maxRetries: 0, timeout: 1000 });
  const ask = (role: string, material: object, more: object = {}) =>
    client.chat.completions.create({
      model: "m",
      messages: [
        { role: "system", content: `You are the ${role}.` },
        { role: "user", content: JSON.stringify(material) },
      ],
      ...more,
    });
  const answer = async (role: string, material: object) =>
    JSON.parse((await ask(role, material)).choices[0]?.message.content ?? "");
  const logged = () =>
    readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  return { provider, ask, answer, logged };
}

describe("a provider", () => {
  it("answers each role from the material in the request", async () => {
    const { answer } = await setup();

    const notes = await answer("researcher", { sentences: facts });
    expect(notes.facts.map((fact: { source: number }) => fact.source).at(-1)).toBe(4); // the sentence that stands alone
    expect(notes.facts).toHaveLength(4);
    expect(notes.figures).toContainEqual({ source: 2, figure: "1 ms" });

    expect(await answer("writer", { headings: ["The breaker"], facts, figures })).toMatchObject({
      title: "The breaker",
      figures,
    });
    expect((await answer("writer", { headings: [], facts, figures })).title).toMatch(/^Breaker/);

    const wrong = { ...draft, summary: [facts[0], { source: 2, text: "An open breaker costs 40 %." }] };
    const verdict = await answer("fact-checker", { draft: wrong, passages: facts });
    expect(verdict.summary.map((each: { source: number | null }) => each.source)).toEqual([1, null]);

    const brief = await answer("editor", { draft: wrong, verdict });
    expect(brief).toEqual({ title: "The breaker", summary: [facts[0]], figures });
  });

  it("speaks the protocol: id, usage, finish reason, a limit of tokens, and what it cannot do", async () => {
    const { ask } = await setup();

    const whole = await ask("researcher", { sentences: facts });
    expect(whole).toMatchObject({ object: "chat.completion", model: "m-2026-01-01" });
    expect(whole.choices[0]?.finish_reason).toBe("stop");
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + (whole.usage?.completion_tokens ?? 0));

    const cut = await ask("researcher", { sentences: facts }, { max_tokens: 10 });
    expect(cut.choices[0]?.finish_reason).toBe("length");
    expect(cut.choices[0]?.message.content).toHaveLength(40);

    await expect(ask("poet", {})).rejects.toMatchObject({ status: 400 });
    await expect(ask("writer", { wrong: true })).rejects.toMatchObject({ status: 400 });
    await expect(ask("researcher", { sentences: facts }, { stream: true })).rejects.toMatchObject({ status: 400 });
  });

  it("misbehaves as it is told, logs what it answered, and is well again when healed", async () => {
    const { provider, ask, answer, logged } = await setup();

    provider.misbehave("rateLimited");
    const limited = await ask("researcher", { sentences: facts }).catch((error) => error);
    expect(limited.status).toBe(429);
    expect(limited.headers.get("retry-after")).toBe("2");

    provider.misbehave("garbage");
    for (let turn = 0; turn < 7; turn++) {
      const reply = await ask("researcher", { sentences: facts });
      expect(() => JSON.parse(reply.choices?.[0]?.message.content ?? "")).toThrow();
    }

    provider.misbehave("invented");
    const unsaid = await answer("writer", { headings: [], facts, figures });
    const unmeasured = await answer("writer", { headings: [], facts, figures: [] });
    const measured = [unsaid, unmeasured].map((each) => measuredIn(each.figures));
    const said = [unsaid, unmeasured].map((each) => facts.some(({ text }) => text === each.summary.at(-1).text));
    expect([measured, said]).toEqual([
      [true, false],
      [false, true],
    ]);

    provider.misbehave("slow");
    await expect(ask("researcher", { sentences: facts })).rejects.toThrow("timed out");

    await provider.heal();
    expect((await answer("writer", { headings: [], facts, figures })).figures).toEqual(figures);
    const told = logged().map(({ status, flaw }) => flaw ?? status);
    expect(told.slice(0, 10)).toEqual([
      ...[429, "prose", "page", "cutOff", "fenced", "refusal", "broken", "brokenOff"],
      ...["inventedSentence", "inventedFigure"],
    ]);
    expect(JSON.parse(logged().at(-1).body).choices[0].message.content).toContain("5 s");
  });

  it("can be killed and frozen at work, and comes back at its own address", async () => {
    const { provider, ask, answer } = await setup();
    const request = { headings: ["The breaker"], facts, figures };

    const cut = ask("writer", request);
    await sleep(30);
    provider.kill();
    await expect(cut).rejects.toThrow("Connection error");
    await expect(ask("writer", request)).rejects.toThrow("Connection error");
    await provider.heal();
    expect((await answer("writer", request)).title).toBe("The breaker");

    provider.freeze();
    await expect(ask("writer", request)).rejects.toThrow("timed out");
    await provider.heal();
    expect((await answer("writer", request)).title).toBe("The breaker");
  });
});

describe("providers whose parent is killed", () => {
  const alive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it("end, the frozen one too", async () => {
    const { parent, pids } = await family();
    expect(pids).toHaveLength(2);
    expect(pids.every(alive)).toBe(true);

    parent.kill("SIGKILL");

    for (let waited = 0; pids.some(alive) && waited < 5000; waited += 50) await sleep(50);
    for (const pid of pids.filter(alive)) process.kill(pid, "SIGKILL");
    expect(pids.filter(alive)).toEqual([]);
  });

  /** A process that starts two providers, freezes the second and tells their pids. */
  async function family() {
    const start = fileURLToPath(new URL("../../examples/workforce/provider/start.ts", import.meta.url));
    const file = join(folder(), "parent.mjs");
    writeFileSync(
      file,
      `import { startProvider } from ${JSON.stringify(start)};
      await startProvider("alpha", "");
      (await startProvider("beta", "")).freeze();
      console.log("ready");
      setInterval(() => {}, 1000);`,
    );
    const parent = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const listed = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(parent.pid)], { encoding: "utf8" });
    const pids = listed
      .split("\n")
      .filter((line) => line.includes("provider/main.ts"))
      .map((line) => Number.parseInt(line, 10));
    return { parent, pids };
  }
});
