// One run: start the providers, let the faults loose, work through the documents, and see what has become of them.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FallbackExhaustedError, HoldfastError, OutputRejectedError, protect, report, settled } from "holdfast";
import { localModel, serviceModel } from "./ask.ts";
import { atOnce } from "./atOnce.ts";
import { type Audit, audit, briefOf, flaggedOf } from "./audit.ts";
import { makeBrief } from "./brief.ts";
import type { Document } from "./documents.ts";
import { type Faults, unleash } from "./faults.ts";
import { flaggedPage, toMarkdown } from "./markdown.ts";
import { type Progress, progressOf } from "./progress.ts";
import { startProvider } from "./provider/start.ts";
import { type Tally, tallyOf } from "./tally.ts";
import { bareTeam, protectedTeam, type Team, watched } from "./team.ts";
import type { Brief } from "./workers.ts";

export interface Job {
  readonly folder: string;
  readonly documents: readonly Document[];
  readonly seed: number;
  readonly out: string;
}

export interface Run {
  readonly name: "protected" | "unprotected";
  readonly audit: Audit;
  readonly tally: Tally;
  readonly faults: Faults["met"];
  readonly wallMs: number;
}

const documentsAtOnce = 4;
/** A document that nobody could do now is tried again at the end. */
const rounds = 3;
const betweenRoundsMs = 1000;

export async function run(name: Run["name"], { folder, documents, seed, out }: Job): Promise<Run> {
  const began = performance.now();
  await mkdir(join(out, "log"), { recursive: true });
  const providers = await Promise.all(
    ["alpha", "beta", "gamma"].map((each) => startProvider(each, join(out, "log", `${each}.jsonl`))),
  );
  const progress = progressOf(documents, () => faults.now());
  const faults = await unleash(providers, seed, progress.share);
  const tally = tallyOf();
  try {
    const models = [providers.map(localModel), serviceModel()] as const;
    const team = name === "protected" ? protectedTeam(...models) : bareTeam(...models);
    const seen = watched(team, (document, elapsedMs) => {
      progress.step(document);
      tally.calls.push(elapsedMs);
    });
    await (name === "protected" ? work : workBare)(seen, documents, out, progress);
  } finally {
    tally.stop();
    progress.end();
    await faults.stop();
    for (const provider of providers) provider.stop();
  }
  const wallMs = performance.now() - began;
  return { name, audit: await audit(folder, documents, out), tally, faults: faults.met, wallMs };
}

async function work(team: Team, documents: readonly Document[], out: string, progress: Progress): Promise<void> {
  const brief = protect("brief", (document: Document, context) => makeBrief(team, document, context), {
    deadline: "5m",
  });
  let todo = documents;
  for (let round = 1; todo.length > 0 && round <= rounds; round++) {
    if (round > 1) await sleep(betweenRoundsMs);
    const failed: Document[] = [];
    await atOnce(documentsAtOnce, todo, async (document) => {
      const made = await settled(brief)(document, { labels: { document: document.path } });
      if (made.ok) await deliver(made.value, document, out);
      else if (round < rounds) failed.push(document);
      else await giveUp(document, made.error, out);
      if (made.ok || round === rounds) progress.finish(document);
    });
    todo = failed;
  }
}

async function workBare(team: Team, documents: readonly Document[], out: string, progress: Progress): Promise<void> {
  await atOnce(documentsAtOnce, documents, async (document) => {
    try {
      await deliver(await makeBrief(team, document), document, out);
    } catch {
      // nobody has written down what to do now
    }
    progress.finish(document);
  });
}

async function deliver(brief: Brief, document: Document, out: string): Promise<void> {
  await write(briefOf(out, document.path), toMarkdown(brief, document));
}

/** What was made and refused is kept for a person; where nothing was made there is nothing to look at: the document is lost. */
async function giveUp({ path }: Document, error: unknown, out: string): Promise<void> {
  const failures = HoldfastError.is(error, "FALLBACK_EXHAUSTED") ? (error as FallbackExhaustedError).failures : [];
  const refused = failures.map((failure) => failure.error).findLast((each) => each instanceof OutputRejectedError);
  if (refused) await write(flaggedOf(out, path), flaggedPage(path, refused, report(error)));
  else console.error(report(error));
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
