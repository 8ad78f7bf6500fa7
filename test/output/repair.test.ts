import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventBus, gate, type OutputRejectedError, protect, type Repair } from "../../src/index.ts";
import { record, script, seededRandom } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";
import { brokenJson } from "./brokenJson.ts";

/** What a gate over this output gives, and what it told. */
async function gated(output: unknown, repair: readonly Repair[] = ["json"], schema: z.ZodType = z.unknown()) {
  const events = eventBus();
  const seen = record(events);
  const call = gate(schema, { repair }, { events })(async () => output);
  const [value, error] = await call(undefined).then(
    (value): [unknown, undefined] => [value, undefined],
    (error: unknown): [undefined, OutputRejectedError] => [undefined, error as OutputRejectedError],
  );
  return { value, error, repaired: seen.of("output.repaired").map(({ repair }) => repair) };
}

const whole = '{"title": "tides"}';

describe("repair", () => {
  it("1,000 shapes of broken JSON: repaired ones equal what was meant, cut-off ones are rejected", async () => {
    setup();
    const wrong: unknown[] = [];
    for (const { shape, text, meant } of brokenJson(seededRandom(17), 1_000)) {
      const call = gate(z.unknown(), { repair: ["json"] })(async () => text);
      const got = await call(undefined).catch((error: OutputRejectedError) => error);
      try {
        if (meant !== undefined) expect(got).toEqual(meant);
        else expect(got).toMatchObject({ reason: "cutOff", output: text });
      } catch {
        wrong.push({ shape, text, got });
      }
    }
    expect(wrong).toEqual([]);
  });

  it("text that is JSON becomes what it says, and nothing is told: there was nothing to repair", async () => {
    expect(await gated(whole)).toEqual({ value: { title: "tides" }, error: undefined, repaired: [] });
  });

  it("what is no text is left as it is", async () => {
    expect(await gated({ title: "tides" })).toMatchObject({ value: { title: "tides" }, repaired: [] });
  });

  it("a repair is told of as `output.repaired`", async () => {
    expect(await gated(`Here:\n${whole}`)).toMatchObject({ value: { title: "tides" }, repaired: ["json"] });
    expect(await gated("{title: 'tides',}")).toMatchObject({ value: { title: "tides" }, repaired: ["json"] });
  });

  it.each([
    ["a chat completion", { choices: [{ finish_reason: "stop", message: { content: whole } }] }],
    ["a chat completion in parts", { choices: [{ message: { content: [{ type: "text", text: whole }] } }] }],
    ["a completion", { choices: [{ finish_reason: "stop", text: whole }] }],
    [
      "the Responses API",
      { object: "response", status: "completed", output: [{ content: [{ type: "output_text", text: whole }] }] },
    ],
    ["the Responses API by its client", { object: "response", status: "completed", output_text: whole, output: [] }],
    ["Anthropic", { type: "message", stop_reason: "end_turn", content: [{ type: "text", text: whole }] }],
    ["Gemini", { candidates: [{ finishReason: "STOP", content: { parts: [{ text: whole }] } }] }],
    ["the AI SDK", { finishReason: "stop", text: whole }],
  ])("reads the text of a model's answer as it came: %s", async (_, answer) => {
    expect(await gated(answer)).toMatchObject({ value: { title: "tides" } });
  });

  it("`repair` never turns a truncated output into an accepted one", async () => {
    const close: Repair = (raw) => (typeof raw === "string" ? JSON.parse(`${raw}"}`) : raw);
    const text = '{"title": "ti';
    for (const repair of [["json"], [close], [close, "json"], ["json", close]] as const)
      for (const output of [
        text,
        `\`\`\`json\n${text}`,
        { choices: [{ finish_reason: "stop", message: { content: text } }] },
      ])
        expect((await gated(output, repair)).error).toMatchObject({ reason: "cutOff" });
  });

  it.each([
    ["what a model left out itself", '{"claims": ["one", "two", ...]}'],
    ["likewise, by a sign", '{"claims": ["one", …]}'],
    ["a fence with nothing in it", "```json\n"],
    ["a string without an end", '"tid'],
    ["a comment without an end", '{"a": 1, /* and'],
    ["a quotation mark inside, before it broke off", '{"a": "he said "so} '],
    ["its first bracket", "Here it is: {"],
  ])("is cut off: %s", async (_, text) => {
    expect((await gated(text)).error?.findings).toMatchObject([{ wanted: "an answer that is not cut off" }]);
  });

  it.each([
    ["prose", "I am sorry, Dave.", "JSON"],
    ["nothing", "", "JSON"],
    ["two answers", '{"a": 1}\n{"a": 2}', "JSON, one value and not several"],
    ["too deep", `{a:${"[".repeat(10_000)}`, "JSON, nested at most 500 deep"],
    ["beyond repair", '{"a": "\\u12"}', /^JSON \(/],
  ])("is refused, not guessed at: %s", async (_, text, wanted) => {
    const { error } = await gated(text);
    expect(error?.findings).toMatchObject([
      { wanted: typeof wanted === "string" ? wanted : expect.stringMatching(wanted) },
    ]);
    expect(error?.reason).toBeUndefined();
  });

  it("a forgotten bracket in the middle is mended: the end is there", async () => {
    expect((await gated('{"a": [1, 2}')).value).toEqual({ a: [1, 2] });
  });

  it("functions are asked in order, each of what the one before gave; told are those that changed something", async () => {
    const trim = (raw: unknown) => (typeof raw === "string" ? raw.replace(/^answer: /, "") : raw);
    const same = (raw: unknown) => raw;
    const upper = async (raw: unknown) => ({ ...(raw as object), title: "TIDES" });
    const done = await gated(`answer: ${whole}`, [trim, same, "json", upper], z.object({ title: z.string() }));
    expect(done).toMatchObject({ value: { title: "TIDES" }, repaired: ["trim", "upper"] });
  });

  it("what is repaired is checked like everything else; the raw output goes with the rejection", async () => {
    const text = "{title: 5}";
    const { error } = await gated(text, ["json"], z.object({ title: z.string() }));
    expect(error).toMatchObject({ output: text, findings: [{ path: "title", got: 5 }] });
  });

  it("a repair that throws is a mistake in the program: it ends the call, and nothing is asked again", async () => {
    setup();
    const operation = script({ value: "x" }, { value: "y" });
    const broken = () => {
      throw new RangeError("broken");
    };
    const call = protect("x", operation, { gate: { repair: [broken] }, retry: {} });
    await expect(call(undefined)).rejects.toThrow("broken");
    expect(operation.calls).toHaveLength(1);
  });

  it("keys of a prototype are only keys", async () => {
    const { value } = await gated("{__proto__: {admin: true}, 'constructor': 1,}");
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    ["a long string", `{a: '${"x".repeat(1_000_000)}',}`],
    ["a long string that is cut off", `{"a": "${"x".repeat(1_000_000)}`],
    ["many brackets", `{a:1,}${"{ ".repeat(500_000)}`],
    ["many quotation marks", `{"a": ${'"'.repeat(300_000)}}`],
    ["many apostrophes", `{a: ${"it's ".repeat(200_000)}}`],
    ["many bare words", `{a: ${"x\n".repeat(300_000)}}`],
    ["many strings without a comma", `[${'"a"\n'.repeat(200_000)}]`],
    ["many colons", `{"a"${":".repeat(500_000)}}`],
    ["many spaces", `{"a": 1 ${" ".repeat(1_000_000)}`],
    ["many fences", `${"```\n".repeat(200_000)}{a: 1}`],
    ["lone surrogates", `{"a": "${"\ud800".repeat(300_000)}",}`],
  ])("a megabyte takes no quadratic time: %s", async (_, text) => {
    const begin = performance.now();
    await gated(text);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});
