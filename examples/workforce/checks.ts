// What makes a brief a checked one, as plain functions: each tells what it found wrong.
import type { Finding } from "holdfast";
import type { Text } from "./sentences.ts";

/** A sentence, and the number of the source's sentence that it is. */
export interface Claim {
  readonly source: number;
  readonly text: string;
}
/** A figure, and the number of the source's sentence that has it. */
export interface Figure {
  readonly source: number;
  readonly figure: string;
}

const maxTitle = 120;

/** There is a title, and every word of it is the document's own. */
export function titled(title: string, text: Text): Finding[] {
  const words = normal(title)
    .split(" ")
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""));
  if (words.join("") === "" || title.length > maxTitle)
    return [{ path: "title", got: title, wanted: `a title of at most ${maxTitle} characters` }];
  const all = normal([...text.headings, ...text.sentences.map((sentence) => sentence.text)].join(" "));
  return words
    .filter((word) => !(/\d/.test(word) ? occurs(word, all) : all.includes(word)))
    .map((word) => ({ path: "title", got: word, wanted: "a word of the document" }));
}

/** Every sentence is one of the source's, word for word, where it says it is. */
export function traced(claims: readonly Claim[], text: Text, path: string): Finding[] {
  return claims.flatMap((claim, at) =>
    isSaid(claim, text)
      ? []
      : [{ path: `${path}.${at}`, got: claim.text, wanted: `sentence ${claim.source} of the document, word for word` }],
  );
}

/** Every figure occurs in the sentence it is said to be from. */
export function measured(figures: readonly Figure[], text: Text): Finding[] {
  return figures.flatMap(({ source, figure }, at) =>
    occurs(normal(figure), normal(text.sentences[source - 1]?.text ?? ""))
      ? []
      : [{ path: `figures.${at}`, got: figure, wanted: `a figure of sentence ${source}` }],
  );
}

/** Enough sentences, none twice. */
export function complete(claims: readonly Claim[], path: string): Finding[] {
  const different = new Set(claims.map(({ text }) => normal(text)));
  if (claims.length === 0) return [{ path, wanted: "at least one sentence" }];
  return different.size === claims.length ? [] : [{ path, wanted: "no sentence twice" }];
}

export function isSaid({ source, text: claimed }: Claim, text: Text): boolean {
  const sentence = text.sentences[source - 1];
  return sentence !== undefined && normal(sentence.text) === normal(claimed);
}

/** As a number of its own: 4 does not occur in 42, nor 0.4 in 10.4, nor 5 s in 5 seconds. */
export function occurs(figure: string, text: string): boolean {
  const escaped = figure.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return figure !== "" && new RegExp(`(?<!\\p{N}|\\p{N}[.,])${escaped}(?!\\p{N}|[.,]\\p{N}|[a-z])`, "iu").test(text);
}

/** The same words, whatever the spaces, quotation marks and capitals. */
export function normal(text: string): string {
  return text.normalize("NFC").replace(/[‘’]/g, "'").replace(/[“”„]/g, '"').replace(/\s+/g, " ").trim().toLowerCase();
}
