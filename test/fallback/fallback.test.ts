import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  FallbackExhaustedError,
  fallback,
  guard,
  HoldfastError,
  type ProtectOptions,
  pipe,
  protect,
  settled,
} from "../../src/index.ts";
import { type Script, script } from "../../src/testing/index.ts";
import { moments, refuse, setup, turn, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const missing = Object.assign(new Error("no such user"), { status: 404 });

describe("fallback", () => {
  it("asks nobody else where the operation succeeds", async () => {
    const { seen } = setup();
    const tier = script<string>({ value: "other" });
    const ended = await settled(pipe(script<string>({ value: "own" }), fallback([tier])))("x");
    expect(ended).toMatchObject({ ok: true, value: "own", story: { state: "succeeded", tier: 0 } });
    expect(tier.calls).toEqual([]);
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
  });

  it("asks the tiers in order, until one gives an answer", async () => {
    const { seen } = setup();
    const tiers = [
      script<string>({ error: down }),
      script<string>({ value: "third" }),
      script<string>({ value: "4th" }),
    ];
    const named = tiers.map((operation, i) => ({ name: `tier ${i + 1}`, operation }));
    const call = protect("user", script<string>({ error: down }), { fallback: named });
    expect(await call("ada")).toBe("third");
    expect(tiers.map(({ calls }) => calls.length)).toEqual([1, 1, 0]);
    expect(seen.of("fallback.used")).toMatchObject([
      { from: "user", to: "tier 1", kind: "transient", severity: "warning" },
      { from: "tier 1", to: "tier 2", kind: "transient" },
    ]);
  });

  it("a tier gets the input and all earlier failures", async () => {
    const { clock } = setup();
    const input = { topic: "tides" };
    const [first, second] = [script<string>({ error: missing, after: 30 }), script<string>({ value: "ok" })];
    const when = () => true;
    const call = protect("draft", script<string>({ error: down, after: 20 }), {
      fallback: [
        { name: "gpt", operation: first },
        { name: "template", operation: second, when },
      ],
      deadline: "1s",
    });
    const answered = watch(call(input));
    await clock.advance(50);
    expect(answered.at).toEqual({ value: "ok" });
    expect([first, second].map(({ calls }) => calls[0]?.input)).toEqual([input, input]);
    expect(first.calls[0]?.input).toBe(input);
    // the hand-off record: what was tried, why it failed, how long; and how much time is left
    const [{ context }] = second.calls as [Script["calls"][0]];
    const { previous, remainingMs } = context;
    expect(previous).toMatchObject([
      { error: down, kind: "transient", tier: 0, tierName: "draft", attempt: 1, startedAt: 0, elapsedMs: 20 },
      { error: missing, kind: "invalid", tier: 1, tierName: "gpt", attempt: 1, startedAt: 20, elapsedMs: 30 },
    ]);
    expect(remainingMs()).toBe(950);
  });

  it("hands on what was produced and refused", async () => {
    setup();
    const tier = script<string>({ value: "a whole answer" });
    const whole = (text: string) => (text.startsWith("a whole") ? undefined : "a whole answer");
    const call = protect("draft", async (_: string) => "half an ans", {
      gate: { checks: [whole] },
      fallback: [tier],
    });
    expect(await call("x")).toBe("a whole answer");
    expect(tier.calls[0]?.context.previous).toMatchObject([{ kind: "quality", produced: "half an ans" }]);
  });

  it("a caller's cancellation reaches no tier, even when `when` accepts every error", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const tier = { name: "other", operation: script<string>({ value: "other" }), when: () => true };
    const call = pipe(script<string>({ error: new Error("mine"), after: 100 }), fallback([tier]));
    const answered = watch(call("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: "gone" });
    expect(tier.operation.calls).toEqual([]);
  });

  it("a cancellation while a tier runs ends it, and reaches no further one", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const [running, further] = [script<string>("never"), script<string>({ value: "other" })];
    const call = pipe(script<string>({ error: down }), fallback([running, further]));
    const answered = watch(call("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: "gone" });
    expect(running.calls[0]?.context.signal.reason).toBe("gone");
    expect(further.calls).toEqual([]);
  });

  it("a tier runs once, though the operation first times out and later rejects", async () => {
    const { clock, seen } = setup();
    const tier = script<string>({ value: "other" });
    const operation = async (_: string): Promise<string> => {
      await clock.sleep(5_000);
      throw down;
    };
    const call = protect("user", operation, { timeout: "1s", fallback: [tier] });
    expect([await advanced(call("x"), () => clock.advance("1m")), tier.calls.length]).toEqual(["other", 1]);
    expect(seen.of("fallback.used")).toHaveLength(1);
    expect(seen.of("attempt.ended")).toMatchObject([{ tier: 0, ok: false, lateMs: 4_000 }]);
  });

  it("a primary that succeeds after its tier answered is reported: its effect happened", async () => {
    const { clock, seen } = setup();
    const operation = async (_: string) => {
      await clock.sleep(5_000);
      return "late";
    };
    const call = protect("user", operation, { timeout: "1s", fallback: [script<string>({ value: "other" })] });
    expect(await advanced(call("x"), () => clock.advance("1m"))).toBe("other");
    const [settledEvent] = seen.of("call.settled");
    expect(seen.of("attempt.ended")).toMatchObject([
      { name: "user", call: settledEvent?.call, attempt: 1, tier: 0, ok: true, lateMs: 4_000 },
    ]);
  });

  it("an error that `when` excludes (a 404) reaches the caller unchanged", async () => {
    const { seen } = setup();
    const tier = {
      name: "other",
      operation: script<string>({ value: "other" }),
      when: (f: { error: unknown }) => f.error !== missing,
    };
    await expect(pipe(script<string>({ error: missing }), fallback([tier]))("x")).rejects.toBe(missing);
    expect(tier.operation.calls).toEqual([]);
    expect(seen.of("fallback.skipped")).toMatchObject([{ tier: "other", reason: "condition" }]);
    expect(seen.of("fallback.exhausted")).toEqual([]);
  });

  it("a 404 reaches the tier that asks for it by `when`, whatever tiers without one stand beside it", async () => {
    setup();
    const plain = script<string>({ value: "plain" });
    const asking = { name: "asking", operation: async () => "found elsewhere", when: () => true };
    const call = pipe(script<string>({ error: missing }), fallback([plain, asking]));
    await expect(call("x")).resolves.toBe("found elsewhere");
    expect(plain.calls).toHaveLength(0);
  });

  it("a 404 reaches the caller unchanged without any `when`: the verdict sends it to no tier", async () => {
    setup();
    const tier = script<string>({ value: "other" });
    await expect(pipe(script<string>({ error: missing }), fallback([tier]))("x")).rejects.toBe(missing);
    expect(tier.calls).toEqual([]);
  });

  it("the failure behind a successful fallback is still an event and still counted", async () => {
    const { seen } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = protect("user", script<string>({ error: down }), {
      breaker: circuit,
      fallback: [async () => "other"],
    });
    expect(await settled(call)("x")).toMatchObject({ ok: true, story: { failures: [{ error: down, tier: 0 }] } });
    expect(seen.of("attempt.failed")).toMatchObject([{ tier: 0, attempt: 1, kind: "transient", error: down }]);
    expect(circuit.state.state).toBe("open");
  });

  it("a tier whose own breaker is open is skipped uncalled", async () => {
    const { seen } = setup();
    const own = breaker();
    own.isolate();
    const [closed, last] = [script<string>({ value: "never asked" }), script<string>({ value: "last" })];
    const call = protect("user", script<string>({ error: down }), {
      fallback: [protect("copy", closed, { breaker: own }), { name: "template", operation: last }],
    });
    expect(await settled(call)("x")).toMatchObject({ value: "last", story: { tierName: "template", children: [] } });
    expect(closed.calls).toEqual([]);
    expect(seen.of("fallback.skipped")).toMatchObject([{ tier: "copy", reason: "breakerOpen" }]);
  });

  it("tiers are bounded too: an excess of fallbacks is refused and `FallbackExhausted` lists both failures", async () => {
    setup();
    let running = 0;
    const full = new HoldfastError("the cache is asked too often");
    // a limit of one's own, as `bulkhead` is one
    const one = moments().bracket("one", {
      before: ({ input }) => (running === 1 ? refuse(full) : ++running && input),
      ended: () => void running--,
    });
    const tier = pipe(script<string>("never"), one);
    const call = protect("user", script<string>({ error: down }, { error: down }), {
      fallback: [{ name: "cache", operation: tier }],
    });
    const first = watch(call("x", { signal: new AbortController().signal }));
    await turn();
    expect([first.at, running]).toEqual([undefined, 1]);
    const error = await call("x").catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect((error as FallbackExhaustedError).failures).toMatchObject([
      { error: down, tier: 0, tierName: "user" },
      { error: full, tier: 1, tierName: "cache", kind: "notAdmitted" },
    ]);
  });

  it.each<{ what: string; options: ProtectOptions<undefined, undefined, string, string> }>([
    {
      what: "a tier's `when`",
      options: { fallback: [{ name: "a", operation: async () => "a", when: throwing }, async () => "b"] },
    },
    { what: "a retry's `when`", options: { retry: { when: throwing }, fallback: [async () => "b"] } },
    {
      what: "a check that is part of a tier",
      options: {
        fallback: [pipe(async (_: string) => "a", guard(z.string(), { checks: [throwing] })), async () => "b"],
      },
    },
    { what: "`classify`", options: { classify: throwing, fallback: [async () => "b"] } },
  ])("an error thrown by a predicate is never answered by a fallback: $what", async ({ options }) => {
    const { seen } = setup();
    await expect(protect("user", script<string>({ error: down }), options)("x")).rejects.toThrow(/^in the predicate$/);
    expect(seen.of("attempt.started").filter(({ tier }) => tier > 0)).toEqual([]);
  });

  it("nor is one thrown by a listener: it changes nothing", async () => {
    const { events, seen } = setup();
    events.on("attempt.started", throwing);
    const tier = script<string>({ value: "other" });
    expect(await pipe(script<string>({ value: "own" }), fallback([tier]))("x")).toBe("own");
    expect(tier.calls).toEqual([]);
    expect(seen.of("listener.failed")).toHaveLength(1);
  });
});

function throwing(): never {
  throw new Error("in the predicate");
}

async function advanced<T>(promise: Promise<T>, advance: () => Promise<void>): Promise<T> {
  promise.catch(() => {});
  await advance();
  return promise;
}
