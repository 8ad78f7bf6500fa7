// A file that several processes change, with real processes that are killed at the worst moment.
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { changeFile } from "../../src/cli/lockedFile.ts";
import { reviews } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const source = new URL("../../src/cli/lockedFile.ts", import.meta.url);

/** Loaded before a program: it stops for good where it is about to put the new file in its place. */
const stopsBeforeRename = `data:text/javascript,${encodeURIComponent(`
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
fs.promises.rename = () => {
  console.log("about to rename");
  setInterval(() => {}, 1000);
  return new Promise(() => {});
};
syncBuiltinESMExports();
`)}`;

describe("a file that several processes change", () => {
  it("is changed by one at a time: no change is lost", async () => {
    const { file, path, start } = setup();
    writeFileSync(file, "0");
    writeFileSync(
      path("count.mjs"),
      `import { changeFile } from "${source}";
for (let i = 0; i < 50; i++) await changeFile(process.argv[2], (text) => String(Number(text) + 1));`,
    );
    const counting = Array.from({ length: 3 }, () => start([path("count.mjs"), file]));
    for (const { ended } of counting) expect(await ended).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(file, "utf8")).toBe("150");
    expect(readdirSync(path(".")).toSorted()).toEqual(["count.mjs", "reviews.json"]);
  });

  it("killed between write and rename, it leaves a valid file, and the next one is not held up", async () => {
    const { file, flag, start, run, path } = setup();
    const { id } = await flag();
    const other = await flag();
    const before = `${reviews.save()}\n`;
    writeFileSync(file, before);
    const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
    const { child, said, ended } = start(["--import", stopsBeforeRename, main, "review", file, "--approve", id]);
    await said("about to rename");
    expect(existsSync(`${file}.lock`)).toBe(true);
    child.kill("SIGKILL");
    await ended;
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(readFileSync(`${file}.tmp`, "utf8")).not.toBe(before); // the new one was whole, and had not its place
    reset();
    expect(await reviews.restore(readFileSync(file, "utf8"))).toMatchObject({ added: 2, decided: 0 });
    expect((await run([file, "--approve", other.id])).error).toBeUndefined();
    expect(readdirSync(path("."))).toEqual(["reviews.json"]);
  });

  it("a lock of a process that is gone is broken by one only, however many wait", async () => {
    const { file, path, program } = setup();
    const gone = program("");
    await gone.ended;
    writeFileSync(file, "0");
    writeFileSync(`${file}.lock`, JSON.stringify({ pid: gone.child.pid, host: hostname() }));
    const add = () => changeFile(file, (text) => String(Number(text) + 1));
    await Promise.all(Array.from({ length: 20 }, add));
    expect(readFileSync(file, "utf8")).toBe("20");
    expect(readdirSync(path(".")).filter((name) => name.startsWith("reviews"))).toEqual(["reviews.json"]);
  });

  it("a lock of a process that lives, or is on another machine, is waited for, and then told of", async () => {
    const { file } = setup();
    writeFileSync(`${file}.lock`, JSON.stringify({ pid: 1, host: "elsewhere" }));
    await expect(changeFile(file, () => "x")).rejects.toThrow(
      `${file}.lock is held by process 1 on elsewhere. If that is not so, remove it.`,
    );
    expect(existsSync(file)).toBe(false);
  }, 15_000);

  it("what fails changes nothing, and leaves no lock", async () => {
    const { file, path } = setup();
    writeFileSync(file, "before");
    await expect(
      changeFile(file, () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(readdirSync(path("."))).toEqual(["reviews.json"]);
  });

  it("a new one is its owner's alone; one that is there keeps its mode, and a link stays a link", async () => {
    const { file, path } = setup();
    await changeFile(file, () => "x");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(path("open.json"), "", { mode: 0o640 });
    symlinkSync(path("open.json"), path("link.json"));
    await changeFile(path("link.json"), () => "through the link");
    expect(readFileSync(path("open.json"), "utf8")).toBe("through the link");
    expect(statSync(path("open.json")).mode & 0o777).toBe(0o640);
  });
});
