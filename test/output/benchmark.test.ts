import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { gate, type OutputRejectedError, prices, protect, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

async function findings(call: Promise<unknown>) {
  return call.then(
    () => [],
    (error: OutputRejectedError) => error.findings,
  );
}

const sized = (output: unknown, bytes: number) =>
  findings(gate(z.unknown(), { benchmark: { bytes } })(async () => output)(undefined));

describe("benchmark", () => {
  it("latency is the attempt's own, from the operation's start: not the waits before it, nor its checks", async () => {
    const { clock, seen } = setup();
    const operation = script({ value: "slow", after: "2s" }, { value: "quick", after: "1s" });
    const call = protect("ask", operation, {
      gate: { benchmark: { latency: "1s" }, checks: [() => clock.sleep(5_000).then(() => undefined)] },
      retry: { base: "3s", jitter: "none" },
    });
    const answer = call(undefined);
    await clock.advance("1m");
    expect(await answer).toBe("quick");
    expect(seen.of("output.rejected")).toMatchObject([
      { attempt: 1, findings: [{ got: "2000 ms", wanted: "an answer within 1 000 ms" }] },
    ]);
  });

  it.each([
    ["text", "höhe", 5],
    ["beyond the basic plane", "🌊", 4],
    ["JSON", { a: "ü" }, 10],
    ["bytes as they are", new Uint8Array(7), 7],
    ["nothing", undefined, 0],
    ["a lone surrogate", "\ud800", 3],
  ])("bytes are those of its text or JSON, in UTF-8: %s", async (_, output, bytes) => {
    setup();
    expect(await sized(output, bytes)).toEqual([]);
    if (bytes > 0)
      expect(await sized(output, bytes - 1)).toMatchObject([
        { got: `${bytes} bytes`, wanted: `an output of at most ${bytes - 1} bytes` },
      ]);
  });

  it("what has no size that can be told does not meet it", async () => {
    setup();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const output of [circle, 1n, () => {}])
      expect(await sized(output, 100)).toEqual([{ wanted: "an output whose size can be told" }]);
  });

  it("money is what `cost` told of this attempt; an attempt of which nothing was told is not judged by it", async () => {
    const { clock } = setup();
    const spent = [[0.2, 0.2], [0.05, 0.05], []];
    const call = protect(
      "ask",
      async (_: void, { cost, attempt }) => {
        for (const money of spent[attempt - 1] ?? []) cost({ money });
        return attempt;
      },
      { gate: { benchmark: { money: 0.1 } }, retry: { attempts: 2 } },
    );
    const ended = settled(call)();
    await clock.advance("1m");
    expect(await ended).toMatchObject({
      ok: true,
      value: 2,
      story: { failures: [{ error: { findings: [{ got: 0.4, wanted: "a cost of at most 0.1" }] } }] },
    });
    spent.reverse();
    expect(await call()).toBe(1);
  });

  it("money of a model without a price is not judged, which an event tells; what is known may be too much all the same", async () => {
    const { seen } = setup();
    onTestFinished(prices.set("known", { input: 1, output: 1 }));
    const asking = (...models: string[]) =>
      protect(
        "ask",
        async (_: void, { cost }) => {
          for (const model of models) cost({ model, inputTokens: 1_000_000 });
          return "answer";
        },
        { gate: { benchmark: { money: 1 } } },
      );
    expect(await asking("known")()).toBe("answer");
    expect(seen.of("output.unpriced")).toEqual([]);
    expect(await asking("known", "new")()).toBe("answer");
    expect(seen.of("output.unpriced")).toMatchObject([{ severity: "warning", attempt: 1, models: ["new"] }]);
    expect(await findings(asking("known", "new", "known")())).toEqual([{ got: 2, wanted: "a cost of at most 1" }]);
    expect(seen.of("output.unpriced")).toHaveLength(1);
  });

  it("tells of all that was not met at once, with what the schema finds", async () => {
    setup();
    const call = gate(z.string(), { benchmark: { bytes: 1, money: 0 } })(async (_: void, { cost }) => {
      cost({ money: 1 });
      return [1, 2];
    });
    expect(await findings(call())).toMatchObject([
      { got: "5 bytes" },
      { got: 1, wanted: "a cost of at most 0" },
      { path: "" },
    ]);
  });
});
