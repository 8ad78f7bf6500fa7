import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type GateOptions, OutputRejectedError, protect, reviews, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

interface Tree {
  next?: Tree | undefined;
}
const Tree: z.ZodType<Tree> = z.object({
  get next() {
    return Tree.optional();
  },
});

function deep(depth: number): Tree {
  let tree: Tree = {};
  for (let i = 0; i < depth; i++) tree = { next: tree };
  return tree;
}

const throwing = () => {
  throw new Error("boo");
};
const hostile: [string, z.ZodType, () => unknown, object, object][] = [
  ["nested 10,000 deep", Tree, () => deep(10_000), { wanted: "less depth, and no circle" }, {}],
  [
    "a getter that throws",
    z.object({ a: z.string() }),
    () => Object.defineProperty({}, "a", { get: throwing, enumerable: true }),
    { path: "a", wanted: "something that can be read (boo)" },
    { a: "x" },
  ],
  [
    "a proxy that throws",
    z.object({ a: z.object({ b: z.string() }) }),
    () => ({ a: new Proxy({}, { get: throwing }) }),
    { path: "a", wanted: "something that can be read (boo)" },
    { a: { b: "x" } },
  ],
  [
    "a getter that throws, where the schema waits",
    z.object({ a: z.string() }).refine(async () => true),
    () => Object.defineProperty({}, "a", { get: throwing, enumerable: true }),
    { path: "a", wanted: "something that can be read (boo)" },
    { a: "x" },
  ],
];

/** What becomes of such an answer, tried twice, then asked of a tier. */
async function asked(schema: z.ZodType, make: () => unknown, gate: GateOptions<unknown> = {}, tier: unknown = make()) {
  const { clock } = setup();
  const operation = script<unknown>({ value: make() }, { value: make() });
  const call = protect("hostile", operation, {
    output: schema,
    gate,
    retry: { attempts: 2 },
    fallback: [{ name: "other", operation: async () => tier }],
  });
  const ended = settled(call)("x");
  await clock.advance("1m");
  return { operation, ...(await ended) };
}

describe("hostile output", () => {
  it.each(hostile)("%s is a rejection: tried again with the finding, then asked of the next tier", async (...given) => {
    const [, schema, make, finding] = given;
    const { operation, ...ended } = await asked(schema, make, {}, given[4]);
    expect(operation.calls).toHaveLength(2);
    expect(operation.calls[1]?.context.previous[0]?.error).toBeInstanceOf(OutputRejectedError);
    expect(ended.story.failures).toMatchObject([
      { kind: "quality", error: { findings: [finding] } },
      { kind: "quality", error: { findings: [finding] } },
    ]);
    expect(() => JSON.stringify(ended.story.failures[0]?.error)).not.toThrow();
  });

  it.each(hostile)("%s is kept for a person like any other", async (_, schema, make) => {
    const ended = await asked(schema, make, { onReject: "review", benchmark: { bytes: 1_000_000 } });
    expect(ended).toMatchObject({ ok: false, error: { code: "REVIEW_PENDING" } });
    for (const { id } of await reviews.pending()) await reviews.decide(id, { verdict: "reject", reason: "no" }, "ada");
  });

  it.each(["", { wanted: "" }])("an empty sentence is a mistake of the check, and said so: %o", async (answer) => {
    const ended = await asked(z.any(), () => ({ n: 1 }), { checks: [() => answer] });
    expect(ended).toMatchObject({ ok: false, error: { name: "TypeError" } });
    expect(String(ended.ok || ended.error)).toContain("An empty sentence is neither");
  });

  it("a check of one's own that throws stays that check's fault", async () => {
    const check = () => {
      throw new TypeError("my own mistake");
    };
    const { operation, ...ended } = await asked(z.any(), () => ({ n: 1 }), { checks: [check] });
    expect(ended).toMatchObject({ ok: false, error: new TypeError("my own mistake") });
    expect(operation.calls).toHaveLength(1);
  });
});
