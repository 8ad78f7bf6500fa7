// What a broken JSON text says: its brackets, colons and words, each as the model wrote it. Only commas, forgotten
// brackets and forgotten colons are then left to mend, and it can be shown that nothing else was changed.
import { endOfString, quotes } from "./findJson.ts";

export interface Tokens {
  /** The brackets, all of them closed, the commas and colons as they stand; for each word its number in quotation marks. */
  readonly form: string;
  readonly words: readonly Word[];
}

export interface Word {
  readonly json: string;
  /** Where it is a key. */
  readonly key: string;
}

const blank = /[\s\uFEFF\u00A0]+/y;
const number = /[+-]?(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const bare = /[\p{L}_$][^\n\r,:{}[\]"'`“”‘’;()\\/]*/uy;
const apostrophe = /(?<=\p{L})['’](?=\p{L})/gu;
const pair = /(?<![^\s(])["”](?=[^\s,:])[^"”\n]*(?<=[^\s,:])["”](?=[\s.;!?)]|$)/g;
const literals: Readonly<Record<string, string>> = {
  true: "true",
  false: "false",
  null: "null",
  True: "true",
  False: "false",
  None: "null",
  undefined: "null",
};
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "\n": "\n" };

/** Throws a sentence where the text may say one thing or another. */
export function tokensOf(text: string): Tokens {
  const words: Word[] = [];
  const open: string[] = [];
  const form: string[] = [];
  const say = (json: string, key: string) => void form.push(`"${words.push({ json, key }) - 1}"`);
  for (let i = 0; i < text.length; ) {
    const c = text[i] as string;
    const space = taken(blank, text, i);
    if (space !== "") {
      i += space.length;
      form.push(" ");
    } else if (c === "{" || c === "[") {
      open.push(c === "{" ? "}" : "]");
      form.push(c);
      i++;
    } else if (c === "}" || c === "]") {
      const at = open.lastIndexOf(c);
      if (at < 0) throw new Error(`a ${c} that closes nothing`);
      form.push(...open.splice(at).reverse()); // what was forgotten inside is closed with it
      i++;
    } else if (c === "," || c === ":") {
      form.push(c);
      i++;
    } else if (c in quotes) {
      const inner = { marks: 0 };
      const end = endOfString(text, i, inner);
      const content = contentOf(text.slice(i + 1, end - 1), c, inner.marks);
      say(JSON.stringify(content), content);
      i = end;
    } else if (c === "/") {
      const lines = text[i + 1] === "/" && text[i - 1] !== ":";
      const end = lines ? text.indexOf("\n", i) : text[i + 1] === "*" ? text.indexOf("*/", i + 2) : -1;
      if (end < 0) throw new Error("a / that begins no comment");
      i = lines ? end : end + 2;
    } else {
      const word = taken(bare, text, i).trimEnd();
      const digits = word === "" ? taken(number, text, i) : "";
      if (word !== "") say(Object.hasOwn(literals, word) ? (literals[word] as string) : JSON.stringify(word), word);
      else say(numberOf(digits, text[i + digits.length]), digits);
      i += word.length + digits.length;
    }
  }
  if (open.length > 0) throw new Error("a bracket that is not closed");
  return { form: form.join(""), words };
}

function taken(what: RegExp, text: string, at: number): string {
  what.lastIndex = at;
  return what.exec(text)?.[0] ?? "";
}

/** The same number, written as JSON has it. */
function numberOf(digits: string, next: string | undefined): string {
  const shown = `${digits}${next ?? ""}`.trim();
  if (!/\d/.test(digits) || (next !== undefined && !/[\s,:}\]/]/.test(next)))
    throw new Error(`${JSON.stringify(shown)} is neither a word nor a number`);
  const value = Number(digits);
  const lost = /^[+-]?\d+$/.test(digits) ? !Number.isSafeInteger(value) : value === 0 && /^[^e]*[1-9]/i.test(digits);
  if (!Number.isFinite(value) || lost) throw new Error("a number that is out of range");
  return digits.replace(/^\+/, "").replace(/^(-?)\./, "$10.");
}

/** A quotation mark inside is the model's where it can be nothing else: an apostrophe in a word, a pair of double ones. */
function contentOf(raw: string, mark: string, marksInside: number): string {
  if (marksInside > 0) {
    const bare = raw.replaceAll(/\\[\s\S]/g, "..");
    const sure = mark === "'" || mark === "‘" ? bare.match(apostrophe)?.length : 2 * (bare.match(pair)?.length ?? 0);
    if (sure !== marksInside) throw new Error("a quotation mark inside a string may be its end");
  }
  return raw.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S]?)/g, (whole, behind: string) => {
    if (behind.length === 5) return String.fromCharCode(Number.parseInt(behind.slice(1), 16));
    if ("\"'`/\\".includes(behind) && behind !== "") return behind;
    const meant = escapes[behind];
    if (meant === undefined) throw new Error(`${JSON.stringify(whole)} in a string means nothing`);
    return meant;
  });
}

/** The text with its words in their places; nothing where more was changed than commas and missing colons. */
export function filled({ form, words }: Tokens, mended: string): string | undefined {
  const was = form.replaceAll(/[\s,]/g, "");
  const is = mended.replaceAll(/[\s,]/g, "");
  let at = 0;
  for (const c of is) {
    if (c === was[at]) at++;
    else if (c !== ":") return undefined;
  }
  if (at !== was.length) return undefined;
  return mended.replaceAll(/"(\d+)"(\s*:)?/g, (_, index: string, colon: string | undefined) => {
    const { json, key } = words[Number(index)] as Word;
    return colon === undefined ? json : `${JSON.stringify(key)}:`;
  });
}
