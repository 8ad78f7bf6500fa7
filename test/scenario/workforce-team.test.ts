// The team as it is declared, in front of real providers.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { events, type Failure, FallbackExhaustedError, reviews } from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { localModel, serviceModel } from "../../examples/workforce/ask.ts";
import { makeBrief } from "../../examples/workforce/brief.ts";
import type { Misbehaviour } from "../../examples/workforce/provider/misbehaviour.ts";
import { startProvider } from "../../examples/workforce/provider/start.ts";
import { readText } from "../../examples/workforce/sentences.ts";
import { protectedTeam } from "../../examples/workforce/team.ts";
import { protectedWork } from "../../examples/workforce/work.ts";
import { checkBrief } from "../../examples/workforce/workers.ts";

vi.setConfig({ testTimeout: 30_000 });

const document = {
  path: "tides.md",
  ...readText(
    "# The tides\n\nThe moon pulls the sea. The sea rises twice a day, by 4.5 m here. Who sails waits for it.",
  ),
};

async function setup(...misbehaviours: (Misbehaviour | undefined)[]) {
  const folder = mkdtempSync(join(tmpdir(), "workforce-"));
  const names = ["alpha", "beta", "gamma"];
  const log = (name: string) => join(folder, `${name}.jsonl`);
  const providers = await Promise.all(names.map((name) => startProvider(name, log(name))));
  onTestFinished(() => {
    for (const provider of providers) provider.stop();
    rmSync(folder, { recursive: true });
  });
  await Promise.all(providers.map((provider, at) => provider.heal(misbehaviours[at])));
  const attempts: string[] = [];
  const answeredBy: string[] = [];
  const undo = [
    events.on("attempt.started", ({ component }) => names.includes(component) && attempts.push(component)),
    events.on("call.settled", ({ component, state }) => {
      if (names.includes(component) && state === "succeeded") answeredBy.push(component);
    }),
  ];
  onTestFinished(() => undo.forEach((off) => void off()));
  const answers = (name: string) => readFileSync(log(name), "utf8").trim().split("\n").length;
  return { folder, providers, models: providers.map(localModel), attempts, answeredBy, answers };
}

describe("the team", () => {
  it("makes a brief whose sentences are the document's own, each worker at the model it likes best", async () => {
    const { models, answeredBy } = await setup();

    const brief = await makeBrief(protectedTeam(models, undefined), document);

    expect(brief.title).toBe("The tides");
    expect(brief.figures).toEqual([{ source: 2, figure: "4.5 m" }]);
    expect(checkBrief(brief, document)).toEqual([]);
    expect(answeredBy).toEqual(["alpha", "beta", "gamma", "alpha"]);
  });

  it("Requests counted at the server equal attempts told by events, in the main job", async () => {
    const { models, attempts, answers } = await setup("rateLimited", "garbage");

    await makeBrief(protectedTeam(models, undefined), document);

    expect(attempts.length).toBeGreaterThan(4);
    for (const name of ["alpha", "beta", "gamma"])
      expect(answers(name), name).toBe(attempts.filter((component) => component === name).length);
  });

  it("A retry inside a tier inside a fallback costs at most the declared attempts per tier, never their square", async () => {
    const { models, answers } = await setup("garbage", "garbage", "garbage");
    const { research } = protectedTeam(models, undefined);

    const once = { retry: false } as const; // it would come back later
    const error = await research({ document, sentences: document.sentences }, once).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect(["alpha", "beta", "gamma"].map(answers)).toEqual([2, 2, 2]);
    expect(error.failures.map(({ kind, tierName }: Failure) => [kind, tierName])).toEqual([
      ["quality", "alpha"],
      ["quality", "beta"],
      ["quality", "gamma"],
    ]);
  });

  it("tells the model what was wrong with its last answer", async () => {
    const { models } = await setup("invented");
    const told: string[] = [];
    const create = vi.spyOn(models[0]!.client.chat.completions, "create");

    await protectedTeam(models, undefined).research({ document, sentences: document.sentences });

    for (const [{ messages }] of create.mock.calls)
      told.push(...messages.slice(2).map(({ content }) => String(content)));
    expect(told).toEqual([expect.stringMatching(/^The last answer was refused: .*a figure of sentence 2/)]);
  });

  it.each(["garbage", "invented", "slow"] as const)("delivers though one provider is %s, one killed", async (how) => {
    const { providers, models, answeredBy } = await setup(how);
    providers[1]?.kill();

    const brief = await makeBrief(protectedTeam(models, undefined), document);

    expect(checkBrief(brief, document)).toEqual([]);
    expect(new Set(answeredBy)).toEqual(new Set(["gamma"]));
  });
});

describe("a document", () => {
  it("whose brief every provider gets wrong waits for a person with what was wrong, and is not delivered", async () => {
    reset();
    const { providers, models, folder } = await setup("invented");
    for (const down of providers.slice(1)) down.kill();

    await protectedWork(protectedTeam(models, undefined))(document, folder);

    expect(readdirSync(folder, { recursive: true })).not.toContain("tides.md.brief.md");
    const [review, ...others] = await reviews.pending();
    expect(others).toEqual([]);
    expect(review).toMatchObject({ name: "brief", input: document, labels: { document: "tides.md" }, fits: true });
    const moon = { source: 1, text: "The moon pulls the sea." };
    expect(review?.output).toMatchObject({ title: "The tides", summary: expect.arrayContaining([moon]) });
    const [unfinished, ...wrong] = review?.findings ?? [];
    expect(unfinished?.wanted).toBe("a brief that the team has finished");
    expect(wrong.length).toBeGreaterThan(0);
    for (const { path, wanted } of wrong) {
      expect(path).toMatch(/^(summary|figures)\.\d$/);
      expect(wanted).toMatch(/^(sentence \d of the document, word for word|a figure of sentence \d)$/);
    }
  });
});

describe("with OPENAI_API_KEY set", () => {
  const service = (url: string) => {
    vi.stubEnv("OPENAI_API_KEY", "key");
    vi.stubEnv("OPENAI_BASE_URL", url);
    onTestFinished(() => void vi.unstubAllEnvs());
    return serviceModel();
  };

  it("that service is asked first by every worker", async () => {
    const { models, providers } = await setup();
    const [first, ...others] = models;
    const settledBy: string[] = [];
    onTestFinished(events.on("call.settled", ({ component }) => settledBy.push(component), { component: "openai" }));

    await makeBrief(protectedTeam(others, service(providers[0]!.url)), document);

    expect(first?.client.apiKey).toBe("none");
    expect(settledBy).toHaveLength(4);
  });

  it("and out of reach, the providers at hand do the work", async () => {
    const { models, answeredBy } = await setup();
    await makeBrief(protectedTeam(models, service("http://127.0.0.1:1/v1")), document);
    expect(answeredBy).toEqual(["alpha", "beta", "gamma", "alpha"]);
  });
});
