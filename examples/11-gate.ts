// What comes out is checked: a model's answer is repaired where only its form is broken, and asked again with what was found wrong.
import { type CallContext, events, judge, OutputRejectedError, protect, settled } from "holdfast";
import { z } from "zod";

const Report = z.object({ title: z.string().max(20), claims: z.array(z.string()) });

/** Stands for a model: it answers as models do, and reads what was wrong with its last answer. */
async function model(topic: string, { previous, cost }: CallContext) {
  cost({ outputTokens: 40, money: 0.01 });
  const feedback = previous.flatMap(({ error }) =>
    error instanceof OutputRejectedError ? error.findings.map(({ path }) => path) : [],
  );
  if (feedback.length > 0) console.log("asked again about:", feedback.join(", "));
  const title = feedback.includes("title") ? topic : `A comprehensive report on ${topic}`;
  const claims = feedback.includes("claims") ? "['twice a day', 'by the moon']" : "['twice a day']";
  return {
    choices: [{ finish_reason: "stop", message: { content: `Sure!\n{title: "${title}", claims: ${claims},}` } }],
  };
}

/** A second opinion: it gets the output as data of its own. */
const critic = async ({ output }: { output: z.output<typeof Report> }) => ({
  score: output.claims.length / 2,
  path: "claims",
  wanted: "a reason too",
});

events.on("output.repaired", ({ repair }) => console.log("repaired:", repair));
events.on("output.rejected", ({ attempt, findings }) => {
  for (const { path = "all of it", wanted, score } of findings)
    console.log(`attempt ${attempt}, ${path}: wanted ${wanted}${score === undefined ? "" : `, scored ${score}`}`);
});

const report = protect("report", model, {
  output: Report,
  gate: { repair: ["json"], checks: [judge(critic, { threshold: 0.8 })], benchmark: { money: 0.05 } },
  retry: { attempts: 4, base: "1ms" },
});
const { story, ...ended } = await settled(report)("Tides");
console.log(ended.ok && ended.value, story.attempts, story.cost);

// what was cut off is never repaired, and never delivered
const cut = protect("cut", async () => '{"title": "Tides", "claims": ["twice', {
  output: Report,
  gate: { repair: ["json"] },
});
const error = await cut().catch((error) => error);
console.log(error.reason, error.findings[0].wanted);

// prints:
// repaired: json
// attempt 1, title: wanted Too big: expected string to have <=20 characters
// asked again about: title
// repaired: json
// attempt 2, claims: wanted a reason too, scored 0.5
// asked again about: title, claims
// repaired: json
// { title: 'Tides', claims: [ 'twice a day', 'by the moon' ] } 3 { outputTokens: 120, money: 0.03 }
// attempt 1, all of it: wanted an answer that is not cut off
// cutOff an answer that is not cut off
