// A rate limit: tokens are taken before the call, and settled with what it has used.
import { type CallContext, events, protect, rateLimit, settled } from "holdfast";

const account = rateLimit<string>({
  requests: { limit: 10, per: "1m" },
  tokens: { limit: 1_000, per: "1m" },
  estimate: (prompt) => ({ inputTokens: prompt.length, outputTokens: 300 }),
  maxWait: "10s",
});

const ask = protect(
  "ask",
  async (prompt: string, { cost }: CallContext) => {
    cost({ inputTokens: prompt.length, outputTokens: 100 });
    return `${prompt}, answered`;
  },
  { rateLimit: account },
);

events.on("limit.refused", ({ quota }) => console.log(`refused: no ${quota} left`));

console.log((await Promise.all(["one", "two", "six"].map((word) => ask(word)))).join("; "));
const { story } = await settled(ask)("x".repeat(500));
console.log(story.state);

// prints:
// one, answered; two, answered; six, answered
// refused: no tokens left
// notAdmitted
