// With real processes: a queue that is opened to a terminal, and one that outlives its process in a file.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { serveReviews, syncReviews } from "../../src/cli/live.ts";
import { OptionsInvalidError, reviews } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const timeout = 30_000;

describe("serveReviews", { timeout }, () => {
  it("`{ await }` in one process is decided from another terminal", async () => {
    const { path, program, holdfast } = setup();
    const socket = path("reviews.sock");
    const app = program(`
await serveReviews(${JSON.stringify(socket)});
const answer = draft({ await: "1m" })("tides");
console.log("waits");
console.log("got", JSON.stringify(await answer));`);
    await app.said("waits");
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const listed = await holdfast(["review", socket, "--list", "--json"]).ended;
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    const [{ id, output }] = JSON.parse(listed.stdout);
    expect(output).toEqual({ title: "tides", claims: [] });
    const amended = { title: "Tides", claims: ["twice a day"] };
    expect(await holdfast(["review", socket, "--amend", id, "--output", JSON.stringify(amended)]).ended).toEqual({
      code: 0,
      stdout: "Decided. The process has it.\n",
      stderr: "",
    });
    // nothing of it keeps the process: it ends by itself when its call has
    expect(await app.ended).toMatchObject({ code: 0, stdout: `waits\ngot ${JSON.stringify(amended)}\n` });
  });

  it("two terminals: one verdict is taken, the other hears of it; a claim holds", async () => {
    const { path, flag, run } = setup();
    const served = await serveReviews(path("s.sock"));
    const [first, second] = [await flag(), await flag()];
    const both = await Promise.all(["ada", "bob"].map((by) => run([served.path, "--approve", first.id, "--by", by])));
    expect(both.map(({ error }) => (error as { why?: string } | undefined)?.why).toSorted()).toEqual([
      "decided",
      undefined,
    ]);
    await reviews.claim(second.id, "ada");
    const { error } = await run([served.path, "--reject", second.id, "--reason", "no", "--by", "bob"]);
    expect(error?.message).toBe(`Review ${second.id} of "draft" is being looked at by ada.`);
    await run([served.path, "--by", "ada"], "a\n");
    expect(await reviews.pending()).toEqual([]);
    await run([served.path, "--revoke", second.id, "--by", "ada"]);
    expect(await reviews.pending()).toHaveLength(1);
    await served.close();
  });

  it("a terminal whose input ends leaves nothing claimed", async () => {
    const { path, flag, holdfast } = setup();
    const served = await serveReviews(path("s.sock"));
    await flag();
    const ended = holdfast(["review", served.path, "--by", "ada"]);
    await ended.said("[q]uit");
    expect(await reviews.pending()).toMatchObject([{ claimed: { by: "ada" } }]);
    ended.child.stdin?.end();
    expect(await ended.ended).toMatchObject({ code: 0, stderr: "" });
    expect((await reviews.pending()).map(({ claimed }) => claimed)).toEqual([undefined]);
    await served.close();
  });

  it("what does not fit is refused at once, with the findings", async () => {
    const { path, flag, run } = setup();
    const served = await serveReviews(path("s.sock"));
    const { id } = await flag();
    const { error } = await run([served.path, "--amend", id, "--output", '{"title": 5}']);
    expect(error).toMatchObject({
      code: "REVIEW_CONFLICT",
      why: "unfit",
      findings: [{ path: "title" }, { path: "claims" }],
    });
    expect(await reviews.pending()).toHaveLength(1);
    await served.close();
  });

  it("what a terminal says that cannot be understood ends its connection, and nothing else", async () => {
    const { path, flag, run } = setup();
    const served = await serveReviews(path("s.sock"));
    const { id } = await flag();
    const said = ["{", "[]", "null", '{"no":1,"ask":"keep","given":[{"max":0}]}', '{"no":1,"ask":"pending"}'];
    for (const line of said)
      await new Promise<void>((resolve) => {
        const socket = connect(served.path, () => socket.write(`${line}\n`));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
      });
    expect((await run([served.path, "--list"])).shown).toContain(id);
    await served.close();
  });

  it("a terminal hears when the process ends", async () => {
    const { path, program, holdfast } = setup();
    const app = program(`
await serveReviews(${JSON.stringify(path("s.sock"))});
draft({ await: "1m" })("tides");
console.log("waits");`);
    await app.said("waits");
    const terminal = holdfast(["review", path("s.sock")]);
    await terminal.said("1 of 1");
    app.child.kill("SIGKILL");
    await app.ended;
    terminal.child.stdin?.end("a\n");
    expect(await terminal.ended).toMatchObject({ stdout: expect.stringContaining("has ended, or has closed it") });
  });

  it("a socket that a dead process left is replaced; one that is served is not taken over", async () => {
    const { path, program } = setup();
    const socket = path("s.sock");
    const app = program(
      `await serveReviews(${JSON.stringify(socket)}); console.log("open"); setInterval(() => {}, 1000);`,
    );
    await app.said("open");
    await expect(serveReviews(socket)).rejects.toThrow(OptionsInvalidError);
    app.child.kill("SIGKILL");
    await app.ended;
    expect(existsSync(socket)).toBe(true);
    const served = await serveReviews(socket);
    await served.close();
    expect(existsSync(socket)).toBe(false);
    await expect(serveReviews("")).rejects.toThrow(/path: wanted a path for a socket/);
    writeFileSync(path("file"), "mine");
    await expect(serveReviews(path("file"))).rejects.toThrow(/path: wanted a path where nothing is/);
    expect(readFileSync(path("file"), "utf8")).toBe("mine");
  });
});

describe("syncReviews", { timeout }, () => {
  it("a pending review survives a restart of the process, is found and decided with the file alone, and asks the model for nothing", async () => {
    const { file, program, holdfast } = setup();
    const before = program(`
await syncReviews(${JSON.stringify(file)});
await draft("review")("tides").catch(() => {});
await syncReviews(${JSON.stringify(file)});
console.log("kept");
setInterval(() => {}, 1000);`);
    await before.said("kept");
    before.child.kill("SIGKILL");
    await before.ended;
    const [{ id }] = JSON.parse((await holdfast(["review", file, "--list", "--json"]).ended).stdout);
    expect((await holdfast(["review", file, "--approve", id, "--by", "ada"]).ended).code).toBe(0);
    const after = program(`
events.on("attempt.started", () => console.log("asked again"));
events.on("review.decided", ({ verdict, by }) => console.log(verdict, by));
reviews.onDecision("draft", async (review, decision) => console.log(decision.verdict, JSON.stringify(review.output)));
await syncReviews(${JSON.stringify(file)});
await new Promise(setImmediate);
await syncReviews(${JSON.stringify(file)});`);
    expect(await after.ended).toMatchObject({
      code: 0,
      stdout: 'approved ada\napprove {"title":"tides","claims":[]}\n',
    });
    expect(JSON.parse(readFileSync(file, "utf8")).reviews).toEqual([]);
  });

  it("a verdict that is written while the process runs is not written over", async () => {
    const { file, flag, run } = setup();
    const { id } = await flag();
    await syncReviews(file);
    await run([file, "--approve", id]);
    await flag();
    await syncReviews(file); // what it knew of the first was that it waits
    const [waiting, ...others] = await reviews.pending();
    expect(waiting?.id).not.toBe(id);
    expect(others).toEqual([]);
    const { facts, decided } = JSON.parse(readFileSync(file, "utf8")).reviews.at(-1);
    expect([facts.id, decided.decision]).toEqual([id, { verdict: "approve" }]); // for a handler, when there is one
  });

  it("many at once are written once or twice, and all are in it", async () => {
    const { file, flag, dir } = setup();
    for (let i = 0; i < 20; i++) await flag();
    await Promise.all(Array.from({ length: 200 }, () => syncReviews(file)));
    expect(JSON.parse(readFileSync(file, "utf8")).reviews).toHaveLength(20);
    expect(readdirSync(dir)).toEqual(["reviews.json"]);
  });

  it("a file that is broken is left as it is", async () => {
    const { file, flag } = setup();
    await flag();
    await syncReviews(file);
    const broken = readFileSync(file, "utf8").replace("tides", "moons");
    writeFileSync(file, broken);
    await expect(syncReviews(file)).rejects.toThrow(OptionsInvalidError);
    expect(readFileSync(file, "utf8")).toBe(broken);
    expect(await reviews.pending()).toHaveLength(1);
    await syncReviews(file); // told once
    expect(readFileSync(file, "utf8")).toBe(broken);
    writeFileSync(file, broken.slice(1));
    await expect(syncReviews(file)).rejects.toThrow(`The saved reviews in ${file} cannot be read: it is no JSON`);
    rmSync(file);
    await syncReviews(file);
    expect(JSON.parse(readFileSync(file, "utf8")).reviews).toHaveLength(1);
    writeFileSync(file, broken.slice(1));
    await expect(syncReviews(file)).rejects.toThrow(OptionsInvalidError);
    await expect(syncReviews("")).rejects.toThrow(/path: wanted the path of a file/);
  });
});

describe("the command", { timeout }, () => {
  it("ends with 0, 1 and 2, says errors on stderr, and lets no text of a model paint the terminal", async () => {
    const { file, flag, holdfast } = setup();
    await flag({ title: "\u001b[2J\u202e", claims: [] }, "\u009b31m");
    writeFileSync(file, reviews.save());
    const listed = await holdfast(["review", file, "--list"]).ended;
    expect(listed).toMatchObject({ code: 0, stderr: "" });
    expect(listed.stdout).toContain('"title": "\\u001b[2J\\u202e"');
    for (const painting of ["\u001b", "\u009b", "\u202e"]) expect(listed.stdout).not.toContain(painting);
    const refused = await holdfast(["review", file, "--approve", "\u001b[2J"]).ended;
    expect(refused).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("There is no review \\u001b[2J here"),
    });
    const unclear = await holdfast(["review"]).ended;
    expect(unclear).toMatchObject({ code: 2, stderr: expect.stringContaining("Usage: holdfast review") });
    expect(await holdfast([]).ended).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage") });
    expect(await holdfast(["review", "/nowhere/at/all"]).ended).toMatchObject({
      code: 1,
      stderr: "There is no file or socket at /nowhere/at/all.\n",
    });
  });

  it.skipIf(!existsSync("/usr/bin/script"))(
    "at a real terminal, an output is amended in the person's own editor",
    async () => {
      const { file, flag, path, start } = setup();
      const { id } = await flag();
      writeFileSync(file, reviews.save());
      const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
      const editor = `sed -i 's/"claims": .*/"claims": ["twice a day"]/'`;
      writeFileSync(
        path("typing.mjs"),
        `import { spawn } from "node:child_process";
const command = [process.execPath, "--disable-warning=ExperimentalWarning", ${JSON.stringify(main)}, "review", ${JSON.stringify(file)}].join(" ");
const child = spawn("/usr/bin/script", ["-qefc", command, "/dev/null"], { env: { ...process.env, EDITOR: ${JSON.stringify(editor)}, VISUAL: "" } });
child.stdout.on("data", (chunk) => {
  process.stdout.write(chunk);
  if (String(chunk).includes("[q]uit")) child.stdin.write("m\\r");
});
child.on("exit", (code) => process.exit(code));`,
      );
      const ended = await start([path("typing.mjs")]).ended;
      expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("Decided.") });
      reset();
      reviews.onDecision("draft", async () => {});
      await reviews.restore(readFileSync(file, "utf8"));
      expect(JSON.parse(readFileSync(file, "utf8")).reviews[0]).toMatchObject({
        facts: { id },
        decided: { decision: { verdict: "amend", output: { title: "tides", claims: ["twice a day"] } } },
      });
    },
  );

  it("what is kept, claimed, decided and not delivered holds no process", async () => {
    const { program } = setup();
    const app = program(`
for (const topic of ["a", "b", "c"]) await draft("review")(topic).catch(() => {});
const [first, second] = await reviews.pending();
await reviews.claim(first.id, "ada");
await reviews.decide(second.id, { verdict: "approve" }, "ada");
reviews.onDecision("draft", async () => { throw new Error("no"); });
console.log("done");`);
    expect(await app.ended).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
  });
});
