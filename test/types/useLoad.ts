// What was agreed on for time and load, § 5 of the call sites of the rooms: by hand and declared.
import { adaptiveLimit, budget, drain, hedge, pipe, prices, protect, rateLimit, retry, shed, timeout, within } from "holdfast";
interface Answer { text: string }
declare function askEu(q: { text: string }, o: { signal: AbortSignal }): Promise<Answer>;
declare function askUs(q: { text: string }): Promise<Answer>;
declare function answer(q: { text: string }): Promise<Answer>;

// 5 time and load, by hand and declared
const careful = pipe(askEu, timeout("2s"), rateLimit({ requests: { limit: 100, per: "1s", burst: 20 }, tokens: { limit: 50_000, per: "1m" }, headers: "openai" }), hedge({ after: "p95" }), retry({ budget: budget({ share: 0.1 }) }));
careful({ text: "x" }).then((a) => a.text);
const busy = protect("busy", askEu, { adaptiveLimit: { reserve: { critical: 0.1 } }, shed: { eventLoopDelay: "50ms", fairBy: (q) => q.text }, rateLimit: { tokens: { limit: 1000, per: "1m" }, estimate: (q) => ({ inputTokens: q.text.length / 4 }), key: (q) => q.text }, hedge: { to: [askUs] }, deadline: "5s", urgency: [{ at: 0.5, start: "hedge" }, { at: 0.9, start: "lastTier" }], fallback: [askUs] });
busy({ text: "x" }, { criticality: "critical" }).then((a) => a.text);
const spaced = pipe(askUs, rateLimit({ requests: { limit: 1, per: "200ms" }, shape: "smooth" }), adaptiveLimit(), shed()); spaced({ text: "x" });
within({ deadline: "3s", criticality: "background" }, () => answer({ text: "x" })).then((a) => a.text);
drain({ within: "10s", grace: "2s" }).then((d) => d.finished); prices.set("m", { input: 2, output: 8 });
// @ts-expect-error a quota has a unit of time
rateLimit({ requests: { limit: 100 } });
