// What waits for a person, out of one process and into another: here the other is this one after a `reset()`; test/cli has real ones.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Decision, OptionsInvalidError, protect, type Review, reviews, settled } from "../../src/index.ts";
import { checksum } from "../../src/output/review/checksum.ts";
import { decode, encode } from "../../src/output/review/encode.ts";
import { reset } from "../../src/testing/index.ts";
import { turn } from "../composition/setup.ts";
import { draft, flagged, only, poor, setup as queue } from "./review-setup.ts";

const approve = { verdict: "approve" } as const;

function setup() {
  const heard: [string, Decision][] = [];
  return {
    ...queue(),
    heard,
    hear: async ({ id }: Review, decision: Decision) => void heard.push([id, decision]),
    /** As a process has it that has just begun. */
    async restarted(text = reviews.save()) {
      reset();
      return reviews.restore(text);
    },
  };
}

/** The text as somebody writes it who decides on it elsewhere. */
function withVerdict(text: string, decision: unknown, at = 0): string {
  const { reviews } = JSON.parse(text) as { reviews: object[] };
  const decided = reviews.map((review) => ({ ...review, decided: { decision, by: "ada", at, told: false } }));
  return JSON.stringify({
    holdfast: "reviews",
    version: 1,
    checksum: checksum(JSON.stringify(decided)),
    reviews: decided,
  });
}

describe("reviews.save and restore", () => {
  it("after a restart a pending review is found and decided with the text alone, and asks the model for nothing", async () => {
    const { restarted, heard, hear, seen } = setup();
    const before = await flagged(draft()("tides"));
    expect(await restarted()).toEqual({ added: 1, decided: 0, refused: [] });
    expect(await only()).toEqual(before);
    reviews.onDecision("draft", hear);
    await reviews.decide(before.id, approve, "ada");
    await turn();
    expect(heard).toEqual([[before.id, approve]]);
    expect(seen.of("attempt.started")).toHaveLength(1);
  });

  it("undelivered verdicts survive too, are told once, and go to a handler registered later", async () => {
    const { restarted, heard, hear, seen } = setup();
    const { id } = await flagged(draft()("x"));
    const amended = { verdict: "amend", output: { title: "moons", claims: ["one"] } } as const;
    await reviews.decide(id, amended, "ada");
    expect(await restarted()).toEqual({ added: 0, decided: 1, refused: [] });
    reviews.onDecision("draft", hear);
    await turn();
    expect(heard).toEqual([[id, amended]]);
    expect(seen.of("review.decided")).toHaveLength(1);
    expect(JSON.parse(reviews.save()).reviews).toEqual([]);
  });

  it("a verdict that was given elsewhere reaches the call that waits", async () => {
    const { seen } = setup();
    const ended = settled(draft(poor, { await: "5m" }))("x");
    await turn();
    expect(await reviews.restore(withVerdict(reviews.save(), approve))).toMatchObject({ decided: 1 });
    expect(await ended).toMatchObject({ ok: true, value: poor, story: { state: "flagged" } });
    expect(seen.of("review.decided")).toMatchObject([{ verdict: "approved", by: "ada" }]);
  });

  it("a verdict given elsewhere is held against the schema of the declared call of that name", async () => {
    const { restarted, seen } = setup();
    const { id } = await flagged(draft({ title: 5, claims: [] })("x"));
    const text = reviews.save();
    const bad = withVerdict(text, { verdict: "amend", output: { title: 6 } });
    expect(await restarted(bad)).toMatchObject({ decided: 0, refused: [{ why: "unfit", reviewId: id }] });
    expect(seen.of("review.refused")).toMatchObject([{ why: "unfit", reviewId: id }]);
    expect((await only()).id).toBe(id);
    expect(await restarted(withVerdict(text, approve))).toMatchObject({ refused: [{ why: "unfit" }] });
    expect(await restarted(withVerdict(text, { verdict: "amend", output: poor }))).toMatchObject({ decided: 1 });
  });

  it("an amended output is handed on as the schema makes it, also after two restarts", async () => {
    const { restarted, heard, hear } = setup();
    const call = protect("count", async (): Promise<unknown> => "x", {
      output: z.object({ n: z.string().transform(Number) }),
      gate: { onReject: "review" },
    });
    await flagged(call());
    await restarted(withVerdict(reviews.save(), { verdict: "amend", output: { n: "3" } }));
    await restarted();
    reviews.onDecision("count", hear);
    await turn();
    expect(heard).toMatchObject([[expect.any(String), { verdict: "amend", output: { n: 3 } }]]);
  });

  it("a verdict holds only for the exact output that was shown: a text that tells otherwise of a review takes nothing in", async () => {
    const { restarted } = setup();
    const { id } = await flagged(draft()("x"));
    const text = reviews.save();
    const other = withVerdict(text.replaceAll("tides", "moons"), approve);
    const error = await reviews.restore(other).catch((error) => error);
    expect(error).toBeInstanceOf(OptionsInvalidError);
    expect(error.issues).toEqual([{ path: id, wanted: "the same review as is known here" }]);
    expect(await only()).toMatchObject({ id, output: poor });
    expect(await restarted(other)).toMatchObject({ decided: 1 }); // where nothing else is known, it is what was shown
  });

  it("read twice, or late, it decides nothing twice and brings nothing back", async () => {
    const { heard, hear } = setup();
    reviews.onDecision("draft", hear);
    const { id } = await flagged(draft()("x"));
    const before = reviews.save();
    const decided = withVerdict(before, approve);
    await Promise.all([reviews.restore(decided), reviews.restore(decided)]);
    await turn();
    for (const text of [decided, before])
      expect(await reviews.restore(text)).toEqual({ added: 0, decided: 0, refused: [] });
    expect(heard).toEqual([[id, approve]]);
    expect(await reviews.pending()).toEqual([]);
  });

  it("what expired meanwhile is expired, and told; what was decided in time is taken, however late it comes", async () => {
    const { clock, restarted, seen } = setup();
    await flagged(draft()("x"));
    const text = reviews.save();
    reset();
    await clock.advance("25h");
    await restarted(text);
    expect(await reviews.pending()).toEqual([]);
    expect(seen.of("review.decided")).toMatchObject([{ verdict: "expired" }]);
    expect(await restarted(withVerdict(text, approve, 1_000))).toMatchObject({ decided: 1 });
    expect(await restarted(withVerdict(text, approve, 24 * 3_600_000))).toMatchObject({ decided: 0 });
    expect(seen.of("review.decided").map(({ verdict }) => verdict)).toEqual(["expired", "approved", "expired"]);
  });

  it("claims go with it", async () => {
    const { restarted } = setup();
    const { id } = await flagged(draft()("x"));
    await reviews.claim(id, "ada");
    await restarted();
    await expect(reviews.decide(id, approve, "bob")).rejects.toMatchObject({ why: "claimed", by: "ada" });
  });

  it("takes in more than are kept: what was kept once is not dropped", async () => {
    const { restarted } = setup();
    for (const topic of ["a", "b", "c"]) await flagged(draft()(topic));
    reviews.keep({ max: 2 });
    expect(await restarted()).toMatchObject({ added: 3 });
    await expect(draft()("d")).rejects.toMatchObject({ code: "OUTPUT_REJECTED" });
  });

  it.each<[string, (text: string) => string]>([
    ["nothing", () => ""],
    ["no JSON", (text) => text.slice(0, -3)],
    ["another's", () => '{"state":"closed"}'],
    ["of another version", (text) => text.replace('"version":1', '"version":2')],
    ["edited by hand", (text) => text.replace("tides", "moons")],
    ["with one review less", (text) => JSON.stringify({ ...JSON.parse(text), reviews: [] })],
    ["with a key too many", (text) => text.replace('"version"', '"more":1,"version"')],
    ["with a verdict that cannot be read", (text) => withVerdict(text, { verdict: "approved" })],
    [
      "with data of an unknown kind",
      (text) => withVerdict(text, { verdict: "amend", output: { $holdfast: "secret" } }),
    ],
  ])("a text that is broken throws and loses nothing: %s", async (_, breaking) => {
    const { seen } = setup();
    const review = await flagged(draft()("x"));
    const text = reviews.save();
    await expect(reviews.restore(breaking(text))).rejects.toThrow(OptionsInvalidError);
    expect(await reviews.pending()).toEqual([review]);
    expect(reviews.save()).toBe(text);
    expect(seen.of("review.decided")).toEqual([]);
  });

  it("no error repeats what a text holds", async () => {
    setup();
    await flagged(draft()("a private topic"));
    const text = reviews.save();
    for (const broken of [text.slice(0, -3), text.replace("private", "public"), text.replace("}", "]")]) {
      const error = await reviews.restore(broken).catch((error) => error);
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/private|public/);
    }
  });

  it("may be laid out anew", async () => {
    const { restarted } = setup();
    await flagged(draft()("x"));
    expect(await restarted(JSON.stringify(JSON.parse(reviews.save()), null, 2))).toMatchObject({ added: 1 });
  });
});

describe("the text", () => {
  const data = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    maxDepth: 4,
    withObjectString: true,
  });
  it("holds plain data exactly", () => {
    fc.assert(
      fc.property(data, (value) => {
        const back = decode(JSON.parse(JSON.stringify(encode(value))));
        expect(back).toStrictEqual(value);
      }),
    );
  });

  it("holds data that looks like a mark of its own", () => {
    for (const value of [
      { $holdfast: "date", value: 5 },
      { $holdfast: { $holdfast: "object" } },
      JSON.parse('{"__proto__":1}'),
    ])
      expect(decode(JSON.parse(JSON.stringify(encode(value))))).toEqual(value);
  });

  it("has the checksum that others count too", () => {
    expect(checksum("123456789")).toBe("cbf43926");
    expect(checksum("")).toBe("00000000");
  });
});

describe("reviews.revoke", () => {
  it("approved, then revoked before release: not delivered, and it waits again", async () => {
    const { heard, hear, seen } = setup();
    const { id } = await flagged(draft()("x"));
    await reviews.decide(id, approve, "ada");
    await reviews.revoke(id, "ada");
    reviews.onDecision("draft", hear);
    await turn();
    expect(heard).toEqual([]);
    expect((await only()).id).toBe(id);
    expect(seen.of("review.revoked")).toMatchObject([{ reviewId: id, by: "ada", name: "draft" }]);
    await reviews.decide(id, { verdict: "reject", reason: "no" }, "ada");
    await turn();
    expect(heard).toEqual([[id, { verdict: "reject", reason: "no" }]]);
  });

  it("what was handed on is not taken back, also where the handler failed", async () => {
    setup();
    reviews.onDecision("draft", async () => Promise.reject(new Error("no")));
    const { id } = await flagged(draft()("x"));
    await reviews.decide(id, approve, "ada");
    await turn();
    await expect(reviews.revoke(id, "ada")).rejects.toMatchObject({ why: "decided" });
    await expect(reviews.revoke("none", "ada")).rejects.toMatchObject({ why: "unknown" });
    const other = await flagged(draft()("y"));
    await expect(reviews.revoke(other.id, "ada")).rejects.toThrow(`Review ${other.id} of "draft" has no verdict yet.`);
  });
});
