// One run: start the providers, let the faults loose, work through the documents, and see what has become of them.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { reviews } from "holdfast";
import { localModel, serviceModel } from "./ask.ts";
import { atOnce } from "./atOnce.ts";
import { type Audit, audit } from "./audit.ts";
import type { Document } from "./documents.ts";
import { type Faults, unleash } from "./faults.ts";
import { keepFlagged } from "./flagged.ts";
import { progressOf } from "./progress.ts";
import { startProvider } from "./provider/start.ts";
import { type Tally, tallyOf } from "./tally.ts";
import { bareTeam, protectedTeam, watched } from "./team.ts";
import { bareWork, protectedWork } from "./work.ts";

export interface Job {
  readonly root: string;
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

export const providerNames = ["alpha", "beta", "gamma"];
const documentsAtOnce = 6;
/** For so long a flagged brief waits for a person. */
const waits = "168h";

export async function run(name: Run["name"], { root, documents, seed, out }: Job): Promise<Run> {
  const began = performance.now();
  reviews.keep({ for: waits });
  await mkdir(join(out, "log"), { recursive: true });
  const providers = await Promise.all(
    providerNames.map((each) => startProvider(each, join(out, "log", `${each}.jsonl`))),
  );
  const progress = progressOf(documents, () => faults.now());
  const faults = await unleash(providers, seed, progress.share);
  const models = [providers.map(localModel), serviceModel()] as const;
  const tally = tallyOf(models.flat().flatMap((model) => model?.name ?? []));
  try {
    const team = watched(name === "protected" ? protectedTeam(...models) : bareTeam(...models), (document, ms) => {
      progress.step(document);
      tally.calls.push(ms);
    });
    const work = name === "protected" ? protectedWork(team) : bareWork(team);
    await atOnce(documentsAtOnce, documents, async (document) => {
      await work(document, out);
      progress.finish(document);
    });
    if (name === "protected") await keepFlagged(out);
  } finally {
    tally.stop();
    progress.end();
    await faults.stop();
    for (const provider of providers) provider.stop();
  }
  const wallMs = performance.now() - began;
  return { name, audit: await audit(root, documents, out), tally, faults: faults.met, wallMs };
}
