// Call sites that must type-check as they stand, against the real package: what is inferred, and what must be refused.
import { z } from "zod";
import { protect, pipe, retry, breaker, timeout, guard, gate, named, fallback, cache, bulkhead, deadline, settled, storyOf, report, stories, standard, explain, configure, classify, events, problem, HoldfastError, InputRejectedError, FallbackExhaustedError, type Protected } from "holdfast";
type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <T extends true>() => {};
interface User { id: string; name: string }
declare function fetchUser(id: string, ctx: { signal: AbortSignal }): Promise<User>;
declare function fetchUser1(id: string): Promise<User>;
declare function ping(): Promise<number>;

// 1 plain
const a = protect("user", fetchUser, { retry: { attempts: 3 }, timeout: "2s" });
is<Eq<typeof a, Protected<string, User>>>(); a("x"); a("x", { signal: AbortSignal.timeout(1) });
const a1 = protect("user", fetchUser1); is<Eq<typeof a1, Protected<string, User>>>();
// 2 zero-arg
const p = protect("ping", ping, { timeout: "1s" }); p(); const pr: Promise<number> = p();
// 3 inline lambda typed from a later schema
const Brief = z.object({ topic: z.string(), words: z.number().default(500) });
const Report = z.object({ title: z.string(), claims: z.array(z.string()) });
const draft = protect("draft", async (brief, { signal }) => { is<Eq<typeof brief, { topic: string; words: number }>>(); signal.aborted; return JSON.parse("{}") as unknown; }, { input: Brief, output: Report, retry: { attempts: 2 } });
draft({ topic: "x" }).then((r) => { const t: string = r.title; });
// @ts-expect-error input is checked at the call
draft({ topic: 1 });
// 4 inline lambda and inline fallback lambdas
const d2 = protect("draft", async (brief, { signal }) => ({ title: brief.topic, claims: [] as string[] }), {
  input: Brief, output: Report,
  fallback: [async (brief) => ({ title: brief.topic, claims: [] }), async (brief, ctx) => ({ title: brief.topic + ctx.previous.length, claims: ["x"] })],
});
d2({ topic: "x" }).then((r) => r.claims.length);
// 5 retry predicate sees the operation's result
const h = protect("http", async (url: string, { signal }) => fetch(url, { signal }), { retry: { attempts: 3, when: (o) => !o.ok || o.value.status >= 500 } });
h("u").then((r) => r.status);
// 6 fetch itself
const f = protect("fetch", (url: string, { signal }) => fetch(url, { signal }));
// 7 pipe, by hand
const u = pipe(fetchUser1, timeout("2s"), breaker(), retry());
u("x").then((x) => x.name); 
const u2 = retry({ attempts: 3 })(breaker()(timeout("2s")(fetchUser)));
u2("x").then((x) => x.name);
const u3 = pipe(async (b: z.output<typeof Brief>) => JSON.parse("") as unknown, gate(Report), retry(), guard(Brief));
u3({ topic: "t" }).then((r) => r.title);
// 8 nest: a protected call is an operation
const nested = protect("outer", async (id: string, ctx) => a(id, ctx));
const nested2 = protect("outer", a, { retry: false });
nested2("x").then((x) => x.name);
// 9 errors wanted
// @ts-expect-error tier takes another input
protect("user", fetchUser1, { fallback: [async (n: number) => ({ id: "1", name: "" })] });
// @ts-expect-error tier delivers something else
protect("user", fetchUser1, { fallback: [async () => 42] });
// @ts-expect-error typo in an option
protect("user", fetchUser1, { retyr: {} });
// @ts-expect-error bad duration
protect("user", fetchUser1, { timeout: "2 secs" });

// 10 zero-arg by hand
const z0 = retry()(ping); z0();
// 11 predicates on the result in hand-made wrappers: unknown, by construction
const byHand = retry({ when: (o) => !o.ok || (o.value as Response).status >= 500 })((url: string, { signal }) => fetch(url, { signal }));
byHand("u").then((r) => r.status);
// 12 several arguments are refused, a lambda takes them
declare function query(sql: string, params: string[]): Promise<number>;
// @ts-expect-error two arguments
protect("q", query);
const q = protect("q", ({ sql, params }: { sql: string; params: string[] }) => query(sql, params)); q({ sql: "", params: [] });
// 13 fetch passed bare
const bare = protect("get", fetch); bare("http://x");

is<Eq<typeof z0, Protected<void, number>>>();
const zp = pipe(ping, timeout("1s"), retry()); zp();
is<Eq<typeof u, Protected<string, User>>>();
import OpenAI from "openai";
const client = new OpenAI({ apiKey: "x" });
const ai = protect("ai", async (brief, { signal }) => (await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: brief.topic }] }, { signal })).choices[0]?.message.content ?? "", { input: Brief, retry: { attempts: 2, when: (o) => !o.ok || o.value.length === 0 } });
is<Eq<typeof ai, Protected<{ topic: string; words?: number | undefined }, string>>>();

// 14 with an output schema, tiers may deliver anything: the schema decides
declare function askGpt(b: { topic: string; words: number }, o: { signal: AbortSignal }): Promise<string>;
declare const template: (b: { topic: string }) => Promise<{ title: string; claims: string[] }>;
const chain = protect("draft", askGpt, { input: Brief, output: Report, gate: { checks: [(r) => (r.claims.length === 0 ? "no claims" : undefined)], onReject: "review" }, fallback: [async (b, { signal }) => { signal.aborted; return b.topic; }, template] });
chain({ topic: "x" }).then((r) => r.claims.map((c) => c.length));
// @ts-expect-error a tier still has to take the input
protect("draft", askGpt, { input: Brief, output: Report, fallback: [async (n: number) => n] });
// events: the real bus, narrowed by type; users add their own
declare module "holdfast" { interface EventMap { "invoice.sent": { cents: number } } }
events.on("health.changed", (e) => e.to.length, { component: "stripe" });
const stop = events.on(["health.changed", "breaker.opened"], (e) => { if (e.type === "breaker.opened") e.failures.toFixed(); else e.to.length; e.call?.length; e.labels["tenant"]; }); stop();
events.on("invoice.sent", (e) => e.cents.toFixed());
// @ts-expect-error no such event
events.on("breaker.exploded", () => {});

// 15 a policy: one component, many calls
interface Charge { id: string; cents: number }
declare function createCharge(charge: { cents: number }, options: { signal: AbortSignal }): Promise<Charge>;
const stripe = protect.with("stripe", { ...standard, bulkhead: 20 });
const charge = stripe("charge", createCharge, { input: z.object({ cents: z.number().int() }), retry: { when: (o) => !o.ok || o.value.cents === 0 } });
is<Eq<typeof charge, Protected<{ cents: number }, Charge>>>();
const once = stripe.run(({ signal }) => fetch("http://x", { signal })); once.then((r) => r.status);
const onPing = stripe("ping", ping); onPing();
// @ts-expect-error a policy knows no schema
protect.with("x", { input: Brief });
// 16 the call that never rejects
settled(charge)({ cents: 1 }).then((s) => { if (s.ok) s.value.id; else storyOf(s.error)?.failures.map((a) => a.kind); s.story.state; });
settled(ping)().then((s) => s.ok && s.value.toFixed());
// 17 named tiers with conditions
const withTiers = protect("user", fetchUser, { fallback: [{ name: "copy", operation: fetchUser1, when: (f) => f.kind === "network" }, async (id) => ({ id, name: "?" })] });
is<Eq<typeof withTiers, Protected<string, User>>>();
// @ts-expect-error a named tier takes the same input
protect("user", fetchUser1, { fallback: [{ name: "n", operation: async (n: number) => ({ id: "1", name: "" }) }] });
// 18 by hand, with a name
const byName = pipe(named("user", fetchUser1), timeout("2s"), retry()); byName("x").then((x) => x.name);
// 19 looked at and changed while it runs
explain(charge).map((layer) => layer.kind);
const undo = configure(a, { timeout: "5s", breaker: { failureRate: 0.2 } }); undo();
// @ts-expect-error a change is checked
configure(a, { timeout: "soon" });
// 20 verdicts
const verdict = classify(new Error("x")); if (verdict?.retry) verdict.retryAfterMs?.toFixed();
protect("pg", fetchUser, { classify: (seen, standard) => ((seen as { code?: string }).code === "23505" ? { kind: "invalid", retry: false, counts: false, fallBack: false } : standard(seen)), breaker: { when: (o, v) => !o.ok && v?.counts !== false } });
// 21 cost, told by the operation
protect("ai", async (brief: { topic: string }, { cost }) => { cost({ inputTokens: 12, model: "m" }); return brief.topic; }, { timeout: "1s" });
// 22 the options by their names
retry({ attempts: 4, backoff: "exponential", base: "100ms", cap: "20s", jitter: "full", maxElapsed: "1m", patience: "1s" });
const circuit = breaker({ failureRate: 0.5, slowCallRate: 0.8, slowCallDuration: "2s", window: "10s", minimumCalls: 10, breakTime: "5s", maxBreakTime: "1m", halfOpenCalls: 3, ramp: "5s", mode: "enforce" });
const undoIsolation = circuit.isolate(); undoIsolation(); circuit.close(); circuit.state.state === "closed"; circuit.acquire()?.done({ ok: true, value: 1 }); circuit.restore(circuit.save());
// @ts-expect-error the first try is counted: attempts, not retries
retry({ retries: 3 });
// 23 a key, a cache and a person's time, inline and typed from the operation
const perTenant = protect("t", async (q: { tenant: string }) => q.tenant.length, { breaker: { key: (q) => q.tenant }, cache: { ttl: "1m", key: (q) => q.tenant }, idempotencyKey: (q) => q.tenant });
is<Eq<typeof perTenant, Protected<{ tenant: string }, number>>>();
pipe(async (q: { tenant: string }) => q.tenant.length, breaker({ key: (q: { tenant: string }) => q.tenant }), cache({ ttl: "1m", key: (q: { tenant: string }) => q.tenant }), retry())({ tenant: "x" }).then((n) => n.toFixed());
const waits = protect("w", askGpt, {
  input: Brief, guard: { checks: [(b) => (b.words > 9000 ? { path: "words", wanted: "at most 9000" } : undefined)], correct: { words: "clamp" }, secret: ["topic"] },
  output: Report, gate: { benchmark: { latency: "20s", money: 0.1 }, repair: ["json"], onReject: { await: "5m" } } });
protect("no-schema", fetchUser, { guard: { checks: [(id) => (id.length > 40 ? "at most 40 letters" : undefined)] }, gate: { checks: [async (user) => (user.name ? undefined : { path: "name", wanted: "a name" })] } });
pipe(async (b: z.output<typeof Brief>) => JSON.parse("") as unknown, gate(Report, { onReject: "review" }), retry(), guard(Brief, { secret: ["topic"] }))({ topic: "t" }).then((r) => r.claims.length);
is<Eq<typeof waits, Protected<{ topic: string; words?: number | undefined }, { title: string; claims: string[] }>>>();
// 24 with an output schema, retry sees what the gate let through
protect("g", askGpt, { input: Brief, output: Report, retry: { when: (o) => o.ok && o.value.claims.length === 0 } });
// 25 predicates may lean on the verdict
protect("v", fetchUser, { retry: { attempts: 3, when: (o, verdict) => verdict?.retry === true || (!o.ok && (o.error as { status?: number }).status === 404) }, fallback: [{ name: "copy", operation: fetchUser1, when: (f, v) => v.fallBack || f.kind === "invalid" }, { name: "inline", operation: async (id, { previous }) => ({ id, name: `after ${previous.length}` }) }] });
// 26 one call, as its caller wants it
a("x", { deadline: "5s", retry: false, fallback: false, accept: "fresh", labels: { request: "r1" }, criticality: "critical" });
// 27 not twice
protect("pay", createCharge, { idempotent: false, retry: { attempts: 3 } });
// 28 errors, at the edge and in the log
try { await a("x"); } catch (e) {
  if (HoldfastError.is(e, "BREAKER_OPEN")) e.retryAfterMs?.toFixed();
  if (e instanceof InputRejectedError) e.issues.map((i) => `${i.path}: ${i.wanted}`);
  if (e instanceof FallbackExhaustedError) e.failures.map((f) => f.tierName);
  const { status, headers } = problem(e); status.toFixed(); headers["retry-after"]; report(e).length;
}
stories.keep({ failures: 1000 }); stories.get("id")?.state; stories.recent().map((s) => s.failures.length);
// 29 each key takes its own kind, options, or false
protect("k", ping, { retry: retry(), breaker: circuit, timeout: false, bulkhead: bulkhead({ concurrency: 5, queue: 10 }), cache: false, fallback: false, deadline: false });
// @ts-expect-error a breaker is no retry
protect("k", ping, { retry: breaker() });
// @ts-expect-error a timeout is no bulkhead
protect("k", ping, { bulkhead: timeout("1s") });
// 30 by hand: fallback and deadline
pipe(fetchUser1, timeout("1s"), fallback([async (id: string) => ({ id, name: "?" })]), deadline("3s"))("x").then((x) => x.name);
// 31 a policy, looked at and changed
explain(stripe).length; configure(stripe, { breaker: { failureRate: 0.3 } })();
// 32 one's own primitive; one's own test
import { defineWrapper } from "holdfast"; import { testClock, script, record, seams } from "holdfast/testing";
const once2 = defineWrapper("once", z.strictObject({ per: z.number() }), { per: 1 }, ({ per }, { refuse }) => { let n = 0; return { bracket: { before: ({ input }) => { if (n++ > per) refuse(new HoldfastError("no")); return input; } }, state: () => n }; });
pipe(fetchUser1, once2, retry())("x").then((x) => x.name);
{ const clock = testClock(); using _ = seams({ clock }); const seen = record(); const shaky = script<number>({ error: new Error("x") }, { value: 1, after: "50ms" }, "never"); const call = protect("s", shaky, { retry: {} }); call(undefined); await clock.advance("1s"); seen.of("retry.scheduled")[0]?.delayMs; shaky.calls.length; }
