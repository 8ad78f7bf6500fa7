// What this model can do when it is asked to be one of the team: each answer is made of the text in the request, and of nothing else.
import { z } from "zod";
import { figuresOf } from "./figures.ts";
import { likeness, rank, type Taste, wordsOf } from "./textrank.ts";

/** As models differ. */
export interface Model extends Taste {
  /** Sentences of a summary. */
  readonly length: number;
  readonly tokensPerSecond: number;
}

const Passage = z.object({ source: z.number(), text: z.string() });
const Figure = z.object({ source: z.number(), figure: z.string() });
const Brief = z.object({ title: z.string(), summary: z.array(Passage), figures: z.array(Figure) });
const Verdict = z.object({
  summary: z.array(Passage.extend({ source: z.number().nullable() })),
  figures: z.array(Figure.extend({ source: z.number().nullable() })),
});
type Passage = z.output<typeof Passage>;

const maxFacts = 12;
const maxFigures = 6;
const sameThing = 0.7;

export const roles: Readonly<Record<string, (request: unknown, model: Model) => object>> = {
  researcher: (request, model) => {
    const { sentences } = z.object({ sentences: z.array(Passage) }).parse(request);
    const ordered = weightiest(sentences, model);
    return { facts: distinct(ordered, maxFacts), figures: figuresIn(ordered, maxFigures) };
  },

  writer: (request, model) => {
    const { headings, facts, figures } = z
      .object({ headings: z.array(z.string()), facts: z.array(Passage), figures: z.array(Figure) })
      .parse(request);
    return {
      title: shortened(headings[0] ?? keywords(facts)),
      summary: distinct(weightiest(facts, model), model.length).toSorted(inOrder),
      figures: figures.slice(0, maxFigures),
    };
  },

  "fact-checker": (request) => {
    const { draft, passages } = z.object({ draft: Brief, passages: z.array(Passage) }).parse(request);
    const find = (claimed: number, says: (passage: Passage) => boolean) =>
      (passages.find((passage) => passage.source === claimed && says(passage)) ?? passages.find(says))?.source ?? null;
    return {
      summary: draft.summary.map(({ source, text }) => ({ source: find(source, (p) => p.text.includes(text)), text })),
      figures: draft.figures.map(({ source, figure }) => ({
        source: find(source, (p) => figuresOf(p.text).includes(figure)),
        figure,
      })),
    };
  },

  editor: (request, model) => {
    const { draft, verdict } = z.object({ draft: Brief, verdict: Verdict }).parse(request);
    const supported = verdict.summary.filter((item): item is Passage => item.source !== null);
    const figures = verdict.figures.filter((item): item is z.output<typeof Figure> => item.source !== null);
    return {
      title: draft.title.trim(),
      summary: distinct(weightiest(supported, model), model.length).toSorted(inOrder),
      figures: figures.filter(({ figure }, at) => figures.findIndex((other) => other.figure === figure) === at),
    };
  },
};

function weightiest(passages: readonly Passage[], model: Model): Passage[] {
  const weights = rank(
    passages.map(({ text }) => text),
    model,
  );
  return passages
    .map((passage, at) => ({ passage, weight: (weights[at] as number) * legibility(passage.text) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ passage }) => passage);
}

/** The first so many, without those that say what an earlier one has said. */
function distinct(passages: readonly Passage[], count: number): Passage[] {
  const chosen: Passage[] = [];
  for (const passage of passages) {
    if (chosen.length === count) break;
    if (!chosen.some(({ text }) => text === passage.text || likeness(text, passage.text) > sameThing))
      chosen.push(passage);
  }
  return chosen;
}

/** A whole sentence of some length tells a reader more than a table's row, a fragment or a page without a full stop. */
function legibility(text: string): number {
  const whole = /[.!?。！？…]["')\]”»」]*$/.test(text);
  return (whole ? 1 : 0.4) * (text.length < 30 ? 0.6 : text.length > 350 ? 0.5 : 1);
}

/** Those with a unit where there are any: a bare number seldom says what it counts, one of a single digit never. */
function figuresIn(passages: readonly Passage[], count: number): { source: number; figure: string }[] {
  const found = passages
    .flatMap(({ source, text }) => figuresOf(text).map((figure) => ({ source, figure })))
    .filter(({ figure }, at, all) => figure.length > 1 && all.findIndex((other) => other.figure === figure) === at);
  const measured = found.filter(({ figure }) => /[^\d.,' ]/.test(figure));
  return (measured.length > 0 ? measured : found).slice(0, count);
}

/** The words that most facts have, for a text without a heading. */
function keywords(facts: readonly Passage[]): string {
  const seen = new Map<string, number>();
  for (const { text } of facts) for (const word of wordsOf(text)) seen.set(word, (seen.get(word) ?? 0) + 1);
  const most = [...seen].toSorted(([, a], [, b]) => b - a).slice(0, 4);
  const title = most.map(([word]) => word).join(", ") || (facts[0]?.text ?? "");
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function shortened(title: string): string {
  return title.length <= 100
    ? title
    : title.slice(0, title.lastIndexOf(" ", 100) > 0 ? title.lastIndexOf(" ", 100) : 100);
}

function inOrder(a: Passage, b: Passage): number {
  return a.source - b.source;
}
