// JSON as models break it: generated from a seed, each with what was meant, or nothing where it is cut off.
export interface Broken {
  readonly shape: string;
  readonly text: string;
  /** `undefined`: cut off. */
  readonly meant: unknown;
  /** It could be read in more ways than one: a rejection is as good. */
  readonly orRejected?: true;
}

const apostrophes = ["What's new", "It doesn't rise", "l'été", "that's it, isn't it: {it's}"];

type Random = () => number;

const words = [
  "tides",
  "it's high water",
  "What's new? It doesn't rise: that's it, isn't it",
  "l'été d'avant",
  "the dogs' bowls, and 'tides' too",
  'a "spring" tide',
  "C:\\\\dir\\n",
  "50 % of {all} [cases]",
  "https://example.com/a?b=c#d",
  "no, // not a comment",
  "zwölf Grad, 水, 🌊",
  "line one\nline two",
  "```js\nlet a = {};\n```",
  "NaN is no number",
  "and so on...",
  "",
];

export function brokenJson(random: Random, count: number): Broken[] {
  const shapes = Object.entries(breaks);
  return Array.from({ length: count }, (_, i) => {
    const [shape, make] = shapes[i % shapes.length] as (typeof shapes)[number];
    const value = record(random, 3);
    return { shape, ...make(value, random) };
  });
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

function record(random: Random, depth: number): Record<string, unknown> {
  const keys = ["title", "words", "claims", "source_id", "a-b"].slice(0, 1 + Math.floor(random() * 5));
  return Object.fromEntries(keys.map((key) => [key, value(random, depth)]));
}

function value(random: Random, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  if (kind === 0) return Math.round(random() * 2000 - 1000) / 4;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return null;
  if (kind <= 4) return pick(random, words);
  if (kind === 5) return Array.from({ length: Math.floor(random() * 4) }, () => value(random, depth - 1));
  return record(random, depth - 1);
}

interface Style {
  readonly string?: (text: string) => string;
  readonly key?: (text: string) => string;
  readonly literal?: (value: unknown) => string;
  /** Behind the last item. */
  readonly last?: string;
  /** In front of each item. */
  readonly lead?: () => string;
}

/** Writes as JSON, but in this way. */
function write(seen: unknown, style: Style, indent = ""): string {
  const { string = JSON.stringify, key = string, literal = JSON.stringify, last = "", lead = () => "" } = style;
  if (typeof seen === "string") return string(seen);
  if (typeof seen !== "object" || seen === null) return literal(seen);
  const inner = `${indent}  `;
  const items = Array.isArray(seen)
    ? seen.map((item) => write(item, style, inner))
    : Object.entries(seen).map(([name, item]) => `${key(name)}: ${write(item, style, inner)}`);
  const [open, close] = Array.isArray(seen) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => `${lead()}${inner}${item}`).join(",\n")}${last}\n${indent}${close}`;
}

const plain = (seen: unknown) => JSON.stringify(seen, null, 2);
const single = (text: string) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** As a model writes that forgets to escape: with the marks inside as they are. */
const loose = (text: string) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')}'`;
const curly = (text: string) => `‘${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "’")}’`;
const raw = (text: string) => `"${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')}"`;

const breaks: Record<string, (value: Record<string, unknown>, random: Random) => Omit<Broken, "shape">> = {
  "in a fence": (value, random) => ({
    text: `${pick(random, ["```json", "```", "```JSON"])}\n${plain(value)}\n\`\`\``,
    meant: value,
  }),
  "prose around it": (value, random) => ({
    text: `${pick(random, ["Sure! Here is the report:", "As [asked] in [1], for {you}:", "Here you go (see [docs](https://a.b)) -"])}\n\n${plain(value)}\n\nLet me know if that helps [2].`,
    meant: value,
  }),
  "prose around a fence": (value) => ({
    text: `Here it is:\n\`\`\`json\n${plain(value)}\n\`\`\`\nI hope it's right!`,
    meant: value,
  }),
  "a fence that is not closed": (value) => ({ text: `\`\`\`json\n${plain(value)}`, meant: value }),
  "trailing commas": (value) => ({ text: write(value, { last: "," }), meant: value }),
  "single quotes": (value) => ({ text: write(value, { string: single }), meant: value }),
  "apostrophes inside single quotes": (value) => ({
    text: write(value, { string: loose }),
    meant: value,
    orRejected: true,
  }),
  "apostrophes inside single quotes, in words only": (_, random) => {
    const value = { title: pick(random, apostrophes), claims: [pick(random, apostrophes), pick(random, apostrophes)] };
    return { text: write(value, { string: loose }), meant: value };
  },
  "quotation marks inside double ones": (value) => ({
    text: write(value, { string: raw, key: JSON.stringify }),
    meant: value,
    orRejected: true,
  }),
  "single and double quotes mixed up": (value, random) => {
    const string = (text: string) => pick(random, [loose, single, JSON.stringify])(text);
    return {
      text: write(value, { string, key: (text) => pick(random, [loose, String])(text) }),
      meant: value,
      orRejected: true,
    };
  },
  "curly quotes": (value) => ({
    text: write(value, { string: curly }),
    meant: JSON.parse(JSON.stringify(value).replaceAll("'", "’")),
    orRejected: true,
  }),
  "a comma, a colon or a bracket of another kind": (value, random) => {
    const text = plain(value);
    const marks = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[,:{}[\]]/g)].filter(([mark]) => mark.length === 1);
    const at = pick(random, marks).index;
    return {
      text: `${text.slice(0, at)}${pick(random, [";", ",", ":", "}", "]", ""])}${text.slice(at + 1)}`,
      meant: value,
      orRejected: true,
    };
  },
  "half a number": (value, random) => ({
    text: plain({ rate: 1, ...value, end: true }).replace(
      /"rate": 1/,
      `"rate": ${pick(random, ["-", "1e", "1e5000", "-1E+", "1.", "."])}`,
    ),
    meant: { rate: "nothing that can be meant" },
    orRejected: true,
  }),
  "bare keys": (value) => ({
    text: write(value, { key: (text) => (/^\w+$/.test(text) ? text : JSON.stringify(text)), last: "," }),
    meant: value,
  }),
  comments: (value, random) => ({
    text: write(value, {
      lead: () => pick(random, ["// the model's own note\n", "/* {as} [asked] */\n", ""]),
      last: ",",
    }),
    meant: value,
  }),
  "Python's words": (value) => ({
    text: write(value, {
      string: single,
      literal: (one) => (one === null ? "None" : one === true ? "True" : one === false ? "False" : String(one)),
    }),
    meant: value,
  }),
  "what is no number": (value, random) => ({
    text: plain({ ...value, rate: "@" }).replace('"@"', pick(random, ["NaN", "Infinity", "-Infinity"])),
    meant: { ...value, rate: null },
  }),
  "a key twice: the last holds": (value) => ({
    text: `Result: ${plain({ ...value, "@": 1 }).replace('"@": 1', '"title": "first", "title": "second",')}`,
    meant: { ...value, title: "second" },
  }),
  "line breaks in strings": (value) => ({
    text: write(
      { ...value, note: "one\ntwo" },
      { string: (text) => JSON.stringify(text).replaceAll(/\\(.)/g, (mark, c) => (c === "n" ? "\n" : mark)) },
    ),
    meant: { ...value, note: "one\ntwo" },
  }),
  "cut off": (value, random) => cut(plain({ ...value, end: true }), random),
  "cut off, after prose": (value, random) => cut(plain({ ...value, end: true }), random, "Sure:\n"),
  "cut off, in a fence that is closed": (value, random) =>
    cut(plain({ ...value, end: true }), random, "```json\n", "\n```"),
  "cut off, single quotes": (value, random) => cut(write({ ...value, end: true }, { string: single }), random),
  "cut off, trailing commas and comments": (value, random) =>
    cut(write({ ...value, end: true }, { last: ",", lead: () => "// a note\n" }), random),
};

/** Anywhere behind its beginning and before its last bracket. */
function cut(text: string, random: Random, before = "", after = ""): Omit<Broken, "shape"> {
  const at = 1 + Math.floor(random() * (text.length - 2));
  return { text: `${before}${text.slice(0, at)}${after}`, meant: undefined };
}
