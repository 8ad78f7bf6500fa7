// The pages for those who come from another library: what a pair compares prints the same (the blocks run in docs.test.ts), and their tables leave nothing out.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as cockatiel from "cockatiel";
import CircuitBreaker from "opossum";
import { describe, expect, it } from "vitest";
import { blocksOfPage, said } from "../package/blocks.ts";
import { repository } from "../package/project.ts";

const read = (file: string) => readFileSync(join(repository, file), "utf8");
const peers = ["opossum", "cockatiel", "p-retry"] as const;
type Peer = (typeof peers)[number];
const pageOf = (peer: Peer) => read(`docs/migrate/${peer}.md`);
const section = (page: string, title: string) =>
  page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? "";
const comesFrom = (code: string, module: string) => new RegExp(`from "${module}"`).test(code);
const namesIn = (text: string, name: RegExp) => [...new Set([...text.matchAll(name)].map(([, found = ""]) => found))];

/** What the peers' own sources declare. */
const everyName: Record<Peer, string[]> = {
  opossum: (() => {
    const source = read("node_modules/opossum/lib/circuit.js");
    const [, typed = ""] =
      /interface Options[^{]*\{([\s\S]*?)\n {4}\}/.exec(read("node_modules/@types/opossum/index.d.ts")) ?? [];
    const methods = Object.getOwnPropertyNames(CircuitBreaker.prototype).filter(
      (name) => !/^(_|constructor)/.test(name),
    );
    return [
      ...namesIn(source, /@param \{[^}]+\} options\.(\w+)/g),
      ...namesIn(typed, /^ {8}(\w+)\?/gm),
      ...namesIn(source, /emit\('(\w+)'/g),
      ...[...methods, "isOurError", "newStatus"],
    ];
  })(),
  "p-retry": [
    ...namesIn(read("node_modules/p-retry/index.d.ts"), /readonly (\w+)\??:/g),
    ...["AbortError", "makeRetriable"],
  ].filter((name) => !["name", "originalError"].includes(name)), // of AbortError
  cockatiel: [
    ...Object.keys(cockatiel).filter((name) => !/Policy$|^Event|^CircuitState$/.test(name)), // what the factories give,
    ...["BulkheadPolicy", "CircuitBreakerPolicy", "FallbackPolicy", "Policy", "RetryPolicy", "TimeoutPolicy"].flatMap(
      (file) =>
        namesIn(
          read(`node_modules/cockatiel/dist/${file}.d.ts`),
          /\b(on[A-Z]\w+(?<!Emitter)|dangerouslyUnref|abortOnReturn|maxAttempts|halfOpenAfter|halfOpenSampling|initialState)\b/g,
        ),
    ),
  ],
};

describe.each(peers)("the page for those who come from %s", (peer) => {
  const pairs = section(pageOf(peer), "Before and after")
    .split(/^### /m)
    .slice(1)
    .map((text) => ({ title: text.slice(0, text.indexOf("\n")), blocks: blocksOfPage(peer, text) }));

  it("has pairs: with the peer alone, then with holdfast alone, which print the same", () => {
    expect(pairs.length).toBeGreaterThanOrEqual(3);
    for (const { title, blocks } of pairs) {
      expect(blocks, title).toHaveLength(2);
      const [before = "", after = ""] = blocks.map(({ code }) => code);
      expect([comesFrom(before, peer), comesFrom(before, "holdfast")], title).toEqual([true, false]);
      expect([comesFrom(after, "holdfast"), ...peers.map((other) => comesFrom(after, other))], title).toEqual([
        true,
        ...peers.map(() => false),
      ]);
      expect(said(before).length, title).toBeGreaterThan(0);
      expect(said(after), title).toEqual(said(before));
    }
  });

  it("names the version that it was compared with", () => {
    const { version } = JSON.parse(read(`node_modules/${peer}/package.json`));
    expect(pageOf(peer)).toContain(`${peer} ${version.split(".")[0]}`);
  });

  it("leaves out none of its options, events and methods", () => {
    const table = section(pageOf(peer), "What maps to what");
    const isNamed = (name: string) => new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``).test(table);
    expect(everyName[peer].length).toBeGreaterThan(10);
    expect(everyName[peer].filter((name) => !isNamed(name))).toEqual([]);
  });
});
