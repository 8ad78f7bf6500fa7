// What the providers say in their own logs that they answered, beside what the bus told of it.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prices } from "holdfast";
import { record, reset } from "holdfast/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { readFolder } from "../../examples/workforce/documents.ts";
import { run } from "../../examples/workforce/run.ts";
import { figuresOf, table } from "../../examples/workforce/table.ts";

vi.setConfig({ testTimeout: 120_000 });

const page = (subject: string) => `# The ${subject}

A ${subject} protects a call that may fail. It waits 5 ms before it tries once more, and it tries 3 times in all.
Each ${subject} has a state of its own. Nobody but the ${subject} changes this state.

## When not to use a ${subject}

A ${subject} costs 0.4 µs a call. Where a call cannot fail, a ${subject} is of no use. Ask Dr. Smith.
`;
const subjects = [
  "retry",
  "breaker",
  "timeout",
  "fallback",
  "deadline",
  "guard",
  "gate",
  "bulkhead",
  "cache",
  "policy",
];
const pages = Object.fromEntries(subjects.map((each) => [`${each}.md`, page(each)]));

interface Logged {
  readonly request: string;
  readonly status: number;
  readonly flaw?: string;
}

/** One protected run on a folder of these files, with all that the bus told. */
async function job(seed: number, files: Readonly<Record<string, string>> = pages) {
  reset();
  const cwd = mkdtempSync(join(tmpdir(), "workforce-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  mkdirSync(join(cwd, "in"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, "in", name), content);
  const out = join(cwd, "briefs");
  const folder = join(cwd, "in");
  const { root, documents } = await readFolder(folder);
  const seen = record();
  const done = await run("protected", { root, documents, seed, out });
  seen.stop();
  const logged = readdirSync(join(out, "log")).flatMap((file): Logged[] =>
    readFileSync(join(out, "log", file), "utf8")
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line)])),
  );
  return { done, seen, out, logged, figures: figuresOf(done, 0) };
}

/** The attempts at the providers, by the id that each sent: which were rejected or repaired, and of which no answer came. */
function endsOf({ events }: ReturnType<typeof record>) {
  const at = new Map<string | undefined, number>();
  const ids = { rejected: new Set<string>(), repaired: new Set<string>(), unheard: new Set<string>() };
  for (const event of events) {
    if (!["alpha", "beta", "gamma"].includes(event.component)) continue;
    if (event.type === "attempt.started") at.set(event.call, event.attempt);
    const id = `${event.call}-${"attempt" in event ? event.attempt : at.get(event.call)}`;
    if (event.type === "output.rejected") ids.rejected.add(id);
    if (event.type === "output.repaired") ids.repaired.add(id);
    if (event.type === "attempt.abandoned") ids.unheard.add(id);
    if (event.type === "attempt.failed" && !["quality", "contentFiltered"].includes(event.kind)) ids.unheard.add(id);
  }
  return ids;
}

describe("the main job", () => {
  it("tells of as many rejections as its providers gave bad answers by their own logs, repaired ones aside", async () => {
    let all = 0;
    // a run may be over before a provider has begun to lie
    for (const seed of [11, 12, 13]) {
      const { done, seen, logged, figures } = await job(seed);
      const { rejected, repaired, unheard } = endsOf(seen);

      const bad = logged.filter(({ flaw, request }) => flaw !== undefined && !unheard.has(request));
      all += bad.length;

      expect(new Set(bad.map(({ request }) => request))).toEqual(new Set([...rejected, ...repaired]));
      expect(bad.length).toBe(rejected.size + repaired.size);
      expect(figures).toMatchObject({ rejectedOut: rejected.size, repaired: repaired.size });
      const mended = bad.filter(({ flaw }) => flaw === "fenced" || flaw === "broken");
      expect(new Set(mended.map(({ request }) => request))).toEqual(repaired);
      expect(done.audit).toMatchObject({ lost: [], unchecked: [] });
    }
    expect(all).toBeGreaterThan(0);
  });

  it("flags a document that no model will read, and loses none and delivers none unchecked", async () => {
    const secret = "# The keys\n\nThis page is not to be read by machines. It has 3 keys.\n";
    const { done, seen, out, figures, logged } = await job(14, { ...pages, "secret.md": secret });

    expect(done.audit).toMatchObject({ delivered: subjects.length, lost: [], unchecked: [] });
    expect([...done.audit.flagged.keys()]).toEqual(["secret.md"]);
    // any one of the three may be out of order just then: two that have read it and refused are enough to ask no more
    const why = done.audit.flagged.get("secret.md");
    expect(why).toMatch(/^wanted a brief that the team has finished, got (alpha|beta|gamma): /);
    expect(why?.match(/contentFiltered/g)?.length).toBeGreaterThanOrEqual(2);
    expect(figures).toMatchObject({ flagged: 1, delivered: subjects.length, documents: subjects.length + 1 });
    expect(seen.of("output.flagged")).toMatchObject([{ name: "brief", labels: { document: "secret.md" } }]);
    expect(readdirSync(out)).not.toContain("secret.md.brief.md");
    expect(logged.some(({ flaw }) => flaw === "refusal")).toBe(true);
  });

  it("shows tokens and money of each provider, and one without a price as such", async () => {
    const { figures, seen, logged } = await job(15);

    expect(prices.of("gamma-2026-01-01")).toBeUndefined();
    const { alpha, gamma } = figures.bill;
    expect(alpha?.money).toBeGreaterThan(0);
    expect(gamma).toMatchObject({ unpriced: ["gamma-2026-01-01"] });
    expect(gamma).not.toHaveProperty("money");
    expect(table([figures])).toMatch(/\nmoney, gamma +no price\nmoney in all +at least \d/);
    expect(seen.of("output.unpriced").length).toBeGreaterThan(0);
    expect(logged.length).toBeGreaterThan(0);
  });

  it("corrects what a document has too much of, and says so", async () => {
    const headings = Array.from(
      { length: 20 },
      (_, at) => `## Part ${at} ${"of a long story ".repeat(at === 3 ? 20 : 1)}`,
    );
    const { done, seen, figures } = await job(16, {
      "long.md": `${page("story")}\n${headings.join("\n\nIt goes on.\n\n")}\n`,
    });

    expect(done.audit).toMatchObject({ delivered: 1, lost: [], unchecked: [] });
    expect(seen.of("input.corrected").map(({ path, rule }) => [path, rule])).toEqual(
      expect.arrayContaining([["headings", "firstOnes"]]),
    );
    expect(figures.corrected).toBe(seen.of("input.corrected").length);
  });
});
