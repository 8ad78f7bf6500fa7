// The briefs that wait for a person: kept in a file beside those that are delivered, and read back from there.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reviews } from "holdfast";
import { z } from "zod";

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
  await writeFile(fileIn(out), JSON.stringify({ reviews: (await reviews.pending()).map((facts) => ({ facts })) }));
}

/** By path, with the first thing that is wrong. */
export async function flaggedIn(out: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(fileIn(out), "utf8").catch(() => '{"reviews":[]}');
  return new Map(
    Saved.parse(JSON.parse(text)).reviews.map(({ facts: { labels, findings } }) => {
      const [{ got, wanted } = { got: "", wanted: "" }] = findings;
      return [labels.document, `wanted ${wanted}, got ${got}`];
    }),
  );
}

export function howToLook(out: string): string {
  return `npx holdfast review ${fileIn(out)}`;
}
