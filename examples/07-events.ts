// Whatever happens is an event on one bus: what watches, alerts or counts listens there, and no call knows of it.
import { events, protect } from "holdfast";

async function askFirst(topic: string): Promise<string> {
  throw Object.assign(new Error(`no answer on ${topic}`), { status: 503 });
}

const draft = protect("draft", askFirst, {
  retry: { attempts: 2, base: "1ms" },
  fallback: [{ name: "template", operation: async (topic) => `A page on ${topic}.` }],
});

const undo = [
  events.on("attempt.failed", ({ tier, attempt, kind }) => console.log(`tier ${tier}, attempt ${attempt}: ${kind}`)),
  events.on("fallback.used", ({ from, to }) => console.log(`${from} → ${to}`), { component: "draft" }),
  events.on(["call.started", "call.settled"], (event) => {
    if (event.type === "call.started") console.log(`${event.name} for ${event.labels.user}`);
    else console.log(`${event.name}: ${event.state} after ${event.attempts} attempts`);
  }),
  events.on("call.settled", () => {
    throw new Error("a listener that breaks");
  }),
  events.on("listener.failed", ({ heard, error }) =>
    console.log(`a listener of ${heard}: ${(error as Error).message}`),
  ),
];

console.log(await draft("tides", { labels: { user: "ada" } }));

for (const stop of undo) stop();
await draft("nobody hears this one");

// prints:
// draft for ada
// tier 0, attempt 1: overloaded
// tier 0, attempt 2: overloaded
// draft → template
// draft: degraded after 3 attempts
// a listener of call.settled: a listener that breaks
// A page on tides.
