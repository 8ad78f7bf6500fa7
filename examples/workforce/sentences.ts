// A Markdown or plain text as numbered sentences, each with the line it begins on. Code, comments and markup are no sentences.

export interface Sentence {
  /** From 1: what workers cite. */
  readonly number: number;
  readonly line: number;
  readonly text: string;
}

export interface Text {
  readonly headings: readonly string[];
  readonly sentences: readonly Sentence[];
}

interface Block {
  text: string;
  /** Where in the text each source line begins. */
  readonly starts: { readonly offset: number; readonly line: number }[];
}

/** Where a sentence without an end is cut. */
const maxLength = 600;
const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" });

export function readText(source: string): Text {
  const headings: string[] = [];
  const sentences: Sentence[] = [];
  for (const block of blocksOf(source, headings)) {
    let offset = 0;
    let at = 0;
    for (const piece of split(block.text)) {
      const text = plain(piece);
      while ((block.starts[at + 1]?.offset ?? Infinity) <= offset) at++;
      const line = block.starts[at]?.line ?? 1;
      if (/\p{L}/u.test(text)) sentences.push({ number: sentences.length + 1, line, text });
      offset += piece.length;
    }
  }
  return { headings: headings.filter((heading) => /[\p{L}\p{N}]/u.test(heading)), sentences };
}

/** Paragraphs, list items and table rows; headings go to where they are collected. */
function blocksOf(source: string, headings: string[]): Block[] {
  const blocks: Block[] = [];
  let block: Block = { text: "", starts: [] };
  let fence: string | undefined;
  const flush = () => {
    if (block.text !== "") blocks.push(block);
    block = { text: "", starts: [] };
  };
  const add = (raw: string, line: number) => {
    const text = plain(raw);
    if (text === "") return;
    block.starts.push({ offset: block.text === "" ? 0 : block.text.length + 1, line });
    block.text += block.text === "" ? text : ` ${text}`;
  };

  const lines = withoutComments(source).split(/\r\n?|\n/);
  for (let at = endOfFrontMatter(lines); at < lines.length; at++) {
    const line = (lines[at] as string).replace(/^\s*(?:>\s?)+/, "");
    if (line !== lines[at] && !lines[at - 1]?.trimStart().startsWith(">")) flush();
    const marks = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (marks?.startsWith(fence) && line.trim() === marks) fence = undefined;
    } else if (marks !== undefined && !line.trim().slice(marks.length).includes("`")) {
      flush();
      fence = marks;
    } else if (line.trim() === "" || isMarkup(line)) {
      flush();
    } else if (/^\s{0,3}#{1,6}\s/.test(line)) {
      flush();
      headings.push(plain(line.replace(/^\s*#+\s+/, "").replace(/\s+#+\s*$/, "")));
    } else if (/^\s{0,3}(?:=+|-+)\s*$/.test(line)) {
      if (block.starts.length === 1) headings.push(block.text);
      if (block.starts.length === 1) block = { text: "", starts: [] };
      flush();
    } else if (/^\s*\|/.test(line)) {
      flush();
      if (isRule(lines[at + 1])) continue; // the head of a table says what its columns are, not what is so
      add(line.replace(/^[\s|]+|[\s|]+$/g, ""), at + 1);
      flush();
    } else {
      const item = /^\s*(?:[-*+•]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$/.exec(line);
      if (item) flush();
      add(item?.[1] ?? line, at + 1);
    }
  }
  flush();
  return blocks.filter(({ text }) => text !== "");
}

/** Ends a sentence where Unicode does, except after an abbreviation or an initial, in a German date, or inside a code span. */
function split(text: string): string[] {
  const pieces: string[] = [];
  for (const segment of [...segmenter.segment(text)].flatMap(({ segment }) => segment.split(beforeCode))) {
    const last = pieces.at(-1) ?? "";
    const goesOn =
      /^\p{Ll}/u.test(segment) ||
      abbreviation.test(last) ||
      initial.test(last) ||
      (/\b\d{1,2}\.\s+$/.test(last) && month.test(segment)) ||
      (last.split("`").length % 2 === 0 && segment.includes("`"));
    if (goesOn && last !== "" && last.length + segment.length <= maxLength) pieces[pieces.length - 1] = last + segment;
    else pieces.push(segment);
  }
  return pieces.flatMap(cut);
}

/** Unicode takes a lower-case code span for the rest of the sentence before it. */
const beforeCode = /(?<=[.!?]["')\]]*\s+)(?=`)/;
const abbreviation =
  /(?:^|[\s("'„«[])(?:e\.g|i\.e|etc|cf|vs|approx|resp|incl|fig|eq|vol|pp?|dr|mrs?|prof|jr|inc|ltd|u\.s|a\.m|p\.m|z\.b|d\.h|u\.a|o\.ä|bzw|usw|ca|nr|vgl|evtl|ggf|inkl|mio|mrd|tsd|st|no|p\.ex)\.[)\]"'”»]*\s+$/iu;
const initial = /(?:^|[\s(])\p{L}\.\s+$/u;
const month = /^(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)/;

function cut(piece: string): string[] {
  if (piece.length <= maxLength) return [piece];
  const space = piece.lastIndexOf(" ", maxLength);
  // never between the two halves of a character
  const end =
    space > 0 ? space + 1 : /[\uD800-\uDBFF]/.test(piece[maxLength - 1] as string) ? maxLength - 1 : maxLength;
  return [piece.slice(0, end), ...cut(piece.slice(end))];
}

/** The words of a line without links, images, bold marks and tags; code spans stay as they are. */
function plain(markdown: string): string {
  return markdown
    .replace(/!\[([^\]]{0,300})\](?:\([^)]{0,500}\)|\[[^\]]{0,100}\])/g, "$1")
    .replace(/\[([^\][]{1,300})\](?:\((?:[^()]|\([^()]{0,100}\)){0,500}\)|\[[^\]]{0,100}\])/g, "$1")
    .replace(/\[\^[^\]]{1,50}\]:?/g, "")
    .replace(
      markup,
      (mark, code = "", bold = "", address = "") => code || bold || address || (/^<br/i.test(mark) ? " " : ""),
    )
    .replace(/\s+/g, " ")
    .trim();
}

// every stretch is bounded, or a hostile page of half-open marks would take quadratic time
const markup =
  /(`+[^`]*`+)|\*\*(?=\S)((?:`[^`]{0,300}`|[^`]){1,300}?)(?<=\S)\*\*|<(https?:[^\s>]{1,500})>|<\/?(?:a|b|i|em|strong|br|hr|img|p|div|span|sub|sup|kbd|details|summary|h[1-6]|center|picture|source)\b[^>]{0,500}>/gi;

/** A rule, the line under a table's head, a link's definition, the border of an admonition. */
function isMarkup(line: string): boolean {
  return isRule(line) || /^\s*(?:[*_]\s*){3,}$|^\s*\[[^\]^]+\]:\s+\S+|^:::/.test(line);
}

function isRule(line: string | undefined): boolean {
  return line !== undefined && /^[\s|:-]+$/.test(line) && line.includes("|") && line.includes("-");
}

/** The same number of lines, so that every sentence keeps its own. */
function withoutComments(source: string): string {
  return source.replace(/^\uFEFF/, "").replace(/<!--[\s\S]*?(?:-->|$)/g, (comment) => comment.replace(/[^\r\n]/g, " "));
}

function endOfFrontMatter(lines: readonly string[]): number {
  if (lines[0]?.trim() !== "---") return 0;
  const end = lines.findIndex((line, at) => at > 0 && line.trim() === "---");
  return end === -1 ? 0 : end + 1;
}
