// One run: start the providers, let the faults loose, work through the documents, and see what has become of them.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FallbackExhaustedError, OutputRejectedError, protect, report, settled } from "holdfast";
import { localModel, serviceModel } from "./ask.ts";
import { atOnce } from "./atOnce.ts";
import { type Audit, audit, briefOf, flaggedOf } from "./audit.ts";
import { makeBrief } from "./brief.ts";
import type { Document } from "./documents.ts";
import { type Faults, unleash } from "./faults.ts";
import { flaggedPage, toMarkdown } from "./markdown.ts";
import { progressOf } from "./progress.ts";
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

const documentsAtOnce = 6;
const rounds = 10;
const betweenRoundsMs = 500;

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
    const team = watched(name === "protected" ? protectedTeam(...models) : bareTeam(...models), (document, ms) => {
      progress.step(document);
      tally.calls.push(ms);
    });
    const work = name === "protected" ? protectedWork(team, tally) : bareWork(team);
    await atOnce(documentsAtOnce, documents, async (document) => {
      await work(document, out);
      progress.finish(document);
    });
  } finally {
    tally.stop();
    progress.end();
    await faults.stop();
    for (const provider of providers) provider.stop();
  }
  const wallMs = performance.now() - began;
  return { name, audit: await audit(folder, documents, out), tally, faults: faults.met, wallMs };
}

type Work = (document: Document, out: string) => Promise<void>;

/** What every provider has given up is final for each retry; to come back to it a little later is the job's own decision. */
function protectedWork(team: Team, tally: Tally): Work {
  const brief = protect("brief", (document: Document, context) => makeBrief(team, document, context), {
    deadline: "5m",
  });
  return async (document, out) => {
    for (let round = 1; ; round++) {
      const made = await settled(brief)(document, { labels: { document: document.path } });
      if (made.ok) return deliver(made.value, document, out);
      if (round === rounds) return giveUp(document, made.error, out);
      tally.again++;
      await sleep(betweenRoundsMs);
    }
  };
}

function bareWork(team: Team): Work {
  return async (document, out) => {
    try {
      await deliver(await makeBrief(team, document), document, out);
    } catch {
      // a bare call has nothing to say here, and nobody to turn to
    }
  };
}

async function deliver(brief: Brief, document: Document, out: string): Promise<void> {
  await write(briefOf(out, document.path), toMarkdown(brief, document));
}

/** What was made and refused is kept for a person; where nothing was made there is nothing to look at: the document is lost. */
async function giveUp({ path }: Document, error: unknown, out: string): Promise<void> {
  const errors = error instanceof FallbackExhaustedError ? error.failures.map((failure) => failure.error) : [error];
  const refused = errors.findLast((each) => each instanceof OutputRejectedError);
  if (refused) await write(flaggedOf(out, path), flaggedPage(path, refused, report(error)));
  else console.error(report(error));
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
