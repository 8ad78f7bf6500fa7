// What calls to models cost: tokens and money of every attempt and tier, and what is not known said so.
import { addCost, type CallContext, type Cost, events, prices, protect, settled } from "holdfast";

// money per million tokens, by the name that the provider returns
prices.set("gpt-x-20*", { input: 2.5, output: 10 }); // its dated names, and not gpt-x-mini
prices.set("claude-y", { input: 3, output: 15 });

/** Stands for a model client: an answer, with what it used and which model served it. */
const model =
  (served: string, answer: string | Error) =>
  async (_topic: string, { cost }: CallContext) => {
    const usage = { prompt_tokens: 1_200, completion_tokens: 300 };
    cost({ model: served, inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens });
    if (answer instanceof Error) throw answer;
    return answer;
  };
const overloaded = Object.assign(new Error("overloaded"), { status: 529 });

const draft = protect("draft", model("gpt-x-2026-01-01", overloaded), {
  retry: { attempts: 2, base: "1ms" },
  fallback: [{ name: "claude", operation: model("claude-y", "Twice a day.") }],
});
const cheap = protect("cheap", model("new-model", "Twice a day."));

// a day's bill by component: each call tells of its own attempts, so nothing is counted twice
const bill = new Map<string, Cost>();
events.on("call.settled", ({ component, cost }) => {
  bill.set(component, addCost(bill.get(component) ?? {}, cost));
});

const { story } = await settled(draft)("tides");
console.log("draft:", story.cost);
for (const { tierName, attempt, cost } of story.failures)
  console.log(`  ${tierName}, attempt ${attempt}:`, cost?.money);

// a model without a price is unpriced, never free
await cheap("tides");
for (const [component, { money, unpriced }] of bill)
  console.log(component, money ?? "no price known", unpriced ?? "complete");

// prints:
// draft: {
//   inputTokens: 3600,
//   outputTokens: 900,
//   money: 0.0201,
//   model: 'claude-y'
// }
//   draft, attempt 1: 0.006
//   draft, attempt 2: 0.006
// draft 0.0201 complete
// cheap no price known [ 'new-model' ]
