import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallContext,
  configure,
  deadline,
  defineWrapper,
  fallback,
  gate,
  guard,
  named,
  type OutputRejectedError,
  pipe,
  problem,
  protect,
  ReviewExpiredError,
  ReviewPendingError,
  report,
  retry,
  reviews,
  settled,
  storyOf,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { turn, watch } from "../composition/setup.ts";
import { claims, draft, flagged, only, poor, Report, setup } from "./review-setup.ts";

const better = { title: "tides", claims: ["twice a day"] };

describe("onReject", () => {
  it.each([{}, { onReject: "throw" }] as const)(
    "%o: the call fails with the rejection, and nothing is kept",
    async (own) => {
      const { seen } = setup();
      const call = protect("draft", async (): Promise<unknown> => poor, {
        output: Report,
        gate: { checks: [claims], ...own },
      });
      const error = await call().catch((error) => error);
      expect(error).toMatchObject({ code: "OUTPUT_REJECTED", output: poor });
      expect(await reviews.pending()).toEqual([]);
      expect(seen.of("output.flagged")).toEqual([]);
    },
  );

  it("review: the output is kept and the call rejects at once, as flagged, with the review's id", async () => {
    const { seen } = setup();
    const { ok, story, ...ended } = await settled(draft())("moons", { labels: { request: "7" } });
    const review = await only();
    expect(ended).toMatchObject({ error: { code: "REVIEW_PENDING", reviewId: review.id, cause: { output: poor } } });
    expect({ ok, story }).toMatchObject({ ok: false, story: { state: "flagged", reviewId: review.id } });
    expect(story.failures).toMatchObject([{ kind: "quality", produced: poor }]);
    expect(review).toMatchObject({ name: "draft", input: "moons", output: poor, labels: { request: "7" }, fits: true });
    expect(review.findings).toEqual([{ wanted: "at least one claim" }]);
    expect(seen.events.map(({ type }) => type).slice(-3)).toEqual(["attempt.failed", "output.flagged", "call.settled"]);
    expect(seen.of("output.flagged")).toMatchObject([
      { reviewId: review.id, call: story.id, findings: review.findings, severity: "warning" },
    ]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "flagged" }]);
  });

  it("review: whoever gets the error can read what now, and answer 202", async () => {
    setup();
    const error = await draft()("x").catch((error) => error);
    expect(error).toBeInstanceOf(ReviewPendingError);
    expect(error.message).toBe(`"draft" waits for a person's verdict: review ${error.reviewId}.`);
    expect(report(error)).toContain(`Now: a person decides on review ${error.reviewId}.`);
    expect(problem(error)).toMatchObject({ status: 202 });
    expect(storyOf(error)?.state).toBe("flagged");
  });

  it("keeps nothing where a later attempt, a later tier or `otherwise` gave a value", async () => {
    const { clock } = setup();
    const answers = () => script<unknown>({ value: poor }, { value: better });
    const options = { output: Report, gate: { checks: [claims], onReject: "review" } } as const;
    const calls = [
      protect("draft", answers(), { ...options, retry: {} }),
      protect("draft", script<unknown>({ value: poor }), { ...options, fallback: [async () => better] }),
      pipe(
        script<unknown>({ value: poor }),
        gate(Report, { checks: [claims], onReject: "review" }),
        fallback<string, z.output<typeof Report>>([script({ error: new Error("down") })], { otherwise: () => better }),
      ),
    ];
    const ended = calls.map((call) => call("x"));
    await clock.advance("1m");
    expect(await Promise.all(ended)).toEqual([better, better, better]);
    expect(await reviews.pending()).toEqual([]);
  });

  it("keeps the one that was refused last, in whichever tier, with its input", async () => {
    const { clock, seen } = setup();
    const call = protect(
      "draft",
      script<unknown>({ value: { ...poor, title: "1" } }, { value: { ...poor, title: "2" } }),
      {
        output: Report,
        gate: { checks: [claims], onReject: "review" },
        retry: { attempts: 2 },
        fallback: [script<unknown>({ value: { ...poor, title: "3" } })],
      },
    );
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({ error: { code: "REVIEW_PENDING", cause: { code: "FALLBACK_EXHAUSTED" } } });
    expect(await only()).toMatchObject({ input: "x", output: { title: "3" } });
    expect(seen.of("output.rejected")).toHaveLength(3);
    expect(seen.of("output.flagged")).toHaveLength(1);
  });

  it.each([
    ["failed otherwise", script<unknown>({ error: new Error("down") })],
    ["threw a mistake of its own", script<unknown>({ error: new TypeError("x is not a function") })],
    ["was too slow", async () => new Promise<unknown>(() => {})],
  ])("keeps it also when a later tier %s", async (_, tier) => {
    const { clock } = setup();
    const call = protect("draft", script<unknown>({ value: poor }), {
      output: Report,
      gate: { checks: [claims], onReject: "review" },
      fallback: [{ name: "later", operation: tier }],
      timeout: "1s",
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: false, error: { code: "REVIEW_PENDING" }, story: { state: "flagged" } });
    expect(await only()).toMatchObject({ output: poor });
  });

  it("keeps it also when the deadline comes before another answer", async () => {
    const { clock } = setup();
    const call = protect("draft", script<unknown>({ value: poor }, "never"), {
      output: Report,
      gate: { checks: [claims], onReject: { await: "5m" } },
      retry: {},
      deadline: "10s",
    });
    const ended = settled(call)("x");
    await clock.advance("10s");
    expect(await ended).toMatchObject({ error: { code: "REVIEW_PENDING", cause: { code: "DEADLINE_EXCEEDED" } } });
    expect(await only()).toMatchObject({ output: poor });
  });

  it("keeps nothing when the caller aborts, and rejects with his reason", async () => {
    const { clock, caller, seen } = setup();
    const controller = caller();
    const call = protect("draft", script<unknown>({ value: poor }, "never"), {
      output: Report,
      gate: { checks: [claims], onReject: "review" },
      retry: { base: 1, jitter: "none" },
    });
    const ended = settled(call)("x", { signal: controller.signal });
    await clock.advance(10);
    controller.abort("gone");
    expect(await ended).toMatchObject({ error: "gone", story: { state: "cancelled" } });
    expect(await reviews.pending()).toEqual([]);
    expect(seen.of("output.flagged")).toEqual([]);
  });

  it("keeps nothing where no output was refused", async () => {
    setup();
    const call = protect("draft", async () => Promise.reject(new Error("down")), {
      output: Report,
      gate: { onReject: "review" },
    });
    expect(await settled(call)()).toMatchObject({ error: { message: "down" }, story: { state: "failed" } });
    expect(await reviews.pending()).toEqual([]);
  });

  it("can be changed while it runs, and what a guard calls secret is hidden then too", async () => {
    setup();
    const call = protect("draft", async (_: unknown): Promise<unknown> => poor, {
      guard: { secret: ["key"] },
      output: Report,
      gate: { checks: [claims] },
    });
    const undo = configure(call, { gate: { onReject: "review" } });
    expect(await flagged(call({ key: "sk-1" }))).toMatchObject({ input: { key: "[secret]" } });
    undo();
    expect(await settled(call)({ key: "sk-2" })).toMatchObject({ error: { code: "OUTPUT_REJECTED" } });
  });

  it("what a guard calls secret is hidden also where only a tier keeps what it refuses", async () => {
    setup();
    const tier = pipe(
      async (_: { key: string }): Promise<unknown> => poor,
      gate(Report, { checks: [claims], onReject: "review" }),
    );
    const call = protect("draft", async (_: { key: string }): Promise<unknown> => Promise.reject(new Error("down")), {
      ...{ guard: { secret: ["key"] }, fallback: [{ name: "copy", operation: tier }] },
    });
    expect(await flagged(call({ key: "sk-1" }))).toMatchObject({ input: { key: "[secret]" } });
  });

  it("an output refused after the call has ended is kept by nobody", async () => {
    const { clock } = setup();
    const late = Promise.withResolvers<string>();
    const call = protect("draft", async () => poor, {
      output: Report,
      gate: { checks: [() => late.promise], onReject: "review" },
      deadline: "1s",
    });
    const ended = settled(call)();
    await clock.advance("1s");
    expect(await ended).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    late.resolve("too late");
    await turn();
    expect(await reviews.pending()).toEqual([]);
  });
});

describe("onReject behind a cache", () => {
  const shared = (onReject: "review" | { await: "5m" }, operation: () => Promise<unknown> = async () => poor) =>
    protect("draft", async (_: string) => operation(), {
      cache: { ttl: "1h" },
      output: Report,
      gate: { checks: [claims], onReject },
      retry: { attempts: 2, base: 1 },
    });

  it("all who ask the same wait for one verdict, and what a person approved is not kept for others", async () => {
    const { clock, seen } = setup();
    const call = shared({ await: "5m" });
    const ended = [settled(call)("x"), settled(call)("x")];
    await clock.advance("1m");
    const { id } = await only();
    await reviews.decide(id, { verdict: "approve" }, "ada");
    for (const one of await Promise.all(ended))
      expect(one).toMatchObject({ ok: true, value: poor, story: { state: "flagged", reviewId: id } });
    const later = call("x").catch((error) => error.code);
    await clock.advance("10m");
    expect(await later).toBe("REVIEW_PENDING");
    expect(seen.of("cache.hit")).toEqual([]);
  });

  it("what a person rejected, or did not decide on in time, is an error for all and is not kept either", async () => {
    const { clock } = setup();
    const call = shared({ await: "5m" });
    const rejected = [settled(call)("x"), settled(call)("x")];
    await clock.advance("1m");
    await reviews.decide((await only()).id, { verdict: "reject", reason: "no" }, "ada");
    for (const one of await Promise.all(rejected))
      expect(one).toMatchObject({ ok: false, error: { code: "OUTPUT_REJECTED" } });
    const late = [settled(call)("x"), settled(call)("x")];
    await clock.advance("10m");
    for (const one of await Promise.all(late))
      expect(one).toMatchObject({ ok: false, error: { code: "REVIEW_PENDING" } });
  });

  it("nothing is kept for review where a later attempt of the shared run gave a value", async () => {
    const { clock } = setup();
    const answers = script<unknown>({ value: poor }, { value: better });
    const call = shared("review", () => answers(undefined, undefined as never));
    const ended = Promise.all([settled(call)("x"), settled(call)("x")]);
    await clock.advance("1m");
    for (const one of await ended)
      expect(one).toMatchObject({ ok: true, value: better, story: { state: "succeeded" } });
    expect(await reviews.pending()).toEqual([]);
  });

  it("the last one whose deadline comes leaves the review, and is told of it", async () => {
    const { clock } = setup();
    const call = shared({ await: "5m" });
    const first = watch(settled(call)("x", { deadline: "1m" }));
    const second = watch(settled(call)("x", { deadline: "2m" }));
    await clock.advance("1m");
    expect(first.at).toMatchObject({ value: { ok: false } });
    expect(second.at).toBeUndefined();
    await clock.advance("1m");
    const { id } = await only();
    expect(second.at).toMatchObject({ value: { error: { reviewId: id }, story: { state: "flagged", reviewId: id } } });
    expect(clock.sleepers).toBe(1); // of its expiry
  });

  it("an abort of the only one ends the wait, and the review stays", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const ended = watch(settled(shared({ await: "5m" }))("x", { signal: controller.signal }));
    await clock.advance("1m");
    controller.abort("gone");
    await turn();
    expect(ended.at).toMatchObject({ value: { error: "gone", story: { state: "cancelled" } } });
    await only();
    expect(clock.sleepers).toBe(1);
  });

  it("the deadline before another answer: kept, and the call's own story has the review", async () => {
    const { clock } = setup();
    const operation = script<unknown>({ value: poor }, "never");
    const ended = settled(shared("review", () => operation("x", undefined as never)))("x", { deadline: "1m" });
    await clock.advance("1m");
    const { id } = await only();
    expect(await ended).toMatchObject({ error: { reviewId: id }, story: { state: "flagged", reviewId: id } });
  });
});

describe("onReject in a pipe", () => {
  const keeps = gate(Report, { checks: [claims], onReject: "review" });

  it.each([
    ["retry outside", pipe(async (_: string) => poor as unknown, keeps, retry({ attempts: 2, base: 1 }))],
    [
      "timeout and retry outside",
      pipe(async (_: string) => poor as unknown, keeps, retry({ attempts: 2, base: 1 }), timeout("5s")),
    ],
    [
      "a deadline as a scope, and a breaker outside",
      pipe(async (_: string) => poor as unknown, keeps, deadline("5s"), breaker()),
    ],
    ["a guard outside", pipe(async (_: string) => poor as unknown, keeps, guard(z.string()))],
    [
      "a fallback outside",
      pipe(
        async (_: string) => poor as unknown,
        keeps,
        fallback<string, Report>([script({ error: new Error("down") })]),
      ),
    ],
    [
      "its own name",
      pipe(
        named("own", async (_: string) => poor as unknown),
        keeps,
      ),
    ],
  ])("belongs to the whole stack: %s", async (_, call) => {
    const { clock, seen } = setup();
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({ error: { code: "REVIEW_PENDING" }, story: { state: "flagged" } });
    expect(await only()).toMatchObject({ input: "x", output: poor, name: seen.of("call.settled")[0]?.name });
  });

  it("a person's output still has the form that gates outside ask for", async () => {
    setup();
    const Short = z.object({ title: z.string().max(10) });
    const call = pipe(
      async (_: string) => ({ title: "a comprehensive title", claims: [] }) as unknown,
      keeps,
      retry({ attempts: 1 }),
      gate(Short),
    );
    const review = await flagged(call("x"));
    expect(review.fits).toBeUndefined();
    const error = await reviews.decide(review.id, { verdict: "approve" }, "ada").catch((error) => error);
    expect(error).toMatchObject({ code: "REVIEW_CONFLICT", why: "unfit", findings: [{ path: "title" }] });
    await reviews.decide(review.id, { verdict: "amend", output: { title: "tides", claims: [] } }, "ada");
    expect(await reviews.pending()).toEqual([]);
  });

  it("a gate in a tier of its own keeps for the call that it is a tier of", async () => {
    setup();
    const tier = pipe(async (_: string) => poor as unknown, keeps);
    const call = protect("draft", async (_: string): Promise<unknown> => Promise.reject(new Error("down")), {
      fallback: [tier],
    });
    const review = await flagged(call("x"));
    expect(review).toMatchObject({ name: "draft", output: poor });
  });

  it("a layer outside may still give a value: then nothing is kept", async () => {
    setup();
    const instead = defineWrapper("instead", z.undefined(), undefined, () => ({
      recovery: { recover: () => Promise.resolve(poor) },
    }));
    expect(await pipe(async (_: string) => poor as unknown, keeps, instead)("x")).toEqual(poor);
    expect(await reviews.pending()).toEqual([]);
  });
});

describe("onReject: { await }", () => {
  it("approved: gives exactly what was shown, as flagged, with the review's id", async () => {
    const { seen, clock } = setup();
    const given = structuredClone(poor);
    const ended = settled(draft(given, { await: "5m" }))("x");
    await turn();
    const review = await only();
    given.title = "changed since";
    (review.output as Report).title = "changed by who was shown it";
    await clock.advance("2m");
    await reviews.decide(review.id, { verdict: "approve" }, "ada");
    expect(await ended).toMatchObject({ ok: true, value: poor, story: { state: "flagged", reviewId: review.id } });
    expect(seen.events.map(({ type }) => type).slice(-3)).toEqual(["output.flagged", "review.decided", "call.settled"]);
    expect(seen.of("review.decided")).toMatchObject([
      { reviewId: review.id, verdict: "approved", by: "ada", name: "draft", call: review.id },
    ]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "flagged", elapsedMs: 120_000 }]);
  });

  it("amended: gives what the schema makes of the amended output", async () => {
    setup();
    const call = protect("count", async (): Promise<unknown> => ({ n: 3 }), {
      output: z.object({ n: z.string().transform(Number) }),
      gate: { onReject: { await: "5m" } },
    });
    const ended = settled(call)();
    await turn();
    const review = await only();
    expect(review).toMatchObject({ output: { n: 3 }, fits: false });
    await reviews.decide(review.id, { verdict: "amend", output: { n: "4" } }, "ada");
    expect(await ended).toMatchObject({ ok: true, value: { n: 4 }, story: { state: "flagged" } });
  });

  it("what only a check refused is shown, and delivered, as the schema made it", async () => {
    setup();
    const call = protect("count", async (): Promise<unknown> => 'Sure: {"n": "3", "more": 1}', {
      output: z.object({ n: z.string().transform(Number) }),
      gate: { repair: ["json"], checks: [() => "better"], onReject: { await: "5m" } },
    });
    const ended = settled(call)();
    await turn();
    const review = await only();
    expect(review).toMatchObject({ output: { n: 3 }, fits: true });
    await reviews.decide(review.id, { verdict: "approve" }, "ada");
    expect(await ended).toMatchObject({ ok: true, value: { n: 3 } });
  });

  it("rejected: fails with the person's reason before what the gate found", async () => {
    setup();
    const ended = settled(draft(poor, { await: "5m" }))("x");
    await turn();
    const { id } = await only();
    await reviews.decide(id, { verdict: "reject", reason: "no sources" }, "ada");
    const { story, ...rest } = await ended;
    expect(rest).toMatchObject({ error: { code: "OUTPUT_REJECTED", output: poor } });
    expect((rest as { error: OutputRejectedError }).error.findings).toEqual([
      { wanted: "no sources" },
      { wanted: "at least one claim" },
    ]);
    expect(story).toMatchObject({ state: "failed", reviewId: id });
    expect(await reviews.pending()).toEqual([]);
  });

  it("the time is up: rejects as pending, and the review stays", async () => {
    const { clock } = setup();
    const ended = watch(draft(poor, { await: "5m" })("x"));
    await clock.advance(299_999);
    expect(ended.at).toBeUndefined();
    await clock.advance(1);
    expect(ended.at).toMatchObject({ error: { code: "REVIEW_PENDING" } });
    expect(await only()).toMatchObject({ output: poor });
  });

  it.each([
    ["its own", { deadline: "2m" } as const, undefined],
    ["the caller's", {}, { deadline: "2m" } as const],
  ])("never waits beyond the deadline: %s", async (_, declared, said) => {
    const { clock } = setup();
    const call = protect("draft", async (): Promise<unknown> => poor, {
      ...declared,
      output: Report,
      gate: { checks: [claims], onReject: { await: "5m" } },
    });
    const ended = watch(settled(call)(undefined, said));
    await clock.advance("2m");
    expect(ended.at).toMatchObject({ value: { error: { code: "REVIEW_PENDING" }, story: { state: "flagged" } } });
    expect(await only()).toMatchObject({ output: poor });
  });

  it.each([true, false])("an abort ends the wait at once, and the review stays (watched: %s)", async (watched) => {
    const { caller } = setup({ watched });
    const controller = caller();
    const ended = watch(settled(draft(poor, { await: "5m" }))("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await turn();
    expect(ended.at).toMatchObject({ value: { error: "gone", story: { state: "cancelled" } } });
    expect(await only()).toMatchObject({ output: poor });
  });

  it("a verdict in the very turn of the abort is not lost: it goes to the handler", async () => {
    const { caller } = setup();
    const controller = caller();
    const seen: unknown[] = [];
    reviews.onDecision("draft", async ({ id }, decision) => void seen.push([id, decision]));
    const ended = watch(draft(poor, { await: "5m" })("x", { signal: controller.signal }));
    await turn();
    const { id } = await only();
    const deciding = reviews.decide(id, { verdict: "approve" }, "ada");
    controller.abort("gone");
    await deciding;
    await turn();
    expect(ended.at).toEqual({ error: "gone" });
    expect(seen).toEqual([[id, { verdict: "approve" }]]);
  });

  it("no handler hears of a verdict that its call got", async () => {
    setup();
    const heard: unknown[] = [];
    reviews.onDecision("draft", async (review) => void heard.push(review));
    const ended = draft(poor, { await: "5m" })("x");
    await turn();
    await reviews.decide((await only()).id, { verdict: "approve" }, "ada");
    expect(await ended).toEqual(poor);
    await turn();
    expect(heard).toEqual([]);
  });

  it("expired while it is waited for: not approved, with an error of its own", async () => {
    const { clock, seen } = setup();
    reviews.keep({ for: "1m" });
    const ended = watch(draft(poor, { await: "5m" })("x"));
    await clock.advance("1m");
    expect(ended.at).toMatchObject({ error: expect.any(ReviewExpiredError) });
    expect(seen.of("review.decided")).toMatchObject([{ verdict: "expired" }]);
  });

  it("asks the model for nothing again", async () => {
    const { clock } = setup();
    const model = script<unknown>({ value: poor }, { value: poor });
    const call = protect("draft", model, {
      output: Report,
      gate: { checks: [claims], onReject: { await: "5m" } },
      retry: { attempts: 2 },
    });
    const ended = call("x");
    await clock.advance("1m");
    await reviews.decide((await only()).id, { verdict: "approve" }, "ada");
    expect(await ended).toEqual(poor);
    expect(model.calls).toHaveLength(2);
  });

  it("a second review within one call works like the first", async () => {
    setup();
    const step = draft(poor, { await: "5m" }, "step");
    const outer = protect("outer", async (_: undefined, context: CallContext) => {
      const first = await step("first", context);
      const second = await step("second", context);
      return [first, second];
    });
    const ended = settled(outer)(undefined);
    await turn();
    const first = await only();
    await reviews.decide(first.id, { verdict: "approve" }, "ada");
    await turn();
    const second = await only();
    expect(second.id).not.toBe(first.id);
    await reviews.decide(second.id, { verdict: "amend", output: better }, "ada");
    const { story, ...rest } = await ended;
    expect(rest).toEqual({ ok: true, value: [poor, better] });
    expect(story.children).toMatchObject([
      { state: "flagged", reviewId: first.id },
      { state: "flagged", reviewId: second.id },
    ]);
  });

  it("ends with the call in which it is made", async () => {
    const { clock } = setup();
    const inner = draft(poor, { await: "5m" }, "inner");
    const outer = protect("outer", async (_: undefined, context: CallContext) => inner("x", context), {
      timeout: "10s",
    });
    const ended = watch(settled(outer)(undefined));
    await clock.advance("10s");
    expect(ended.at).toMatchObject({ value: { error: { code: "TIMEOUT" } } });
    await turn();
    expect(await only()).toMatchObject({ name: "inner" });
  });

  it("goes on in its caller's own async context, whoever decides", async () => {
    setup();
    const who = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const ended = who.run("caller", async () => {
      await draft(poor, { await: "5m" })("x");
      seen.push(who.getStore());
    });
    await turn();
    const { id } = await only();
    await who.run("reviewer", () => reviews.decide(id, { verdict: "approve" }, "ada"));
    await ended;
    expect(seen).toEqual(["caller"]);
  });

  it("the attempt took as long as it took, not as long as the person", async () => {
    const { clock } = setup({ watched: false });
    const ended = settled(draft(poor, { await: "5m" }))("x");
    await clock.advance("3m");
    await reviews.decide((await only()).id, { verdict: "approve" }, "ada");
    const { story } = await ended;
    expect(story).toMatchObject({ elapsedMs: 180_000, failures: [{ elapsedMs: 0 }] });
  });

  it("ten thousand waits on one signal leave nothing on it, and no timer", async () => {
    const { caller, clock } = setup({ watched: false });
    reviews.keep({ max: 10_000 });
    const { signal } = caller();
    const call = draft(poor, { await: "5m" });
    const ended = Promise.all(Array.from({ length: 10_000 }, (_, i) => call(`${i}`, { signal })));
    await turn();
    const waiting = await reviews.pending();
    expect(waiting).toHaveLength(10_000);
    await Promise.all(waiting.map(({ id }) => reviews.decide(id, { verdict: "approve" }, "ada")));
    expect(await ended).toHaveLength(10_000);
    expect(clock.sleepers).toBe(0);
  });
});
