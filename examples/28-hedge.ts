// The slowest calls as fast as the others: a second try beside the first, and the first answer counts.
import { setTimeout as after } from "node:timers/promises";
import { budget, events, hedge, named, protect } from "holdfast";

let asked = 0;
/** One in thirty takes far longer, as with a busy replica or a pause for garbage. */
const search = async (words: string, { signal }: { signal: AbortSignal }) => {
  const slow = ++asked % 30 === 0;
  return after(slow ? 2_000 : 20, slow ? `${words}, late` : words, { signal });
};

// on its own: after a delay that is known
const find = hedge({ after: "60ms" })(named("find", search));
asked = 29;
events.once("hedge.started", ({ name, attempt }) => console.log(`${name}: attempt ${attempt} begins beside the first`));
events.once("attempt.abandoned", ({ attempt, reason }) => console.log(`attempt ${attempt} has ${reason}`));
console.log(await find("tides"));

// declared: after what its own slowest twentieth takes, and never more than a share of all calls
const answer = protect("answer", search, { hedge: { after: "p95" }, budget: budget({ share: 0.1, perSecond: 1 }) });
for (let i = 0; i < 20; i++) await answer("warm");
let hedges = 0;
events.on("hedge.started", () => void hedges++, { name: "answer" });
const began = performance.now();
for (let i = 0; i < 10; i++) await answer("winds");
console.log(
  `ten answers, one of them slow at first: in less than a second: ${performance.now() - began < 1_000}, hedged: ${hedges > 0}`,
);

// prints:
// find: attempt 2 begins beside the first
// attempt 1 has lost
// tides
// ten answers, one of them slow at first: in less than a second: …
