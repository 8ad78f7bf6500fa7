// docs/architecture.md names every file of src/core once, and every room that src has.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository } from "./package/project.ts";

function setup() {
  const page = readFileSync(join(repository, "docs/architecture.md"), "utf8");
  const [, rooms = "", files = ""] =
    /## The rooms([\s\S]*?)```mermaid[\s\S]*in reading order\n([\s\S]*?)\n## /.exec(page) ?? [];
  const list = (dir: string) => readdirSync(join(repository, dir)).sort();
  return {
    listed: [...files.matchAll(/^\| `(\w+\.ts)` \|/gm)].map(([, file]) => file),
    rooms: rooms
      .split("\n")
      .filter((line) => /^\| [\d.]+ \|/.test(line))
      .flatMap((line) => [...(line.split("|")[2] ?? "").matchAll(/`([\w.]+)`/g)].map(([, room]) => room)),
    core: list("src/core"),
    src: list("src"),
  };
}

describe("the page of the architecture", () => {
  it("has a line for every file of src/core, and only for those", () => {
    const { listed, core } = setup();
    expect(listed.toSorted()).toEqual(core);
  });

  it("has every room of src in its table, and no other", () => {
    const { rooms, src } = setup();
    expect(rooms.toSorted()).toEqual(src);
  });
});
