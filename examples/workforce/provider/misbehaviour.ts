// How a provider that is up and answers can still be of no use.
export type Misbehaviour = "slow" | "rateLimited" | "garbage" | "invented";

/** What is wrong with an answer: of the first two the words are right, and only their form is not. */
export type Flaw =
  | "fenced"
  | "broken"
  | "prose"
  | "page"
  | "cutOff"
  | "brokenOff"
  | "refusal"
  | "inventedFigure"
  | "inventedSentence";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly flaw?: Flaw;
}

/** How a completion ends, and what stands in it. */
export interface Ending {
  readonly content: string | null;
  readonly finish?: "length";
  readonly refusal?: string | null;
}

export const slowMs = 4000;
const retryAfterSeconds = 2;

export function rateLimited(): Reply {
  const error = {
    message: "Rate limit reached for requests",
    type: "requests",
    param: null,
    code: "rate_limit_exceeded",
  };
  return json(429, { error }, { "retry-after": String(retryAfterSeconds) });
}

const page: Reply = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
};
const inTurn = ["prose", "page", "cutOff", "fenced", "refusal", "broken", "brokenOff"] as const;

/** In turn: prose, another server's page, an answer cut at its limit, one in a fence, a refusal, one with JSON's usual mistakes, one cut without saying so. */
export function garbage(answer: string, turn: number, complete: (ending: Ending) => Reply): Reply {
  const flaw = inTurn[turn % inTurn.length] as (typeof inTurn)[number];
  const cut = answer.slice(0, Math.floor(answer.length * 0.6));
  const replies: Readonly<Record<typeof flaw, () => Reply>> = {
    prose: () => complete({ content: "Sure! I have read the document. Let me know if you need anything else." }),
    page: () => page,
    cutOff: () => complete({ content: cut, finish: "length" }),
    fenced: () => complete({ content: `Sure! Here is what you asked for:\n\n\`\`\`json\n${answer}\n\`\`\`\n` }),
    refusal: () => complete({ content: null, refusal: "I'm sorry, but I can't help with that document." }),
    broken: () => complete({ content: answer.replace(/([{,])"(\w+)":/g, "$1$2:").replace(/\}\]/g, "},]") }),
    brokenOff: () => complete({ content: cut }),
  };
  return { ...replies[flaw](), flaw };
}

/** Well-formed, and untrue; in turn a figure that nobody measured, and a sentence that nobody wrote. */
export function invented(answer: object, turn: number): { readonly answer: object; readonly flaw: Flaw } {
  const copy = structuredClone(answer) as { facts?: Said[]; summary?: Said[]; figures: Measured[] };
  const said = copy.facts ?? copy.summary ?? [];
  const source = said[0]?.source ?? 1;
  if (turn % 2 === 0) {
    const figure = (copy.figures[0]?.figure ?? "12 %").replace(/\d/g, (digit) => String((Number(digit) + 3) % 10));
    copy.figures = [{ source: copy.figures[0]?.source ?? source, figure }, ...copy.figures.slice(1)];
    return { answer: copy, flaw: "inventedFigure" };
  }
  said.push({ source, text: "Independent studies confirm savings of 37.4 % in the first year." });
  return { answer: copy, flaw: "inventedSentence" };
}

interface Said {
  readonly source: number | null;
  readonly text: string;
}
interface Measured {
  readonly source: number | null;
  readonly figure: string;
}

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}
