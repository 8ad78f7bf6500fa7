import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  gate,
  type Judged,
  type JudgeOptions,
  judge,
  type Opinion,
  OptionsInvalidError,
  type OutputRejectedError,
  protect,
  reviews,
  type Story,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup, turn } from "../composition/setup.ts";

const Title = z.object({ title: z.string() });

describe("judge", () => {
  it("lets pass what reaches the threshold; below it is a finding with its score", async () => {
    setup();
    const scored = (opinion: Opinion) =>
      protect("draft", async () => "text", { gate: { checks: [judge(async () => opinion, { threshold: 0.7 })] } })();
    expect(await scored(0.7)).toBe("text");
    const findings = (opinion: Opinion) => scored(opinion).catch((error: OutputRejectedError) => error.findings);
    expect(await findings(0.69)).toEqual([{ wanted: "a score of at least 0.7", score: 0.69 }]);
    expect(await findings({ score: 0.1, path: "title", wanted: "shorter", fix: "leave out the date" })).toEqual([
      { path: "title", wanted: "shorter", fix: "leave out the date", score: 0.1 },
    ]);
  });

  it("gets the output as data of its own, beside the input, as the schema gave it", async () => {
    setup();
    const opinion = script<Opinion>({ value: 1 });
    const call = protect("draft", async (_: { topic: string }) => ({ title: "tides", more: 1 }), {
      input: z.object({ topic: z.string().trim() }),
      output: Title,
      gate: { checks: [judge(opinion, { threshold: 1 })] },
    });
    await call({ topic: " tides " });
    expect(opinion.calls[0]?.input).toEqual({ output: { title: "tides" }, input: { topic: "tides" } });
  });

  it("is a call inside the call: its story, its cost, the same deadline and cancellation", async () => {
    const { clock } = setup();
    const opinion = protect("critic", async (_: Judged<unknown>, { cost, deadlineAt }) => {
      cost({ money: 0.01 });
      return deadlineAt === clock.now() + 5_000 ? 1 : 0;
    });
    const call = protect("draft", async () => "text", {
      gate: { checks: [judge(opinion, { threshold: 1 })] },
      deadline: "5s",
    });
    const { ok, story } = await settled(call)();
    expect(ok).toBe(true);
    expect(story.children).toMatchObject([{ name: "critic", state: "succeeded", cost: { money: 0.01 } }]);
  });

  it("is ended with the call's deadline, and nothing unjudged gets out", async () => {
    const { clock, seen } = setup();
    const call = protect("draft", async () => "text", {
      gate: { checks: [judge(script<Opinion>("never"), { threshold: 1 })] },
      deadline: "5s",
    });
    const ended = settled(call)();
    await clock.advance("5s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "DEADLINE_EXCEEDED" } });
    await turn();
    expect(seen.of("output.rejected")).toEqual([]);
  });

  it("a judge that fails is no poor answer: nothing is asked again, its error is the cause, and the kind is its own", async () => {
    const { clock, seen } = setup();
    const down = Object.assign(new Error("overloaded"), { status: 529 });
    const operation = script<string>({ value: "text" }, { value: "text" });
    const tier = script<string>({ value: "by another" });
    const opinion = script<Opinion>({ error: down }, { error: down });
    const call = protect("draft", operation, {
      gate: { checks: [judge(protect("critic", opinion, { retry: { attempts: 2 } }), { threshold: 1 })] },
      retry: { attempts: 3 },
      fallback: [tier],
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    const { error, story } = (await ended) as { error: OutputRejectedError; story: Story };
    expect(error).toMatchObject({
      code: "OUTPUT_REJECTED",
      reason: "unjudged",
      retryable: false,
      output: "text",
      findings: [{ wanted: "a second opinion, which could not be had (overloaded)" }],
    });
    expect(error.cause).toBe(down);
    expect(story.failures).toMatchObject([{ kind: "overloaded", produced: "text" }]);
    expect([operation.calls.length, tier.calls.length, opinion.calls.length]).toEqual([1, 0, 2]);
    expect(seen.of("attempt.failed").filter(({ name }) => name === "draft")).toMatchObject([{ counts: false }]);
  });

  it("what it could not judge is kept for a person, where that is declared, or passes with `onFailure: accept`", async () => {
    setup();
    const down = async () => {
      throw new Error("down");
    };
    const kept = protect("draft", async () => "text", {
      gate: { checks: [judge(down, { threshold: 1 })], onReject: "review" },
    });
    await expect(kept()).rejects.toMatchObject({ code: "REVIEW_PENDING", cause: { reason: "unjudged" } });
    for (const { id } of await reviews.pending()) await reviews.decide(id, { verdict: "reject", reason: "no" }, "ada");
    const passed = protect("draft", async () => "text", {
      gate: { checks: [judge(down, { threshold: 1, onFailure: "accept" })] },
    });
    const { story } = await settled(passed)();
    expect(story).toMatchObject({ state: "succeeded", children: [{ state: "failed" }] });
  });

  it("what another check found wrong is poor quality, also where a judge failed", async () => {
    const { clock } = setup();
    const down = async () => {
      throw new Error("down");
    };
    const operation = script<string>({ value: "text" }, { value: "text" });
    const call = protect("draft", operation, {
      gate: { checks: [judge(down, { threshold: 1 }), () => "longer"] },
      retry: { attempts: 2 },
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    const { error } = (await ended) as { error: OutputRejectedError };
    expect(error.reason).toBeUndefined();
    expect(error.findings.map(({ wanted }) => wanted)).toContain("longer");
    expect(operation.calls).toHaveLength(2);
  });

  it("never hangs a call: its time ends after 30 s, or as declared", async () => {
    const { clock } = setup();
    const hung = (options: Partial<JudgeOptions>) =>
      settled(
        protect("draft", async () => "text", {
          gate: { checks: [judge(script<Opinion>("never"), { threshold: 1, ...options })] },
          timeout: "1s",
        }),
      )();
    const [standard, short] = [hung({}), hung({ timeout: "2s" })];
    await clock.advance("2s");
    expect(await short).toMatchObject({
      ok: false,
      error: { reason: "unjudged", cause: { code: "DEADLINE_EXCEEDED" } },
    });
    await clock.advance("28s");
    const { story } = await standard;
    expect(story.failures).toMatchObject([{ kind: "timeout", error: { reason: "unjudged" } }]);
  });

  it("gets copies: what it writes changes nothing that is delivered, nor what the next attempt is asked", async () => {
    setup();
    const spoil = async ({ output, input }: Judged<{ title: string }>) => {
      output.title = "evil";
      (input as { topic: string }).topic = "evil";
      return 1;
    };
    const input = { topic: "tides" };
    const call = protect("draft", async (_: typeof input) => ({ title: "tides" }), {
      output: Title,
      gate: { checks: [judge(spoil, { threshold: 1 })] },
    });
    expect(await call(input)).toEqual({ title: "tides" });
    expect(input).toEqual({ topic: "tides" });
  });

  it("sees nothing of the input that the guard declares secret, also in a run that several share", async () => {
    setup();
    const opinion = script<Opinion>({ value: 1 }, { value: 1 });
    for (const dedupe of [false, true]) {
      const call = protect("draft", async (_: { topic: string; token: string }) => "text", {
        input: z.object({ topic: z.string(), token: z.string() }),
        guard: { secret: ["token"] },
        gate: { checks: [judge(opinion, { threshold: 1 })] },
        ...(dedupe && { cache: { ttl: "1m", key: ({ topic }: { topic: string }) => topic } }),
      });
      await call({ topic: "tides", token: "hunter2" });
    }
    const shown = { topic: "tides", token: "[secret]" };
    expect(opinion.calls.map(({ input }) => (input as Judged<string>).input)).toEqual([shown, shown]);
  });

  it.each([Number.NaN, undefined, "1", {}, null, 8, -0.1, Number.POSITIVE_INFINITY, { score: 7 }])(
    "a score that is none from 0 to 1 is the judge's own fault, and passes nothing: %s",
    async (score) => {
      setup();
      const check = judge(async () => score as never, { threshold: 0, onFailure: "accept" });
      const operation = script<string>({ value: "x" });
      const { error, story } = (await settled(
        protect("draft", operation, { gate: { checks: [check] }, retry: { attempts: 3 }, fallback: [async () => "y"] }),
      )(undefined)) as { error: OutputRejectedError; story: Story };
      expect(error).toMatchObject({ reason: "unjudged", findings: [{ wanted: expect.stringContaining("0 to 1") }] });
      expect(String(error.cause)).toMatch(/^RangeError: A judge gives a score from 0 to 1, .* this one gave /);
      expect(story.failures).toMatchObject([{ kind: "bug" }]);
    },
  );

  it("a mistake in it ends the call as any mistake of the program does", async () => {
    setup();
    const broken = async () => {
      throw new TypeError("no such thing");
    };
    const call = gate(z.unknown(), { checks: [judge(broken, { threshold: 1 })] })(async () => "text");
    await expect(call(undefined)).rejects.toThrow("no such thing");
  });

  it("is not paid for an output that its benchmark or its schema has refused already", async () => {
    setup();
    const opinion = script<Opinion>({ value: 1 });
    const checks = [judge(opinion, { threshold: 1 })];
    const { findings } = (await gate(Title, { checks, benchmark: { bytes: 3 } })(async () => ({ title: 5 }))(
      undefined,
    ).catch((error: unknown) => error)) as OutputRejectedError;
    expect(findings).toMatchObject([{ wanted: "an output of at most 3 bytes" }, { path: "title" }]);
    await expect(
      gate(Title, { checks, benchmark: { bytes: 3 } })(async () => ({ title: "x" }))(undefined),
    ).rejects.toThrow("bytes");
    expect(opinion.calls).toEqual([]);
  });

  it("throws when made with options that cannot be meant", () => {
    expect(() => judge(async () => 1, {} as never)).toThrow(OptionsInvalidError);
    expect(() => judge(async () => 1, { threshold: "high" } as never)).toThrow(/threshold/);
    for (const threshold of [7, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => judge(async () => 1, { threshold })).toThrow(/threshold/);
    expect(() => judge(async () => 1, { threshold: 1, timeout: 0 })).toThrow(/timeout/);
    expect(() => judge(async () => 1, { threshold: 1, onFailure: "pass" as never })).toThrow(/onFailure/);
    expect(() => judge("critic" as never, { threshold: 1 })).toThrow(/operation/);
  });
});
