// What is done with one document: with protection, and as it is done where nobody thinks of failure.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Check, FallbackExhaustedError, type Operation, type Protected, protect, settled } from "holdfast";
import { z } from "zod";
import { asItStands } from "./asItStands.ts";
import { makeBrief } from "./brief.ts";
import type { Document } from "./documents.ts";
import { toMarkdown } from "./markdown.ts";
import type { Team } from "./team.ts";
import { Brief, checkBrief } from "./workers.ts";

export type Work = (document: Document, out: string) => Promise<void>;

export const briefOf = (out: string, path: string) => join(out, `${path}.brief.md`);

/** What the writer gets to read of a document's headings, and how long one may be. */
const mostHeadings = 12;
const longestHeading = 120;
const firstOnes = (headings: unknown) => (headings as string[]).slice(0, mostHeadings);
const shortened = (heading: unknown) => (heading as string).slice(0, longestHeading).replace(/\s+\S*$/, "");

const Documents = z.object({
  path: z.string(),
  headings: z.array(z.string().max(longestHeading)).max(mostHeadings).readonly(),
  sentences: z
    .array(z.object({ number: z.int().min(1), line: z.int().min(1), text: z.string().min(1) }))
    .min(1)
    .readonly(),
});

/** What the team gave up is for a person, however good it looks. */
const finished: Check<Brief> = (_, { tier, previous }) =>
  tier === 0 ? undefined : { got: whyNot(previous.at(-1)?.error), wanted: "a brief that the team has finished" };

/** What a document has to be to be worked on, and what its brief has to be to be delivered. */
export function protectedBrief(make: Operation<Document, Brief>): Protected<Document, Brief> {
  return protect("brief", make, {
    input: Documents,
    guard: { correct: { headings: firstOnes, "headings.*": shortened } },
    output: Brief,
    gate: { checks: [finished, (made, _, document) => checkBrief(made, document)], onReject: "review" },
    timeout: "10m",
    fallback: [{ name: "as it stands", operation: asItStands, when: () => true }],
  });
}

export function protectedWork(team: Team): Work {
  const brief = protectedBrief((document, context) => makeBrief(team, document, context));
  return async (document, out) => {
    const made = await settled(brief)(document, { labels: { document: document.path } });
    // one that does not pass the gate waits for a person
    if (made.ok) await deliver(made.value, document, out);
  };
}

export function bareWork(team: Team): Work {
  return async (document, out) => {
    try {
      await deliver(await makeBrief(team, document), document, out);
    } catch {
      // a bare call has nothing to say here, and nobody to turn to
    }
  };
}

function whyNot(error: unknown): string {
  if (error instanceof FallbackExhaustedError)
    return error.failures.map(({ tierName, kind }) => `${tierName}: ${kind}`).join(", ");
  return error instanceof Error ? error.message : String(error);
}

export async function deliver(brief: Brief, document: Document, out: string): Promise<void> {
  const file = briefOf(out, document.path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, toMarkdown(brief, document));
}
