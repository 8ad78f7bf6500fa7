// The briefs that wait for a person: kept in a file beside those that are delivered, and what becomes of them when they are decided.
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { reviews } from "holdfast";
import { syncReviews } from "holdfast/review";
import { z } from "zod";
import type { Document } from "./documents.ts";
import { deliver, protectedBrief } from "./work.ts";
import type { Brief } from "./workers.ts";

const fileIn = (out: string) => join(out, "reviews.json");

/** What this looks at of the text that `reviews.save()` gives. */
const Saved = z.object({
  reviews: z.array(
    z.object({
      facts: z.object({
        labels: z.object({ document: z.string() }),
        findings: z.array(z.object({ got: z.unknown().optional(), wanted: z.string() })).min(1),
      }),
    }),
  ),
});

export async function keepFlagged(out: string): Promise<void> {
  await writeFile(fileIn(out), reviews.save());
}

/** By path, with the first thing that is wrong; read from disk. */
export async function flaggedIn(out: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(fileIn(out), "utf8").catch(() => '{"reviews":[]}');
  return new Map(
    Saved.parse(JSON.parse(text)).reviews.map(({ facts: { labels, findings } }) => {
      const [first] = findings;
      return [labels.document, `wanted ${first?.wanted}, got ${first?.got}`];
    }),
  );
}

export function howToLook(out: string): string {
  const file = fileIn(out);
  return `npm run review -- ${file}\nWhat is decided is delivered by: npm start -- --decided ${file}`;
}

/** Delivers what a person has approved or amended since, and gives its paths; the others go on waiting. */
export async function deliverDecided(file: string): Promise<string[]> {
  // declared as in the run, though nobody works on it: an amended brief is to have the form of a brief
  protectedBrief(() => Promise.reject(new Error("Nobody works on it here.")));
  const delivered: Promise<string>[] = [];
  const undo = reviews.onDecision("brief", async ({ input, output }, decision) => {
    const { path } = input as Document;
    if (decision.verdict === "reject") return;
    const brief = (decision.verdict === "amend" ? decision.output : output) as Brief;
    delivered.push(deliver(brief, input as Document, dirname(file)).then(() => path));
    await delivered.at(-1);
  });
  await syncReviews(file);
  const paths = await Promise.all(delivered);
  await syncReviews(file);
  undo();
  return paths;
}
