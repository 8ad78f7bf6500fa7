// A person decides on what was refused: an output is kept, shown, and approved, amended or rejected; the verdict goes to the call that waits, or to a handler.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { events, OutputRejectedError, protect, ReviewPendingError, reviews, settled } from "holdfast";
import { z } from "zod";

const Report = z.object({ title: z.string(), claims: z.array(z.string()) });
const claims = (report: z.output<typeof Report>) => (report.claims.length === 0 ? "at least one claim" : undefined);

/** Stands for a model that never makes a claim, however often it is asked. */
const model = async ({ topic }: { topic: string; key: string }): Promise<unknown> => ({ title: topic, claims: [] });

const draft = protect("draft", model, {
  guard: { secret: ["key"] },
  output: Report,
  gate: { checks: [claims], onReject: "review" },
  retry: { attempts: 2, base: "1ms" },
});
/** The same, for somebody who waits while another looks at it. */
const urgent = protect("urgent", model, {
  output: Report,
  gate: { checks: [claims], onReject: { await: "5m" } },
  deadline: "10m",
});

events.on("review.decided", ({ name, verdict, by }) => console.log(`${name} was ${verdict} by ${by}`));
// declared once, at start: what happens with verdicts that nobody waits for any more
reviews.onDecision("draft", async ({ input }, decision) => console.log("to be published:", input, decision.verdict));

// 1. kept: the caller gets the review's id, and goes on
const error = await draft({ topic: "tides", key: "sk-1" }).catch((error) => error);
console.log(error instanceof ReviewPendingError, error.cause instanceof OutputRejectedError);
for (const { id, input, output, findings } of await reviews.pending()) {
  console.log("waits:", input, output, findings[0]?.wanted);
  await reviews.decide(id, { verdict: "amend", output: { title: "Tides", claims: ["twice a day"] } }, "ada");
}

// 2. waited for: a person decides from elsewhere while the call waits
events.on("output.flagged", async ({ name, reviewId }) => {
  if (name !== "urgent") return;
  await reviews.claim(reviewId, "grace"); // nobody else decides while she looks at it
  await reviews.decide(reviewId, { verdict: "approve" }, "bob").catch(({ why }) => console.log("bob is refused:", why));
  await reviews.decide(reviewId, { verdict: "approve" }, "grace");
});
const { story, ...ended } = await settled(urgent)({ topic: "moons", key: "sk-2" });
console.log(ended.ok && ended.value, story.state);

// 3. in a file: it outlives the process, and `npx holdfast review <file>` decides on it
await draft({ topic: "winds", key: "sk-3" }).catch(() => {});
const file = `${tmpdir()}/reviews-${process.pid}.json`;
writeFileSync(file, reviews.save());
console.log(JSON.parse(readFileSync(file, "utf8")).reviews.length, "waits in a file");
rmSync(file);

// prints:
// true true
// waits: { topic: 'tides', key: '[secret]' } { title: 'tides', claims: [] } at least one claim
// draft was amended by ada
// to be published: { topic: 'tides', key: '[secret]' } amend
// bob is refused: claimed
// urgent was approved by grace
// { title: 'moons', claims: [] } flagged
// 1 waits in a file
