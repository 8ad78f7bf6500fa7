// One call that does not break: you declare what it should have, holdfast knows the order.
import { protect, settled } from "holdfast";

let calls = 0;
async function askModel(question: string): Promise<string> {
  calls++;
  if (calls < 3) throw Object.assign(new Error("overloaded"), { status: 529 });
  return `${question} About 3 m.`;
}

const ask = protect("ask", askModel, {
  deadline: "10s", // the whole call
  timeout: "2s", // one attempt
  retry: { attempts: 3, base: "10ms" },
  breaker: {},
  fallback: [async () => "I cannot say at the moment."],
});

console.log(await ask("How high is the tide?"));

// the same call, and what happened in it
const { story } = await settled(ask)("How high is it now?");
console.log(story.state, story.attempts, story.failures.length);

// prints:
// How high is the tide? About 3 m.
// succeeded 1 0
