// The team: what each worker is asked, what its answer must look like, and what is checked of it beside what it was made of.
import type { Check, Finding } from "holdfast";
import { z } from "zod";
import { complete, isSaid, measured, titled, traced } from "./checks.ts";
import type { Document } from "./documents.ts";
import type { Sentence, Text } from "./sentences.ts";

/** One kind of work: from a request about a document to an answer. */
export interface Worker<I extends { readonly document: Document }, O> {
  readonly name: string;
  readonly instructions: string;
  readonly answer: z.ZodType<O>;
  /** What the model gets to read. */
  material(input: I): object;
  readonly checks: readonly Check<O, I>[];
}

export const Claim = z.object({ source: z.number(), text: z.string() });
export const Figure = z.object({ source: z.number(), figure: z.string() });
const Notes = z.object({ facts: z.array(Claim), figures: z.array(Figure) });
export const Brief = z.object({ title: z.string(), summary: z.array(Claim), figures: z.array(Figure) });
const Verdict = z.object({
  summary: z.array(Claim.extend({ source: z.number().nullable() })),
  figures: z.array(Figure.extend({ source: z.number().nullable() })),
});
export type Notes = z.output<typeof Notes>;
export type Brief = z.output<typeof Brief>;
export type Verdict = z.output<typeof Verdict>;

export interface Part {
  readonly document: Document;
  readonly sentences: readonly Sentence[];
}
export interface Draft {
  readonly document: Document;
  readonly draft: Brief;
}

const json = "Answer with one JSON object and nothing else:";

export const researcher: Worker<Part, Notes> = {
  name: "researcher",
  instructions: `You are the researcher. Of the numbered sentences, choose up to twelve that tell what the document is about, most telling first, and the figures that matter. Quote word for word. ${json} {"facts":[{"source":number,"text":string}],"figures":[{"source":number,"figure":string}]}`,
  answer: Notes,
  material: ({ sentences }) => ({ sentences: sentences.map(numbered) }),
  checks: [
    ({ facts }) => complete(facts, "facts"),
    ({ facts }, _, { document }) => traced(facts, document, "facts"),
    ({ figures }, _, { document }) => measured(figures, document),
  ],
};

export const writer: Worker<{ readonly document: Document; readonly notes: Notes }, Brief> = {
  name: "writer",
  instructions: `You are the writer. From the notes, write a brief: a title in the document's own words, a summary of four to six facts, word for word, and the key figures. ${json} {"title":string,"summary":[{"source":number,"text":string}],"figures":[{"source":number,"figure":string}]}`,
  answer: Brief,
  material: ({ document, notes }) => ({ headings: document.headings, ...notes }),
  checks: [(brief, _, { document }) => checkBrief(brief, document)],
};

export const factChecker: Worker<Draft, Verdict> = {
  name: "fact-checker",
  instructions: `You are the fact-checker. For each sentence and each figure of the draft, in its order, find the passage that has it; source is that passage's number, or null where there is none. ${json} {"summary":[{"source":number|null,"text":string}],"figures":[{"source":number|null,"figure":string}]}`,
  answer: Verdict,
  material: ({ document, draft }) => ({ draft, passages: passagesAround(draft, document) }),
  checks: [
    ({ summary, figures }, _, { draft }) =>
      summary.length === draft.summary.length && figures.length === draft.figures.length
        ? []
        : "one verdict for each sentence and each figure of the draft",
    ({ summary }, _, { document, draft }) =>
      summary.flatMap(({ source, text }, at) => {
        const drafted = draft.summary[at];
        const right = source === null ? drafted && !isSaid(drafted, document) : isSaid({ source, text }, document);
        return right && text === drafted?.text
          ? []
          : [{ path: `summary.${at}`, got: source, wanted: "the passage that has this sentence of the draft" }];
      }),
    ({ figures }, _, { document }) => measured(figures.filter(isFound), document),
  ],
};

export const editor: Worker<Draft & { readonly verdict: Verdict }, Brief> = {
  name: "editor",
  instructions: `You are the editor. Make the final brief: the draft without what the fact-checker did not find and without what is said twice. ${json} {"title":string,"summary":[{"source":number,"text":string}],"figures":[{"source":number,"figure":string}]}`,
  answer: Brief,
  material: ({ draft, verdict }) => ({ draft, verdict }),
  checks: [
    (brief, _, { document }) => checkBrief(brief, document),
    ({ summary }, _, { verdict }) =>
      summary
        .filter(({ text }) => !verdict.summary.some((found) => isFound(found) && found.text === text))
        .map(({ text }) => ({ path: "summary", got: text, wanted: "only sentences that the fact-checker has found" })),
  ],
};

/** What makes a brief a checked one: asked of each worker that makes one, and once more before it is delivered. */
export function checkBrief({ title, summary, figures }: Brief, document: Text): Finding[] {
  return [
    ...titled(title, document),
    ...complete(summary, "summary"),
    ...traced(summary, document, "summary"),
    ...measured(figures, document),
  ];
}

/** The sentences a draft refers to, and their neighbours: a fact-checker does not read the whole book again. */
function passagesAround(draft: Brief, { sentences }: Document): object[] {
  const near = new Set([...draft.summary, ...draft.figures].flatMap(({ source }) => [source - 1, source, source + 1]));
  return sentences.filter(({ number }) => near.has(number)).map(numbered);
}

function numbered({ number, text }: Sentence): { source: number; text: string } {
  return { source: number, text };
}

function isFound<T extends { readonly source: number | null }>(item: T): item is T & { readonly source: number } {
  return item.source !== null;
}
