// A document on its way through the team.
import type { CallOptions } from "holdfast";
import { atOnce } from "./atOnce.ts";
import type { Document } from "./documents.ts";
import type { Sentence } from "./sentences.ts";
import type { Team } from "./team.ts";
import type { Brief, Notes } from "./workers.ts";

/** What a model reads at once. */
const partLength = 16_000;
const partSentences = 200;
const partsAtOnce = 4;
/** What the writer gets of a document in many parts. */
const maxFacts = 48;
const maxFigures = 12;

export async function makeBrief(team: Team, document: Document, context?: CallOptions): Promise<Brief> {
  const notes = await atOnce(partsAtOnce, partsOf(document), (sentences) =>
    team.research({ document, sentences }, context),
  );
  const draft = await team.write({ document, notes: together(notes) }, context);
  const verdict = await team.checkFacts({ document, draft }, context);
  return team.edit({ document, draft, verdict }, context);
}

/** How many times the team is asked for one document. */
export function stepsOf(document: Document): number {
  return partsOf(document).length + 3;
}

function partsOf({ sentences }: Document): Sentence[][] {
  const parts: Sentence[][] = [];
  let length = Infinity;
  for (const sentence of sentences) {
    const part = parts.at(-1);
    if (part === undefined || length + sentence.text.length > partLength || part.length === partSentences) {
      parts.push([sentence]);
      length = sentence.text.length;
    } else {
      part.push(sentence);
      length += sentence.text.length;
    }
  }
  return parts;
}

/** The most telling of each part. */
function together(notes: readonly Notes[]): Notes {
  const share = (most: number) => Math.max(1, Math.floor(most / notes.length));
  return {
    facts: notes.flatMap(({ facts }) => facts.slice(0, share(maxFacts))),
    figures: notes.flatMap(({ figures }) => figures.slice(0, share(maxFigures))).slice(0, maxFigures),
  };
}
