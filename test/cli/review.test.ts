import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/cli/review.ts";
import { type Decision, type Review, reviews } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { setup as command } from "./setup.ts";

async function setup() {
  const made = command();
  const first = await made.flag();
  const second = await made.flag({ title: 5, claims: [] }, "y");
  writeFileSync(made.file, reviews.save());
  const decided: [string, Decision][] = [];
  return {
    ...made,
    first,
    second,
    /** What a process gets that restores the file. */
    async taken() {
      reset();
      reviews.onDecision("draft", async ({ id }, decision) => void decided.push([id, decision]));
      const restored = await reviews.restore(readFileSync(made.file, "utf8"));
      await new Promise(setImmediate);
      return { restored, decided, waiting: (await reviews.pending()).map(({ id }) => id) };
    },
  };
}

describe("holdfast review <file>", () => {
  it("--list shows what waits, and changes nothing", async () => {
    const { run, file, first, second } = await setup();
    const before = readFileSync(file, "utf8");
    const { shown } = await run([file, "--list"]);
    expect(shown).toContain("2 reviews wait.");
    for (const { id } of [first, second]) expect(shown).toContain(id);
    expect(shown).toContain("wanted at least one claim");
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("--list --json gives the same to a script", async () => {
    const { run, file, first } = await setup();
    const listed = JSON.parse((await run([file, "--list", "--json"])).shown) as Review[];
    expect(listed).toHaveLength(2);
    expect(listed[0]).toEqual(JSON.parse(JSON.stringify(first)));
  });

  it("--approve, --amend and --reject are taken by the process that restores the file", async () => {
    const { run, file, first, second, taken } = await setup();
    const better = { title: "tides", claims: ["one"] };
    expect(await run([file, "--approve", first.id, "--by", "ada"])).toEqual({
      shown: "Decided. It is taken by the process that restores the file, and held against the schema there.\n",
      error: undefined,
    });
    expect((await run([file, "--amend", second.id, "--output", JSON.stringify(better)])).error).toBeUndefined();
    expect((await run([file, "--list"])).shown).toContain("Nothing waits for a verdict.");
    expect(await taken()).toEqual({
      restored: { added: 0, decided: 2, refused: [] },
      decided: [
        [first.id, { verdict: "approve" }],
        [second.id, { verdict: "amend", output: better }],
      ],
      waiting: [],
    });
  });

  it("--reject gives the reason", async () => {
    const { run, file, first, second, taken } = await setup();
    await run([file, "--reject", first.id, "--reason", "no sources"]);
    expect(await taken()).toMatchObject({
      decided: [[first.id, { verdict: "reject", reason: "no sources" }]],
      waiting: [second.id],
    });
  });

  it("--output is read from a file or from the input too", async () => {
    const { run, file, path, first, second, taken } = await setup();
    writeFileSync(path("better.json"), '{"title": "from a file", "claims": []}');
    await run([file, "--amend", first.id, "--output", `@${path("better.json")}`]);
    await run([file, "--amend", second.id, "--output", "-"], '{"title": "from the input", "claims": []}');
    const { decided } = await taken();
    expect(decided.map(([, decision]) => decision)).toMatchObject([
      { output: { title: "from a file" } },
      { output: { title: "from the input" } },
    ]);
  });

  it("what does not fit is refused here where that is known, else where it is taken: it waits on", async () => {
    const { run, file, second, taken } = await setup();
    const { error } = await run([file, "--approve", second.id]);
    expect(error).toMatchObject({ code: "REVIEW_CONFLICT", why: "unfit" });
    await run([file, "--amend", second.id, "--output", '{"title": 6}']);
    expect(await taken()).toMatchObject({
      restored: { refused: [{ why: "unfit", reviewId: second.id }] },
      decided: [],
      waiting: [expect.any(String), second.id],
    });
  });

  it("a verdict that nobody has got yet can be revoked, and then is not delivered", async () => {
    const { run, file, first, second, taken } = await setup();
    await run([file, "--approve", first.id]);
    expect(await run([file, "--revoke", first.id])).toMatchObject({ shown: "Taken back: it waits again.\n" });
    expect((await run([file, "--revoke", first.id])).error).toMatchObject({ why: "undecided" });
    expect(await taken()).toMatchObject({ decided: [], waiting: [first.id, second.id] });
  });

  it("what the process holds already is not revoked in its file", async () => {
    const { run, file, first } = await setup();
    await reviews.decide(first.id, { verdict: "approve" }, "ada");
    writeFileSync(file, reviews.save());
    expect((await run([file, "--revoke", first.id])).error).toMatchObject({ why: "decided" });
  });

  it.each<[string, (first: string) => string[], object]>([
    ["decided already", (id) => ["--approve", id], { why: "decided" }],
    ["unknown", () => ["--approve", "none"], { why: "unknown" }],
    ["no id", () => ["--approve", ""], { code: "OPTIONS_INVALID" }],
    ["no reason", (id) => ["--reject", id, "--reason", ""], { code: "OPTIONS_INVALID" }],
    ["no JSON", (id) => ["--amend", id, "--output", "{"], { message: expect.stringContaining("That is no JSON") }],
  ])("a verdict that is not taken changes nothing: %s", async (_, args, wanted) => {
    const { run, file, first } = await setup();
    await run([file, "--reject", first.id, "--reason", "no"]);
    const before = readFileSync(file, "utf8");
    expect((await run([file, ...args(first.id)])).error).toMatchObject(wanted);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("another's claim holds in the file too", async () => {
    const { run, file, first } = await setup();
    await reviews.claim(first.id, "ada");
    writeFileSync(file, reviews.save());
    expect((await run([file, "--approve", first.id, "--by", "bob"])).error).toMatchObject({
      why: "claimed",
      by: "ada",
    });
    expect((await run([file, "--approve", first.id, "--by", "ada"])).error).toBeUndefined();
  });

  it("what has expired is not listed and not decided", async () => {
    const { run, file, flag } = command();
    reviews.keep({ for: 1 });
    const { id } = await flag();
    const text = reviews.save();
    reviews.keep({ for: "24h" });
    writeFileSync(file, text);
    await new Promise((resolve) => setTimeout(resolve, 5)); // the command has a clock of its own
    expect((await run([file, "--list", "--json"])).shown).toBe("[]\n");
    expect((await run([file, "--approve", id])).error).toMatchObject({ code: "REVIEW_EXPIRED" });
  });

  it.each([
    [[]],
    [["a", "b"]],
    [["a", "--list", "--approve", "x"]],
    [["a", "--reject", "x"]],
    [["a", "--amend", "x"]],
    [["a", "--output", "{}"]],
    [["a", "--json"]],
    [["a", "--aprove", "x"]],
  ])("what cannot be understood is said to be so, and nothing is done: %o", async (args) => {
    const { run } = command();
    expect((await run(args)).error).toBeInstanceOf(UsageError);
  });

  it("a file that is broken is left as it is", async () => {
    const { run, file } = await setup();
    writeFileSync(file, readFileSync(file, "utf8").replace("tides", "moons"));
    const before = readFileSync(file, "utf8");
    for (const args of [["--list"], ["--approve", "x"]])
      expect((await run([file, ...args])).error).toMatchObject({ code: "OPTIONS_INVALID" });
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it.each<[string, (text: string) => string, string]>([
    [
      "edited by hand",
      (text) => text.replace("tides", "moons"),
      "its checksum is not that of its content: it was edited by hand, or mixed up",
    ],
    ["cut off", (text) => text.slice(0, -5), "it is no JSON: it was cut off, or is something else"],
    ["empty", () => "", "it is empty"],
    [
      "of another version",
      (text) => text.replace('"version":1', '"version":2'),
      "it is of version 2, and this package reads version 1",
    ],
  ])("says of a file that is %s which it is, what is wrong, and what to do", async (_, breaking, why) => {
    const { run, file } = await setup();
    writeFileSync(file, breaking(readFileSync(file, "utf8")));
    expect((await run([file, "--list"])).error?.message).toBe(
      `The saved reviews in ${file} cannot be read: ${why}. Nothing was taken in, and the file is left as it is. Put back a good copy of it, or move it away: then a new one is written.`,
    );
  });
});

describe("holdfast review <file> at a terminal", () => {
  it("goes through what waits, one after the other: approve, reject, amend", async () => {
    const { run, file, first, second, taken } = await setup();
    const typed = ["a", "m", '{"title": "tides",', '"claims": ["one"]}', ""].join("\n");
    const { shown, error } = await run([file, "--by", "ada"], `${typed}\n`);
    expect(error).toBeUndefined();
    expect(shown).toMatch(
      /2 reviews wait\.[\s\S]*1 of 2 {2}draft[\s\S]*Decided\.[\s\S]*2 of 2 {2}draft[\s\S]*Decided\./,
    );
    expect(await taken()).toMatchObject({
      decided: [
        [first.id, { verdict: "approve" }],
        [second.id, { verdict: "amend", output: { title: "tides", claims: ["one"] } }],
      ],
    });
  });

  it("asks again where a verdict does not fit, cannot be read or is empty; skip and quit decide nothing", async () => {
    const { run, file, first, second, taken } = await setup();
    const { shown } = await run([file], ["s", "yes", "a", "m", "{no", "", "r", "", "q"].join("\n"));
    expect(shown).toContain("stays pending");
    expect(shown).toContain("  - title: wanted");
    expect(shown).toContain("That is no JSON");
    expect(await taken()).toMatchObject({ decided: [], waiting: [first.id, second.id] });
  });

  it("passes over what another looks at", async () => {
    const { run, file, first } = await setup();
    await reviews.claim(first.id, "ada");
    writeFileSync(file, reviews.save());
    const { shown } = await run([file, "--by", "bob"], "q\n");
    expect(shown).toContain(`Review ${first.id} of "draft" is being looked at by ada.`);
    expect(shown).toContain("2 of 2");
    expect(shown).not.toContain("1 of 2");
  });

  it("what is passed over, or left by the end of the input, is claimed by nobody", async () => {
    const { run, file } = await setup();
    for (const typed of ["s\nq\n", "s\n", "r\n", "m\n", ""]) {
      const { shown } = await run([file, "--by", "ada"], typed);
      expect(shown).toContain("1 of 2");
      expect((await run([file, "--list"])).shown).not.toContain("ada");
      expect(readFileSync(file, "utf8")).not.toContain("claimed");
    }
  });

  it("the end of the input ends it", async () => {
    const { run, file, taken } = await setup();
    expect((await run([file])).error).toBeUndefined();
    expect((await taken()).decided).toEqual([]);
  });
});
