// Words said when calling: one that is misspelt is not taken for none.
import { protect, settled } from "holdfast";
import { describe, expect, it } from "vitest";

function setup() {
  const calls: string[] = [];
  const operation = async (input: string) => {
    calls.push(input);
    return input;
  };
  return {
    calls,
    cached: protect("query", operation, { cache: { ttl: "1h" } }),
    bare: protect("query", operation),
    declared: protect("query", operation, { criticality: "critical" }),
  };
}

describe("a word that is none", () => {
  it.each([
    ["accept", "stale", '"any" or "fresh" or "uncached"'],
    ["criticality", "urgent", '"critical" or "normal" or "sheddable" or "background"'],
  ])("in `%s` rejects the call, and nothing is called", async (path, got, wanted) => {
    const { calls, cached, bare, declared } = setup();
    for (const call of [cached, bare, declared]) {
      const ended = await settled(call as typeof cached)("a", { [path]: got });
      expect(ended).toMatchObject({ ok: false, error: { code: "OPTIONS_INVALID", issues: [{ path, got, wanted }] } });
      expect(ended.story.attempts).toBe(0);
    }
    expect(calls).toEqual([]);
  });

  it("is not among those that are known", async () => {
    const { cached } = setup();
    for (const accept of ["any", "fresh", "uncached", undefined] as const)
      for (const criticality of ["critical", "normal", "sheddable", "background", undefined] as const)
        expect(await cached("a", { accept, criticality })).toBe("a");
  });
});
