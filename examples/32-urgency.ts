// The less time is left, the more is tried at once: stages of the deadline, as data.
import { setTimeout as after } from "node:timers/promises";
import { events, protect, settled } from "holdfast";

interface Asked {
  readonly signal: AbortSignal;
}
const model = (topic: string, { signal }: Asked) => after(60_000, `an essay on ${topic}`, { signal });
const smallModel = (topic: string, { signal }: Asked) => after(10_000, `a note on ${topic}`, { signal });
const template = async (topic: string) => `On ${topic}.`;

const draft = protect("draft", model, {
  deadline: "1s",
  hedge: { after: "30s" },
  fallback: [smallModel, template],
  urgency: [
    { at: 0.2, start: "hedge" },
    { at: 0.4, start: "nextTier" },
    { at: 0.6, start: "lastTier" },
  ],
});

events.on("urgency.raised", ({ stage, start }) => console.log(`stage ${stage}: ${start}`));
events.on("attempt.abandoned", ({ tier, attempt, reason }) =>
  console.log(`tier ${tier}, attempt ${attempt}: ${reason}`),
);

const { ok, story, ...rest } = await settled(draft)("tides");
console.log(ok && "value" in rest && rest.value, "|", story.state, story.tierName, story.degraded?.reason);

// prints:
// stage 1: hedge
// stage 2: nextTier
// stage 3: lastTier
// tier 0, attempt 1: lost
// tier 0, attempt 2: lost
// tier 1, attempt 1: lost
// On tides. | degraded template urgency
