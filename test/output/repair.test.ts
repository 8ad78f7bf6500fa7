import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventBus, gate, OutputRejectedError, protect, type Repair } from "../../src/index.ts";
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
    for (const { shape, text, meant, orRejected } of brokenJson(seededRandom(17), 1_000)) {
      const call = gate(z.unknown(), { repair: ["json"] })(async () => text);
      const got = await call(undefined).catch((error: OutputRejectedError) => error);
      if (orRejected && got instanceof OutputRejectedError) continue;
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
    ["Ollama", { done_reason: "stop", message: { content: whole } }],
    ["Ollama, generated", { done_reason: "stop", response: whole }],
    ["Cohere", { finish_reason: "COMPLETE", text: whole }],
    ["Cohere, in parts", { finish_reason: "COMPLETE", message: { content: [{ type: "text", text: whole }] } }],
    ["Bedrock", { stopReason: "end_turn", output: { message: { content: [{ text: whole }] } } }],
    ["Text Generation Inference", { generated_text: whole, details: { finish_reason: "eos_token" } }],
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
    ["thinking without an end", `<think>maybe ${whole}`],
    ["a wrong bracket, and then it broke off", '{"a": 1], "b": "tru'],
    ["its first bracket", "Here it is: {"],
  ])("is cut off: %s", async (_, text) => {
    expect((await gated(text)).error?.findings).toMatchObject([{ wanted: "an answer that is not cut off" }]);
  });

  it.each([
    ["prose", "I am sorry, Dave.", "JSON"],
    ["nothing", "", "JSON"],
    ["two answers", '{"a": 1}\n{"a": 2}', "JSON, one value and not several"],
    ["too deep", `{a:${"[".repeat(10_000)}`, "JSON, nested at most 500 deep"],
    ["a bracket of the other kind at the end", '{"title":"a","n":1]', /match$/],
    ["a bracket of the other kind inside", '{"a":[1,2},"b":3}', /match$/],
    ["no first bracket", '"title":"a","n":1}', "JSON"],
    ["no marks but the words", '{"title" "a" "n" 1}', /match$/],
    ["a call", '{"n":NumberLong("2")}', /match$/],
    ["a closed value that goes on", '{"a":{"b":1}},"c":2}', /match$/],
    ["an answer before an example", `\`\`\`json\n${whole}\n\`\`\`\nunlike {"a": 1}`, "JSON, one value and not several"],
    ["a key in a list", '{"a":[1,2,"b":3}', /form/],
    ["no value", '{"a": , "b": 1}', /form/],
    ["two commas", "[1,,2]", /form/],
    ["a sign alone", '{"a":-}', /number/],
    ["half a number", '{"n":1e}', /number/],
    ["a semicolon", '{"a":1;"b":2}', /number/],
    ["a number out of range", '{"a":1e5000}', /range/],
    ["a number too small", "{a:1e-5000}", /range/],
    ["an integer that a double cannot hold", "{a:12345678901234567890}", /range/],
    ["a quotation mark that may be an end", '["he said "so", "and" left"]', /may be its end/],
    ["an apostrophe that may be an end", "['the tides' turn']", /may be its end/],
    ["an escape that is none", '{"a": "\\d+",}', /means nothing/],
    ["beyond repair", '{"a": "\\u12"}', /^JSON \(/],
  ])("is refused, not guessed at: %s", async (_, text, wanted) => {
    const { error } = await gated(text);
    expect(error?.findings).toMatchObject([
      { wanted: typeof wanted === "string" ? wanted : expect.stringMatching(wanted) },
    ]);
    expect(error?.reason).toBeUndefined();
  });

  it.each([
    ["{'title': 'What's new', 'body': 'It doesn't rise.'}", { title: "What's new", body: "It doesn't rise." }],
    ['{"a": "he said "so" to me",}', { a: 'he said "so" to me' }],
    ['{a: ["see [cases", "x"],}', { a: ["see [cases", "x"] }],
    ["{a: .5, b: +5, c: high tide, d: ‘it’s’}", { a: 0.5, b: 5, c: "high tide", d: "it’s" }],
    ['{"a": 1 "b": true\n"c" "d"}', { a: 1, b: true, c: "d" }],
  ])("what is mended has the model's own words: %s", async (text, meant) => {
    expect((await gated(text)).value).toEqual(meant);
  });

  it.each([
    ["thinking before the answer", `<think>maybe {"a": 1}</think>${whole}`],
    ["an example in prose before the answer in its fence", `Like {"a": 1}, so:\n\`\`\`json\n${whole}\n\`\`\`\nDone.`],
  ])("the answer is found: %s", async (_, text) => {
    expect((await gated(text)).value).toEqual({ title: "tides" });
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

  // instrumented by Stryker it says nothing
  it.skipIf(process.env.HOLDFAST_ROOM !== undefined).each([
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
