// What is done with one document: with protection, and as it is done where nobody thinks of failure.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FallbackExhaustedError, OutputRejectedError, protect, report, type Story, settled } from "holdfast";
import { makeBrief } from "./brief.ts";
import type { Document } from "./documents.ts";
import { flaggedPage, toMarkdown } from "./markdown.ts";
import type { Team } from "./team.ts";

export type Work = (document: Document, out: string) => Promise<void>;

export const briefOf = (out: string, path: string) => join(out, `${path}.brief.md`);
export const flaggedOf = (out: string, path: string) => join(out, "flagged", `${path}.md`);

export function protectedWork(team: Team): Work {
  const brief = protect("brief", (document: Document, context) => makeBrief(team, document, context), {
    deadline: "10m",
  });
  return async (document, out) => {
    const made = await settled(brief)(document, { labels: { document: document.path } });
    if (made.ok) return write(briefOf(out, document.path), toMarkdown(made.value, document));
    // what was made and refused is kept for a person, and so is that nothing was made
    const page = flaggedPage(document.path, lastRefused(made.story), report(made.error));
    await write(flaggedOf(out, document.path), page);
  };
}

export function bareWork(team: Team): Work {
  return async (document, out) => {
    try {
      await write(briefOf(out, document.path), toMarkdown(await makeBrief(team, document), document));
    } catch {
      // a bare call has nothing to say here, and nobody to turn to
    }
  };
}

/** What the worker that gave up had made last. */
function lastRefused({ children }: Story): OutputRejectedError | undefined {
  return children
    .filter(({ state }) => state !== "succeeded" && state !== "degraded")
    .flatMap(({ failures }) => failures.map(({ error }) => error))
    .flatMap((error) => (error instanceof FallbackExhaustedError ? error.failures.map((each) => each.error) : [error]))
    .findLast((error) => error instanceof OutputRejectedError);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
