import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  gate,
  type Judged,
  judge,
  type Opinion,
  OptionsInvalidError,
  type OutputRejectedError,
  protect,
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

  it("an opinion that cannot be had passes nothing: it is a finding, and a tier may answer", async () => {
    setup();
    const down = async () => {
      throw Object.assign(new Error("overloaded"), { status: 529 });
    };
    const call = gate(z.unknown(), { checks: [judge(down, { threshold: 1 })] })(async () => "text");
    await expect(call(undefined)).rejects.toMatchObject({
      findings: [{ wanted: "a second opinion, which could not be had (overloaded)" }],
    });
  });

  it.each([Number.NaN, undefined, "1", {}, null])("a score that is none passes nothing: %s", async (score) => {
    setup();
    const call = gate(z.unknown(), { checks: [judge(async () => score as never, { threshold: 0 })] })(async () => "x");
    await expect(call(undefined)).rejects.toMatchObject({ findings: [{ wanted: "a second opinion with a score" }] });
  });

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
    expect(() => judge("critic" as never, { threshold: 1 })).toThrow(/operation/);
  });
});
