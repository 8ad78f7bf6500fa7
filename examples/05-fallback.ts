// Other ways to the same answer, in order; the answer says whose it is, and why.
import { events, FallbackExhaustedError, protect, settled } from "holdfast";

const refusing =
  (status: number, message: string) =>
  async (_topic: string): Promise<string> => {
    throw Object.assign(new Error(message), { status });
  };

events.on("fallback.used", ({ from, to, kind }) => console.log(`${from} → ${to}: ${kind}`));

const draft = protect("claude", refusing(529, "overloaded"), {
  fallback: [
    { name: "gpt", operation: refusing(401, "wrong key") },
    {
      name: "template",
      operation: async (topic, { previous }) =>
        `${topic}: a draft without ${previous.map((f) => f.tierName).join(" and ")}`,
      when: (failure) => failure.kind !== "timeout",
    },
  ],
});
const { story, ...ended } = await settled(draft)("Tides");
console.log(ended.ok && ended.value);
console.log(story.state, story.tierName, story.attempts);

// with no way left, the error has them all
const lost = protect("claude", refusing(529, "overloaded"), {
  fallback: [{ name: "gpt", operation: refusing(500, "down") }],
});
await lost("Tides").catch((error) => console.log(error instanceof FallbackExhaustedError, error.failures.length));

// prints:
// claude → gpt: overloaded
// gpt → template: unauthorized
// Tides: a draft without claude and gpt
// degraded template 3
// claude → gpt: overloaded
// true 2
