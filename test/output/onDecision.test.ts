import { describe, expect, it } from "vitest";
import { type Decision, OptionsInvalidError, type Review, reviews } from "../../src/index.ts";
import { turn } from "../composition/setup.ts";
import { draft, flagged, poor, setup as queue } from "./review-setup.ts";

const approve = { verdict: "approve" } as const;

function setup() {
  const heard: [Review, Decision][] = [];
  return {
    ...queue(),
    heard,
    hear: async (review: Review, decision: Decision) => void heard.push([review, decision]),
    /** Flags one, and decides. */
    async decided(decision: Decision, name = "draft") {
      const { id } = await flagged(draft(poor, "review", name)("x"));
      await reviews.decide(id, decision, "ada");
      await turn();
      return id;
    },
  };
}

describe("reviews.onDecision", () => {
  it.each<Decision>([
    approve,
    { verdict: "amend", output: { title: "moons", claims: [] } },
    { verdict: "reject", reason: "no" },
  ])("gets the review and the verdict that nobody waits for any more: %o", async (decision) => {
    const { heard, hear, decided } = setup();
    reviews.onDecision("draft", hear);
    const id = await decided(decision);
    expect(heard).toMatchObject([[{ id, name: "draft", input: "x", output: poor }, decision]]);
  });

  it("gets those of its call's name only, one at a verdict", async () => {
    const { heard, hear, decided } = setup();
    reviews.onDecision("draft", hear);
    await decided(approve, "other");
    const id = await decided(approve);
    expect(heard.map(([review]) => review.id)).toEqual([id]);
  });

  it("registered later, it still gets what is undelivered", async () => {
    const { heard, hear, decided } = setup();
    const ids = [await decided(approve), await decided(approve)];
    reviews.onDecision("draft", hear);
    await turn();
    expect(heard.map(([review]) => review.id)).toEqual(ids);
  });

  it("a handler that fails is tried again with back-off, for as long as it fails, with the same id", async () => {
    const { clock, seen, decided } = setup();
    const at: number[] = [];
    const ids = new Set<string>();
    reviews.onDecision("draft", async ({ id }) => {
      at.push(clock.now());
      ids.add(id);
      if (at.length < 12) throw new Error("the database is away");
    });
    await decided(approve);
    await clock.advance("1h");
    const waits = at.slice(1).map((ms, i) => (ms - (at[i] as number)) / 750); // chance says 0.5: three quarters of each
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1));
    expect(ids.size).toBe(1);
    expect(seen.of("listener.failed")).toHaveLength(11);
    expect(seen.of("listener.failed")[0]).toMatchObject({ heard: "review.decided", name: "draft" });
    expect(clock.sleepers).toBe(0);
  });

  it("a handler that throws at once is tried again too", async () => {
    const { clock, decided } = setup();
    let calls = 0;
    reviews.onDecision("draft", () => {
      if (++calls === 1) throw new Error("no");
      return Promise.resolve();
    });
    await decided(approve);
    await clock.advance("1m");
    expect(calls).toBe(2);
  });

  it("one that hangs or fails holds up no other", async () => {
    const { heard, hear, decided } = setup();
    let first = true;
    reviews.onDecision("draft", async (review, decision) => {
      if (!first) return hear(review, decision);
      first = false;
      return new Promise(() => {});
    });
    await decided(approve);
    const second = await decided(approve);
    expect(heard.map(([review]) => review.id)).toEqual([second]);
  });

  it("undone, it gets no more; what comes meanwhile waits for the next", async () => {
    const { heard, hear, decided } = setup();
    const undo = reviews.onDecision("draft", hear);
    undo();
    const id = await decided(approve);
    expect(heard).toEqual([]);
    reviews.onDecision("draft", hear);
    undo(); // once more, it is nobody's
    await turn();
    expect(heard.map(([review]) => review.id)).toEqual([id]);
  });

  it("what it is given is its own: what it does to it changes no second try", async () => {
    const { clock, decided } = setup();
    const titles: string[] = [];
    reviews.onDecision("draft", async (review) => {
      const output = review.output as { title: string };
      titles.push(output.title);
      output.title = "changed";
      if (titles.length === 1) throw new Error("no");
    });
    await decided(approve);
    await clock.advance("1m");
    expect(titles).toEqual(["tides", "tides"]);
  });

  it("there is one for a name, so that what it does happens once", () => {
    const { hear } = setup();
    reviews.onDecision("draft", hear);
    expect(() => reviews.onDecision("draft", hear)).toThrow(/name: wanted a name without a handler: undo the first/);
    expect(() => reviews.onDecision("", hear)).toThrow(OptionsInvalidError);
    expect(() => reviews.onDecision("x", 1 as never)).toThrow(/handler: wanted a function/);
  });
});
