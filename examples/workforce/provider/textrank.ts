// Which sentences of a text matter: those that have much in common with many others that do.

export interface Taste {
  readonly damping: number;
  readonly similarity: "overlap" | "cosine" | "dice";
}

type Words = ReadonlySet<string>;

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
const stopWords = new Set(
  "the and for that with this are was were not but its from into than then they them their there which what when where who whom how has have had will would can could should may must does did been being also only each every such more most very over under about".split(
    " ",
  ),
);
const rounds = 50;
const settled = 1e-4;

/**
 * A weight for each sentence; the mean is 1.
 * @see Rada Mihalcea and Paul Tarau, TextRank: Bringing Order into Texts, 2004 (the walk, and "overlap")
 * @see Güneş Erkan and Dragomir Radev, LexRank: Graph-based Lexical Centrality as Salience in Text Summarization, 2004 ("cosine")
 */
export function rank(sentences: readonly string[], { damping, similarity }: Taste): number[] {
  const words = sentences.map(wordsOf);
  const measure = similarity === "cosine" ? cosine(words) : similarity === "dice" ? dice : overlap;
  const edges = words.map(() => words.map(() => 0));
  for (let i = 0; i < words.length; i++)
    for (let j = 0; j < i; j++)
      (edges[i] as number[])[j] = (edges[j] as number[])[i] = measure(words[i] as Words, words[j] as Words);
  const given = edges.map((row) => row.reduce((sum, edge) => sum + edge, 0));

  let weights = sentences.map(() => 1);
  for (let round = 0; round < rounds; round++) {
    const next = weights.map((_, i) => {
      let received = 0;
      for (let j = 0; j < weights.length; j++) {
        const edge = edges[j]?.[i] as number;
        if (edge > 0) received += (edge / (given[j] as number)) * (weights[j] as number);
      }
      return 1 - damping + damping * received;
    });
    const moved = Math.max(...next.map((weight, i) => Math.abs(weight - (weights[i] as number))));
    weights = next;
    if (moved < settled) break;
  }
  return weights;
}

/** How much two sentences say the same, 0 to 1. */
export function likeness(a: string, b: string): number {
  return dice(wordsOf(a), wordsOf(b));
}

/** The words that carry meaning, in any script. */
export function wordsOf(text: string): Words {
  const words = new Set<string>();
  for (const { segment, isWordLike } of segmenter.segment(text.toLowerCase()))
    if (isWordLike && (segment.length > 2 || /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(segment)))
      if (!stopWords.has(segment)) words.add(segment);
  return words;
}

function overlap(a: Words, b: Words): number {
  const length = Math.log(a.size) + Math.log(b.size);
  return length > 0 ? shared(a, b).length / length : 0;
}

function dice(a: Words, b: Words): number {
  return a.size + b.size === 0 ? 0 : (2 * shared(a, b).length) / (a.size + b.size);
}

/** Of sets of words weighted by how rare they are in the text. */
function cosine(all: readonly Words[]): (a: Words, b: Words) => number {
  const seen = new Map<string, number>();
  for (const words of all) for (const word of words) seen.set(word, (seen.get(word) ?? 0) + 1);
  const squares = new Map([...seen].map(([word, times]) => [word, Math.log(all.length / times) ** 2]));
  const sum = (words: Iterable<string>) => [...words].reduce((total, word) => total + (squares.get(word) as number), 0);
  const norms = new Map(all.map((words) => [words, Math.sqrt(sum(words))]));
  return (a, b) => {
    const length = (norms.get(a) as number) * (norms.get(b) as number);
    return length > 0 ? sum(shared(a, b)) / length : 0;
  };
}

function shared(a: Words, b: Words): string[] {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  return [...few].filter((word) => many.has(word));
}
