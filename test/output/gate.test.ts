import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallContext,
  type Check,
  gate,
  OptionsInvalidError,
  OutputRejectedError,
  pipe,
  protect,
  retry,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

const Report = z.object({ title: z.string(), figures: z.array(z.coerce.number()).default([]) });

async function refused(call: Promise<unknown>): Promise<OutputRejectedError> {
  const error = await call.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(OutputRejectedError);
  return error as OutputRejectedError;
}

describe("gate", () => {
  it.each([0, null, "schema", {}, () => true])("refuses what is no schema: %s", (schema) => {
    expect(() => gate(schema as never)).toThrow(
      /^The options of "gate" cannot be used\. schema: wanted a Standard Schema/,
    );
  });

  it("gives the caller what the schema makes of the output, whichever tier gave it", async () => {
    setup();
    const operation = script<unknown>({ value: { title: "tides", figures: ["3"] } }, { error: new Error("down") });
    const tier = script<unknown>({ value: { title: "by another" } });
    const call = protect("draft", operation, { output: Report, fallback: [tier] });
    expect(await call("x")).toEqual({ title: "tides", figures: [3] });
    expect(await call("x")).toEqual({ title: "by another", figures: [] });
  });

  it("refuses with the raw output and each finding's path; the value is never returned", async () => {
    const { seen } = setup();
    const output = { title: 5, figures: ["three"], body: "a long text" };
    const error = await refused(pipe(script<unknown>({ value: output }), gate(Report))("x"));
    expect(error).toMatchObject({ code: "OUTPUT_REJECTED", retryable: true });
    expect(error.output).toBe(output);
    expect(error.findings.map(({ path }) => path)).toEqual(["title", "figures.0"]);
    expect(seen.of("output.rejected")).toMatchObject([{ attempt: 1, findings: error.findings, severity: "warning" }]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "failed" }]);
    expect(JSON.stringify(error)).not.toContain("a long text"); // kept for whoever asks, not for every log line
  });

  it("a schema failure is tried again without any further option, with its findings in `previous`", async () => {
    const { clock } = setup();
    const operation = script<unknown>({ value: { titel: "x" } }, { value: { title: "tides" } });
    const call = protect("draft", operation, { output: Report, retry: { attempts: 2 } });
    const answer = call("x");
    await clock.advance("1m");
    expect(await answer).toEqual({ title: "tides", figures: [] });
    expect(operation.calls[1]?.context.previous).toMatchObject([
      { kind: "quality", attempt: 1, produced: { titel: "x" }, error: { findings: [{ path: "title" }] } },
    ]);
  });

  it("when tries are used up the value is never returned, also not where a tier's is poor as well", async () => {
    const { clock } = setup();
    const poor = { value: { title: 1 } };
    const call = protect("draft", script<unknown>(poor, poor), {
      output: Report,
      retry: { attempts: 2 },
      fallback: [script<unknown>(poor)],
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: false, error: { code: "FALLBACK_EXHAUSTED" }, story: { state: "failed" } });
  });

  it("its own checks see what the schema gave, and the attempt's number, so that they can be lenient on the last", async () => {
    const { clock } = setup();
    const seen: [number, number][] = [];
    const enough: Check<z.output<typeof Report>> = async ({ figures }, { attempt }) => {
      seen.push([figures.length, attempt]);
      return figures.length >= 2 || attempt === 3 ? undefined : { path: "figures", wanted: "two figures" };
    };
    const one = { value: { title: "tides", figures: ["3"] } };
    const operation = script<unknown>(one, one, one);
    const call = protect("draft", operation, { output: Report, gate: { checks: [enough] }, retry: {} });
    const answer = call("x");
    await clock.advance("1m");
    expect(await answer).toEqual({ title: "tides", figures: [3] });
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
  });

  it("its own checks see what the operation was asked, typed where it is declared, and may find several things", async () => {
    setup();
    const call = protect("draft", async ({ source }: { source: string }) => `${source} 42 7`, {
      input: z.object({ source: z.string().trim() }),
      output: z.string(),
      gate: {
        checks: [
          (text, _, { source }) => (text.match(/\d+/g) ?? []).filter((figure) => !source.includes(figure)),
          async (text, { attempt }, { source }) => (text.startsWith(source) && attempt === 1 ? [] : "the source"),
        ],
      },
    });
    const { findings } = await refused(call({ source: " tides rise by 7 m " }));
    expect(findings).toEqual([{ wanted: "42" }]);
    expect(await call({ source: "42 7" })).toBe("42 7 42 7");
  });

  it("all checks are asked, and all findings told, a sentence or a finding", async () => {
    setup();
    const checks: Check<unknown>[] = [
      () => "a source",
      async () => ({ path: "title", wanted: "shorter" }),
      () => undefined,
    ];
    const { findings } = await refused(protect("x", async () => "text", { gate: { checks } })());
    expect(findings).toEqual([{ wanted: "a source" }, { path: "title", wanted: "shorter" }]);
  });

  it("a poor output is no outage: it counts in no breaker, and is an ordinary failure to a retry outside", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const operation = script<unknown>({ value: 1 }, { value: 2 }, { value: { title: "ok" } });
    const answer = pipe(operation, circuit, gate(Report), retry())("x");
    await clock.advance("1m");
    expect(await answer).toEqual({ title: "ok", figures: [] });
    expect(circuit.state).toMatchObject({ state: "closed", failures: 0 });
  });

  it("sees no value that tells of a failure: that is one already, and is never delivered", async () => {
    setup();
    const never = () => {
      throw new Error("asked");
    };
    const call = protect("x", async () => new Response(null, { status: 404 }), { gate: { checks: [never] } });
    await refused(call());
  });

  it("feedback stays bounded: attempt 10 carries no sum of nine earlier outputs", async () => {
    const { clock } = setup();
    const sizes: number[] = [];
    const operation = async (_: string, { previous }: CallContext) => {
      sizes.push(JSON.stringify(previous.map(({ error, ...failure }) => [failure, error])).length);
      return { title: Array.from({ length: 200 }, (_, i) => ({ [`${i}`]: "x".repeat(1_000) })) };
    };
    const call = protect("draft", operation, { output: Report, retry: { attempts: 10 } });
    const ended = settled(call)("x");
    await clock.advance("10m");
    const { story } = await ended;
    const [, one = 0] = sizes;
    expect(one).toBeGreaterThan(200_000); // the last output itself is the next attempt's to look at
    expect(sizes[9]).toBeLessThan(one + 10_000);
    expect(story.failures.filter(({ produced }) => produced !== undefined)).toHaveLength(10); // the story has them all
  });

  it("findings stay small whatever was wrong: fifty at most, their texts cut, of large things what they are", async () => {
    setup();
    const many = await refused(
      gate(z.array(z.number()))(async () => Array.from({ length: 1_000 }, () => "x".repeat(10_000)))(undefined),
    );
    expect(many.findings).toHaveLength(51);
    expect(many.findings[49]).toMatchObject({ path: "49", got: expect.stringMatching(/^x{299}…$/) });
    expect(many.findings[50]).toEqual({ wanted: "no more findings like these (950 are left out)" });
    const odd = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    const checks: Check<unknown>[] = [
      () => ({ got: Array.from({ length: 90 }), wanted: "w".repeat(500), fix: "f".repeat(500), score: 0.5 }),
      () => ({
        got: Object.fromEntries("abcdefghijklmnopqrstuvwxyzABCDEFGH".split("").map((k) => [k, 1])),
        wanted: "less",
      }),
      () => ({ got: { small: [1, 2] }, wanted: "more" }),
      () => ({ got: odd, wanted: "something that can be read" }),
    ];
    const { findings } = await refused(gate(z.unknown(), { checks })(async () => 1)(undefined));
    expect(findings).toEqual([
      {
        got: "a list of 90",
        wanted: expect.stringMatching(/^w{299}…$/),
        fix: expect.stringMatching(/^f{299}…$/),
        score: 0.5,
      },
      { got: "an object of 34 keys", wanted: "less" },
      { got: { small: [1, 2] }, wanted: "more" },
      { got: "an object that cannot be read", wanted: "something that can be read" },
    ]);
  });

  it("cost and tokens of every rejected attempt are in the call's total, and each failure has its own", async () => {
    const { clock } = setup();
    const operation = async (_: string, { attempt, cost }: CallContext) => {
      cost({ inputTokens: 100, outputTokens: 10 * attempt, money: 0.25 });
      return attempt < 3 ? { titel: "x" } : { title: "tides" };
    };
    const ended = settled(protect("draft", operation, { output: Report, retry: {} }))("x");
    await clock.advance("1m");
    const { story } = await ended;
    expect(story.cost).toEqual({ inputTokens: 300, outputTokens: 60, money: 0.75 });
    expect(story.failures.map(({ cost }) => cost?.outputTokens)).toEqual([10, 20]);
  });

  it("a stream given to checks or repairs is refused with the remedy, and never read or delivered unjudged", async () => {
    setup();
    const never = () => {
      throw new Error("asked");
    };
    const byHand = { async *[Symbol.asyncIterator]() {} };
    for (const stream of [new ReadableStream(), (async function* () {})(), byHand])
      for (const gate of [{ checks: [never] }, { repair: ["json" as const] }]) {
        const call = protect("x", async () => stream as unknown, { gate });
        const error = await refused(call());
        expect(error.output).toBe(stream);
        expect(error.findings[0]?.wanted).toContain("collect the stream");
      }
  });

  it("a stream is refused by the schema like any other value that is not what was asked; it never crashes on it", async () => {
    setup();
    const streams = [new ReadableStream(), new Response("{}"), (async function* () {})()];
    for (const stream of streams) {
      const call = gate(Report, { repair: ["json"], benchmark: { bytes: 1_000 } })(async () => stream);
      expect((await refused(call(undefined))).output).toBe(stream);
    }
  });

  it.each([
    [{ benchmark: { latency: "soon", bytes: -1 } }, /benchmark.latency: .*benchmark.bytes: /],
    [{ benchmark: { tokens: 5 } }, /benchmark.tokens: no such key/],
    [{ repair: ["yaml"] }, /repair.0: wanted "json" or a function/],
    [{ onReject: "keep" }, /onReject: wanted "throw", "review" or { await: a duration }/],
    [{ onReject: { await: "5 minutes" } }, /onReject/],
    [{ onReject: { await: 0 } }, /onReject/],
    [{ checks: "cites" }, /checks: wanted/],
    [{ retries: 3 }, /retries: no such key/],
  ])("throws when made with what cannot be meant: %o", (options, message) => {
    expect(() => gate(Report, options as never)).toThrow(OptionsInvalidError);
    expect(() => gate(Report, options as never)).toThrow(message);
    expect(() => protect("x", async () => 1, { gate: options as never })).toThrow(OptionsInvalidError);
  });
});
