// Where in a text its JSON stands, however broken, and whether it has come to its end. A value that is cut off is told
// apart before anything is mended: to close what is open would make a half answer look like a whole one.

export type Located =
  | { readonly found: "json"; readonly text: string }
  | { readonly found: "cutOff" | "malformed" | "none" | "several" | "tooDeep" | "tooBroken" };

interface Span {
  readonly from: number;
  readonly end: number;
  /** With `null` for what is no number. */
  readonly text: string;
}

/** So deep is nothing that a model was asked for, and a repair goes in by recursion. */
export const deepest = 500;

/** A repair looks far ahead at each mark whose meaning is in doubt: so many times so many characters, and no more. */
const mostDoubt = 10_000_000;

const openers = /[[{]/g;
/** What an object or a list begins with, and a bracket in prose does not. */
const objects = /\{\s*(?:["'“‘`}]|\/(?:[/*]|$)|\.\.\.|…|[A-Za-z_$][\w$-]*\s*:|[\w$]*$)/y;
const lists =
  /\[\s*(?:["'“‘`{[\]]|-?\.?\d|-?(?:true|false|null|undefined|None|True|False|NaN|Infinity)\b|\/(?:[/*]|$)|\.\.\.|…|$)/y;
const fenced = /```[\w-]*\s*$/;
const noNumber = /-?\b(?:NaN|Infinity)\b/y;
/** What a string begins with, and what it may end with. */
export const quotes: Readonly<Record<string, string>> = { '"': '"', "'": "'", "`": "`", "“": '”"', "‘": "’'" };

/** What a model thought aloud before it answered. */
const thought = /^\s*<(think|thinking|reasoning)>/;
/** Behind a value that is part of a broken one: another bracket, or another key. */
const goesOn = /^[ \t]*(?:[}\]]|,?[ \t]*(?:"[^"\n]*"|'[^'\n]*')[ \t]*:)/m;
/** Before it: its own key, or another. */
const ofKey = /["'”’`]\s*:\s*$/;
const otherKey = /^[ \t{},]*"[^"\n]*"[ \t]*:/m;

/** One object or list among prose; a fenced one or an object goes before the lists that prose has (`[1]`). */
export function findJson(said: string): Located {
  const text = answerIn(said);
  if (text === undefined) return { found: "cutOff" };
  const values: Span[] = [];
  const inProse: Span[] = [];
  openers.lastIndex = 0;
  for (let match = openers.exec(text); match !== null; match = openers.exec(text)) {
    const { index } = match;
    const begins = match[0] === "{" ? objects : lists;
    begins.lastIndex = index;
    if (!begins.test(text)) continue;
    const span = spanFrom(text, index);
    if (typeof span === "string") return { found: span };
    const certain = match[0] === "{" || inFence(text, index);
    (certain ? values : inProse).push(span);
    openers.lastIndex = span.end;
  }
  const [one, another] = values.length > 0 ? values : inProse;
  if (one === undefined) return { found: begun(text) ? "cutOff" : "none" };
  const answer = another === undefined ? one : fencedLast(text, values);
  if (answer === undefined) return { found: "several" };
  return isPart(text, answer, values[0]?.from ?? answer.from)
    ? { found: "malformed" }
    : { found: "json", text: answer.text };
}

/** Whether more of JSON stands around it than prose has: to take it alone would leave out what the model said. */
function isPart(text: string, { from, end }: Span, first: number): boolean {
  const fence = text.indexOf("```", end);
  return (
    goesOn.test(text.slice(end, fence < 0 ? undefined : fence)) ||
    ofKey.test(text.slice(Math.max(0, from - 40), from)) ||
    otherKey.test(text.slice(0, first))
  );
}

/** Behind its thinking; nothing where that has no end. */
function answerIn(said: string): string | undefined {
  const name = thought.exec(said)?.[1];
  if (name === undefined) return said;
  const end = said.indexOf(`</${name}>`);
  return end < 0 ? undefined : said.slice(end + name.length + 3);
}

function inFence(text: string, at: number): boolean {
  return fenced.test(text.slice(Math.max(0, at - 40), at));
}

/** Of several the one that has a fence of its own, where it comes last: what prose had before it were examples. */
function fencedLast(text: string, values: readonly Span[]): Span | undefined {
  const last = values.at(-1);
  const alone = values.filter(({ from }) => inFence(text, from)).length === 1;
  return alone && last !== undefined && inFence(text, last.from) ? last : undefined;
}

/** A fence with nothing in it, or a string without an end. */
function begun(text: string): boolean {
  const [begin = ""] = /^\s*(?:```[\w-]*\s*)?/.exec(text) ?? [];
  return begin.length === text.length
    ? begin.includes("```")
    : text[begin.length] === '"' && !endsString(text, begin.length);
}

function endsString(text: string, from: number): boolean {
  return endOfString(text, from, { marks: 0 }) < text.length || /"\s*$/.test(text.slice(from + 1));
}

function spanFrom(text: string, from: number): Span | "cutOff" | "malformed" | "tooDeep" | "tooBroken" {
  const open: string[] = [];
  let mended = "";
  let kept = from;
  /** The last character that is no space: a quotation mark inside a bare word opens nothing. */
  let before = "";
  let doubts = 0;
  /** Of a bracket that closes nothing. */
  let stray = -1;
  for (let i = from; i < text.length; ) {
    const c = text[i] as string;
    const starts = "{[,:(".includes(before);
    if (c in quotes && !starts) doubts += c === '"' ? 1 : 10;
    if (c in quotes && (starts || c === '"' || c === "“")) {
      const inner = { marks: 0 };
      i = endOfString(text, i, inner);
      doubts += inner.marks;
      before = '"';
      continue;
    }
    if (c === "{" || c === "[") {
      if (open.push(c === "{" ? "}" : "]") > deepest) return "tooDeep";
    } else if (c === "}" || c === "]") {
      const at = open.lastIndexOf(c); // what was forgotten inside is closed with it
      if (at === 0 && doubts * (i - from) > mostDoubt) return "tooBroken";
      if (at === 0) return { from, end: i + 1, text: mended + text.slice(kept, i + 1) };
      if (at > 0) open.length = at;
      else stray = i;
    } else if (c === "/" && before !== "/" && (text[i + 1] === "/" || text[i + 1] === "*") && text[i - 1] !== ":") {
      const end = text[i + 1] === "/" ? text.indexOf("\n", i) : text.indexOf("*/", i + 2);
      if (end < 0) return "cutOff";
      i = end + (text[i + 1] === "/" ? 1 : 2);
      continue;
    } else if (c === "…" || (c === "." && text.startsWith("...", i))) {
      return "cutOff"; // "and so on": what the model left out is not there
    } else if (c === "N" || c === "I" || c === "-") {
      noNumber.lastIndex = i;
      const [word] = noNumber.exec(text) ?? [];
      if (word !== undefined && !/[\w$"'-]/.test(text[i - 1] ?? "") && ":,[".includes(before)) {
        mended += `${text.slice(kept, i)}null`;
        i += word.length;
        kept = i;
        before = "l";
        continue;
      }
    }
    if (c.trim() !== "") {
      // a comma too many, or one that is missing: cheaper, but each is a copy of all before it
      if (c === "}" || c === "]" ? before === "," : !starts && /\s/.test(text[i - 1] ?? "")) doubts += 0.1;
      before = c;
    }
    i++;
  }
  return (stray >= 0 && /^\s*(?:```\s*)?$/.test(text.slice(stray + 1))) || closesPlainly(text, from)
    ? "malformed"
    : "cutOff";
}

const plainTokens = /\s+|"[^"\\]*(?:\\.[^"\\]*)*"(?!\s*[\p{L}_])|[\p{L}\p{N}_$.+-]+|[,:;()]|([[{])|([\]}])/uy;

/** To its last bracket, where every quotation mark is taken for what JSON has it for: it is whole, though it cannot be read. */
function closesPlainly(text: string, from: number): boolean {
  const open: string[] = [];
  plainTokens.lastIndex = from;
  for (let match = plainTokens.exec(text); match !== null; match = plainTokens.exec(text)) {
    if (match[1] !== undefined) open.push(match[1] === "{" ? "}" : "]");
    if (match[2] === undefined) continue;
    if (open.pop() !== match[2]) return false;
    if (open.length === 0) return true;
  }
  return false;
}

/** Behind its closing mark; a mark that nothing of JSON follows stands inside. The text's length where it has no end. */
export function endOfString(text: string, from: number, inner: { marks: number }): number {
  const marks = quotes[text[from] as string] as string;
  for (let i = from + 1; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "\\") i++;
    else if (marks.includes(c)) {
      if (ends(text, i + 1)) return i + 1;
      inner.marks++;
    }
  }
  return text.length;
}

function ends(text: string, from: number): boolean {
  let i = from;
  while (i < text.length && " \t\r\n".includes(text[i] as string)) {
    if (text[i] === "\n") return true;
    i++;
  }
  const next = text[i];
  if (next === undefined || ",:}]+".includes(next)) return true;
  return next === "/" ? "/*".includes(text[i + 1] ?? " ") : i > from && (next === '"' || next === "{");
}
