// How a provider that is up and answers can still be of no use.
export type Misbehaviour = "slow" | "rateLimited" | "garbage" | "invented";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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

/** In turn: an answer cut at its limit, one cut without saying so, prose, another server's page. */
export function garbage(answer: string, turn: number, complete: (content: string, finish?: "length") => Reply): Reply {
  const cut = answer.slice(0, Math.floor(answer.length * 0.6));
  switch (turn % 4) {
    case 0:
      return complete(cut, "length");
    case 1:
      return complete(cut);
    case 2:
      return complete("Sure! Here is what I found in the document you gave me. Let me know if you need anything else.");
    default:
      return {
        status: 200,
        headers: { "content-type": "text/html" },
        body: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
      };
  }
}

/** Well-formed, and untrue: figures changed, and a sentence that nobody wrote. */
export function invented(answer: object): object {
  const copy = JSON.parse(JSON.stringify(answer), (_, value) =>
    typeof value === "string" ? value.replace(/\d/g, (digit) => String((Number(digit) + 3) % 10)) : value,
  );
  const sentences = copy.facts ?? copy.summary;
  sentences.push({
    source: sentences[0]?.source ?? 1,
    text: "Independent studies confirm savings of 37.4 % in the first year.",
  });
  return copy;
}

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}
