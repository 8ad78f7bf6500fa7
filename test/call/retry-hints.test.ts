// What a hint to wait, an open breaker and a tier that is ready mean to a retry.
import { describe, expect, it } from "vitest";
import { breaker, type Operation, pipe, protect, type RetryOptions, retry, settled } from "../../src/index.ts";
import { script, seams } from "../../src/testing/index.ts";
import { setup, turn, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });

function limited(headers: Record<string, string>): Error {
  return Object.assign(new Error("slow down"), { status: 429, headers: new Headers(headers) });
}

/** Fails once with this error; the retry waits 100 ms of its own accord. */
function hinted(error: unknown, options: RetryOptions & { deadline?: number } = {}) {
  const { deadline, ...own } = options;
  const { clock, seen } = setup();
  const operation = script<string>({ error }, { value: "ok" });
  const call = protect("model", operation, { retry: { jitter: "none", ...own }, ...(deadline && { deadline }) });
  return { clock, seen, operation, answered: watch(call("x")) };
}

const seconds = (s: number) => new Date(s * 1_000).toUTCString();

describe("`Retry-After`", () => {
  it.each([
    { said: "as seconds", headers: { "retry-after": "3" } },
    // the clock of a test starts at the epoch
    { said: "as date", headers: { "retry-after": seconds(3) } },
    { said: "as milliseconds", headers: { "retry-after-ms": "3000" } },
  ])("is read $said, and kept to by the millisecond", async ({ headers }) => {
    const { clock, seen, operation, answered } = hinted(limited(headers));
    await clock.advance(2_999);
    expect(operation.calls).toHaveLength(1);
    await clock.advance(1);
    expect(answered.at).toEqual({ value: "ok" });
    expect(seen.of("retry.scheduled")).toMatchObject([{ attempt: 2, delayMs: 3_000, kind: "rateLimited" }]);
  });

  it.each([
    { said: "soon" },
    { said: "-3" },
    { said: "" },
    { said: "Wed, 99 Foo" },
    // at once is no plan for a hundred callers
    { said: "0" },
    { said: seconds(-100) },
  ])("that is unreadable or negative, or none, falls back to our own delay: $said", async ({ said }) => {
    const { seen, clock, answered } = hinted(limited({ "retry-after": said }));
    await clock.advance(100);
    expect(answered.at).toEqual({ value: "ok" });
    expect(seen.of("retry.scheduled")).toMatchObject([{ delayMs: 100 }]);
  });

  it("beyond the deadline rejects at once", async () => {
    const error = limited({ "retry-after": "3" });
    const { operation, answered, seen } = hinted(error, { deadline: 3_000 });
    await turn();
    expect(answered.at).toEqual({ error });
    expect(operation.calls).toHaveLength(1);
    expect(seen.of("retry.exhausted")).toEqual([]); // there were attempts left
    expect(seen.of("call.settled")).toMatchObject([{ state: "failed", elapsedMs: 0 }]);
  });

  it("beyond `maxElapsed` rejects at once", async () => {
    const error = limited({ "retry-after": "3" });
    const { answered } = hinted(error, { maxElapsed: "2s" });
    await turn();
    expect(answered.at).toEqual({ error });
  });

  it("of a Response is read too", async () => {
    const { clock } = setup();
    const busy = new Response(null, { status: 503, headers: { "retry-after": "3" } });
    const operation = script({ value: busy }, { value: new Response("ok") });
    const answered = watch(pipe(operation as Operation<string, Response>, retry())("x"));
    await clock.advance(2_999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    expect(answered.at).toMatchObject({ value: { status: 200 } });
  });
});

describe("a hint to wait", () => {
  // patience 1 s, cap 20 s
  it.each([
    { ms: 1_000, tier: "ready", end: "is waited for" },
    { ms: 1_001, tier: "ready", end: "sends the call to the tier at once" },
    { ms: 403_973_000, tier: "ready", end: "sends the call to the tier at once" },
    { ms: 20_000, tier: "none", end: "is waited for" },
    { ms: 20_001, tier: "none", end: "ends the call at once" },
    { ms: 20_000, tier: "not ready", end: "is waited for" },
  ])("of $ms ms, with the next tier $tier, $end", async ({ ms, tier, end }) => {
    const { clock, seen } = setup();
    const error = limited({ "retry-after-ms": `${ms}` });
    const operation = script<string>({ error }, { value: "again" });
    const closed = breaker();
    if (tier === "not ready") closed.isolate();
    const other = pipe(async (_: string) => "other", closed);
    const answered = watch(
      protect("model", operation, { retry: {}, ...(tier !== "none" && { fallback: [other] }) })("x"),
    );
    await turn();
    if (end === "is waited for") {
      expect(answered.at).toBeUndefined();
      await clock.advance(ms - 1);
      expect(answered.at).toBeUndefined();
      await clock.advance(1);
      expect(answered.at).toEqual({ value: "again" });
      expect(seen.of("retry.scheduled")).toMatchObject([{ delayMs: ms }]);
    } else {
      expect(answered.at).toEqual(end === "ends the call at once" ? { error } : { value: "other" });
      expect(seen.of("retry.scheduled")).toEqual([]);
    }
  });

  it("within `patience` is waited for only where the deadline allows: else the next tier at once", async () => {
    setup();
    const operation = script<string>({ error: limited({ "retry-after-ms": "900" }) });
    const call = protect("model", operation, { deadline: 900, retry: {}, fallback: [async () => "other"] });
    const answered = watch(call("x"));
    await turn();
    expect(answered.at).toEqual({ value: "other" });
  });

  it("is not shortened by `cap`, nor waited for beyond it", async () => {
    const { answered } = hinted(limited({ "retry-after": "3" }), { cap: "2s" });
    await turn();
    expect(answered.at).toMatchObject({ error: { status: 429 } });
  });
});

describe("our own back-off", () => {
  it("above `patience` gives way to a tier that is ready", async () => {
    const { clock, seen } = setup();
    const operation = script<string>({ error: down }, { error: down });
    const options = { base: 600, jitter: "none", attempts: 5 } as const; // 600, then 1,200
    const answered = watch(protect("model", operation, { retry: options, fallback: [async () => "other"] })("x"));
    await clock.advance(600);
    expect(answered.at).toEqual({ value: "other" });
    expect(seen.of("retry.scheduled")).toMatchObject([{ delayMs: 600 }]);
    expect(operation.calls).toHaveLength(2);
  });

  it("is not waited for where the deadline comes first: the call ends at once, with its failure", async () => {
    const { answered, operation } = hinted(down, { base: 500, deadline: 500 });
    await turn();
    expect(answered.at).toEqual({ error: down });
    expect(operation.calls).toHaveLength(1);
  });
});

describe("while the breaker is open, retry does not burn its attempts on it", () => {
  /** Opened by one failure, for so long. */
  function open(breakMs: number, options: { deadline?: number; patience?: number } = {}) {
    const { deadline, patience } = options;
    const { clock, seen } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: breakMs });
    const operation = script<string>({ error: down }, { value: "ok" });
    const call = protect("model", operation, {
      breaker: circuit,
      retry: { attempts: 2, base: 0, ...(patience !== undefined && { patience }) },
      ...(deadline && { deadline }),
    });
    return { clock, seen, operation, call, opened: settled(pipe(operation, circuit))("x") };
  }

  it("one wait when the probe is at most `patience` away and the deadline allows", async () => {
    const { clock, seen, operation, call, opened } = open(800);
    await opened;
    const ended = settled(call)("x");
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: true, value: "ok", story: { attempts: 1 } });
    expect(operation.calls).toHaveLength(2);
    const waits = seen.of("retry.scheduled");
    expect(waits).toMatchObject([{ attempt: 1, kind: "notAdmitted" }]);
    // between the probe and the end of the patience: not all callers at once
    expect(waits[0]?.delayMs).toBe(900);
  });

  it.each([
    { why: "the probe is further away than `patience`", breakMs: 1_001, options: {} },
    { why: "the declared `patience` is shorter", breakMs: 200, options: { patience: 100 } },
    { why: "there is none", breakMs: 200, options: { patience: 0 } },
    { why: "the deadline comes first", breakMs: 800, options: { deadline: 800 } },
  ])("else an immediate rejection: $why", async ({ breakMs, options }) => {
    const { seen, operation, call, opened } = open(breakMs, options);
    await opened;
    const answered = watch(call("x"));
    await turn();
    expect(answered.at).toMatchObject({ error: { code: "BREAKER_OPEN", retryAfterMs: breakMs } });
    expect(operation.calls).toHaveLength(1);
    expect(seen.of("retry.scheduled")).toEqual([]);
    expect(seen.of("retry.exhausted")).toEqual([]);
  });

  it("those who wait for the same probe come back spread over their patience, not all at once", async () => {
    const { clock, seen } = setup();
    const draws = [0, 0.25, 0.5, 0.75, 1, 1].flatMap((draw) => [draw, draw]); // asked whether, and how long
    using _ = seams({ random: () => draws.shift() ?? 0 });
    const circuit = breaker({ consecutiveFailures: 1, breakTime: 200 });
    const operation = script<string>({ error: down });
    await settled(pipe(operation, circuit))("x");
    const call = pipe(operation, circuit, retry({ attempts: 1 }));
    for (const deadline of [5_000, 5_000, 5_000, 5_000, 5_000, 400]) watch(call("x", { deadline }));
    await turn();
    // whose deadline is near leaves itself half of what that leaves
    expect(seen.of("retry.scheduled").map(({ delayMs }) => delayMs)).toEqual([200, 400, 600, 800, 1_000, 300]);
    await clock.advance("5s");
  });

  it("an open breaker costs no attempt: after the wait all of them are left", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 2, breakTime: 500 });
    const operation = script<string>({ error: down }, { error: down }, { value: "ok" });
    const opening = pipe(operation, circuit);
    await settled(opening)("x");
    await settled(opening)("x");
    const answered = watch(pipe(operation, circuit, retry({ attempts: 1 }))("x"));
    await clock.advance(750);
    expect(answered.at).toEqual({ value: "ok" });
  });
});
