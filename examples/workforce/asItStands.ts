// What there is of a brief when the team could not finish it: the gate keeps it for a person.
import { type CallContext, type Failure, FallbackExhaustedError, OutputRejectedError, storyOf } from "holdfast";
import { z } from "zod";
import type { Document } from "./documents.ts";
import { type Brief, Claim, Figure } from "./workers.ts";

/** Of notes, a draft or a brief, what can be read. */
const Parts = z.object({
  title: z.string().optional(),
  facts: z.array(Claim).optional(),
  summary: z.array(Claim).optional(),
  figures: z.array(Figure).default([]),
});
const Completion = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });

/** The answer that was refused last as a brief, or one with nothing but a title. */
export async function asItStands({ headings, path }: Document, { previous }: CallContext): Promise<Brief> {
  const tried = previous.flatMap((failure) => storyOf(failure.error)?.failures ?? [failure]);
  const refused = tried.flatMap(errorsOf).findLast((error) => error instanceof OutputRejectedError);
  const {
    title,
    facts = [],
    summary = facts,
    figures,
  } = Parts.safeParse(contentOf(refused?.output)).data ?? { figures: [] };
  return { title: title ?? headings[0] ?? path, summary, figures };
}

function errorsOf({ error }: Failure): unknown[] {
  return error instanceof FallbackExhaustedError ? error.failures.flatMap(errorsOf) : [error];
}

function contentOf(answer: unknown): unknown {
  try {
    return JSON.parse(Completion.parse(answer).choices[0]?.message.content ?? "");
  } catch {
    return undefined; // prose, a page, a half: nothing that a brief could be made of
  }
}
