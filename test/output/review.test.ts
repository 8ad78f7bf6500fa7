import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  gate,
  guard,
  HoldfastError,
  OptionsInvalidError,
  pipe,
  protect,
  type Review,
  ReviewConflictError,
  ReviewExpiredError,
  reviews,
} from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { turn } from "../composition/setup.ts";
import { claims, draft, flagged, only, poor, Report, setup } from "./review-setup.ts";

const approve = { verdict: "approve" } as const;

function circle(): unknown {
  const one = { of: {} };
  one.of = { one };
  return one;
}

describe("reviews.pending", () => {
  it("gives all that wait, the oldest first", async () => {
    const { clock } = setup();
    for (const title of ["a", "b", "c"]) {
      await flagged(draft({ ...poor, title })("x"));
      await clock.advance("1s");
    }
    expect((await reviews.pending()).map(({ output, at }) => [(output as Report).title, at])).toEqual([
      ["a", 0],
      ["b", 1_000],
      ["c", 2_000],
    ]);
  });

  it("holds a snapshot: what becomes of the objects changes neither what is shown nor what is judged", async () => {
    setup();
    const input = { topic: "tides", deep: { list: [1] } };
    const output = { title: "tides", claims: [] as string[] };
    const call = protect("draft", async (_: typeof input): Promise<unknown> => output, {
      output: Report,
      gate: { checks: [claims], onReject: "review" },
    });
    const shown = await flagged(call(input));
    input.deep.list.push(2);
    output.claims.push("changed");
    (shown.output as Report).claims.push("changed by the one who was shown it");
    expect(await only()).toMatchObject({ input: { topic: "tides", deep: { list: [1] } }, output: poor });
  });

  it("is of the moment of refusal, also where a later attempt changes the same object", async () => {
    const { clock } = setup();
    const output = { title: "first", claims: [] as string[] };
    let no = 0;
    const call = protect(
      "draft",
      async (): Promise<unknown> => {
        if (++no === 1) return output;
        output.title = "half written";
        throw new Error("down");
      },
      { output: Report, gate: { checks: [claims], onReject: "review" }, retry: { attempts: 2 } },
    );
    const review = flagged(call());
    await clock.advance("1m");
    expect(await review).toMatchObject({ output: { title: "first" } });
  });

  it("keeps dates, maps, sets, bigints and undefined as they are", async () => {
    setup();
    const output = { at: new Date(5), by: new Map([["a", new Set([1n])]]), none: undefined, ["__proto__"]: 1 };
    const call = protect("draft", async (): Promise<unknown> => output, {
      gate: { checks: [() => "x"], onReject: { await: "5m" } },
    });
    const ended = call();
    await turn();
    const { id, output: shown, fits } = await only();
    expect([shown, fits]).toEqual([output, true]);
    await reviews.decide(id, approve, "ada");
    const value = await ended;
    expect(value).toEqual(output);
    expect(value).not.toBe(output);
  });

  it.each([
    [
      "an instance of a class",
      new (class Draft {
        title = "tides";
      })(),
    ],
    ["a function in it", { title: "tides", render: () => "x" }],
    ["a circle", circle()],
    ["a stream", new Blob(["x"]).stream()],
    [
      "one that throws when it is read",
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no");
          },
        },
      ),
    ],
  ])("what is no plain data is told of, and cannot be approved: %s", async (_, output) => {
    setup();
    const call = protect("draft", async (): Promise<unknown> => output, {
      gate: { checks: [() => "x"], onReject: "review" },
    });
    const review = await flagged(call());
    expect(review).toMatchObject({ output: expect.any(String), fits: false });
    await expect(reviews.decide(review.id, approve, "ada")).rejects.toMatchObject({ why: "unfit" });
    await reviews.decide(review.id, { verdict: "amend", output: "a text" }, "ada");
  });

  it("what a guard calls secret is not in it, by the paths of what the caller gave", async () => {
    setup();
    const Input = z
      .object({ topic: z.string(), key: z.string(), users: z.array(z.object({ name: z.string(), mail: z.string() })) })
      .transform(({ topic, key, users }) => ({ topic, headers: { auth: `Bearer ${key}` }, users }));
    const given = { topic: "tides", key: "sk-1", users: [{ name: "Ada", mail: "ada@x.org" }] };
    const shown = { topic: "tides", key: "[secret]", users: [{ name: "Ada", mail: "[secret]" }] };
    const options = { checks: [claims], onReject: "review" } as const;
    const declared = protect("draft", async (_): Promise<unknown> => poor, {
      input: Input,
      guard: { secret: ["key", "users.*.mail"] },
      output: Report,
      gate: options,
      retry: { attempts: 1 },
    });
    expect((await flagged(declared(given))).input).toEqual(shown);
    const piped = pipe(
      async (_: z.output<typeof Input>): Promise<unknown> => poor,
      gate(Report, options),
      guard(Input, { secret: ["key", "users.*.mail"] }),
    );
    expect((await flagged(piped(given))).input).toEqual(shown);
    expect(JSON.stringify(await reviews.pending())).not.toMatch(/sk-1|ada@/);
  });

  it.each([
    ["all of it", { key: 1 }, [""], "[secret]"],
    ["what is no plain data", { key: 1, f: () => 1 }, ["key"], "[secret]"],
    ["in a map", { keys: new Map([["a", "sk-1"]]) }, ["keys.a"], { keys: new Map([["a", "[secret]"]]) }],
  ])("secret is also %s", async (_, input, secret, shown) => {
    setup();
    const call = protect("draft", async (_: unknown): Promise<unknown> => poor, {
      guard: { secret },
      output: Report,
      gate: { checks: [claims], onReject: "review" },
    });
    expect((await flagged(call(input))).input).toEqual(shown);
  });
});

describe("reviews.claim", () => {
  it("holds others off: neither a claim nor a verdict of theirs is taken", async () => {
    setup();
    const { id } = await flagged(draft()("x"));
    expect(await reviews.claim(id, "ada")).toMatchObject({ id, claimed: { by: "ada", until: 15 * 60_000 } });
    for (const attempt of [() => reviews.claim(id, "bob"), () => reviews.decide(id, approve, "bob")]) {
      const error = await attempt().catch((error) => error);
      expect(error).toMatchObject({ code: "REVIEW_CONFLICT", why: "claimed", by: "ada", reviewId: id });
      expect(error.message).toBe(`Review ${id} of "draft" is being looked at by ada.`);
    }
    expect(await only()).toMatchObject({ claimed: { by: "ada" } });
    await reviews.decide(id, approve, "ada");
  });

  it("ends by itself, so that a reviewer who goes home does not block it; again by the same, it begins anew", async () => {
    const { clock } = setup();
    reviews.keep({ claim: "10m" });
    const { id } = await flagged(draft()("x"));
    await reviews.claim(id, "ada");
    await clock.advance("9m");
    await reviews.claim(id, "ada");
    await clock.advance("9m");
    await expect(reviews.claim(id, "bob")).rejects.toThrow(ReviewConflictError);
    await clock.advance("1m");
    expect(await only()).not.toHaveProperty("claimed");
    expect(await reviews.claim(id, "bob")).toMatchObject({ claimed: { by: "bob" } });
  });
});

describe("reviews.decide", () => {
  it("two verdicts at once: one is taken, the other gets an error, the effect happens once", async () => {
    const { seen } = setup();
    const effects: unknown[] = [];
    reviews.onDecision("draft", async (_, decision) => void effects.push(decision));
    const { id } = await flagged(draft()("x"));
    const both = await Promise.allSettled([
      reviews.decide(id, approve, "ada"),
      reviews.decide(id, { verdict: "reject", reason: "no" }, "bob"),
    ]);
    expect(both).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { why: "decided", reviewId: id } },
    ]);
    await turn();
    expect(effects).toEqual([approve]);
    expect(seen.of("review.decided")).toMatchObject([{ verdict: "approved" }]);
    await expect(reviews.decide(id, approve, "ada")).rejects.toThrow(
      `Review ${id} of "draft" has its verdict already.`,
    );
  });

  it("two verdicts while a schema is being asked: likewise", async () => {
    setup();
    const call = protect("draft", async (): Promise<unknown> => "x", {
      output: z.string().refine(async (text) => text !== "x"),
      gate: { onReject: "review" },
    });
    const { id } = await flagged(call());
    const amend = (output: string) => reviews.decide(id, { verdict: "amend", output }, "ada");
    const both = await Promise.allSettled([amend("x"), amend("y")]);
    expect(both).toMatchObject([{ reason: { why: "unfit" } }, { reason: { why: "decided" } }]);
    await amend("y");
    expect(await reviews.pending()).toEqual([]);
  });

  it.each([
    ["no verdict", undefined],
    ["an empty one", {}],
    ["a word", "approve"],
    ["a verdict of another system", { verdict: "approved" }],
    ["an inherited verdict", Object.create({ verdict: "approve" })],
    ["approval with an output", { verdict: "approve", output: poor }],
    ["an amendment without output", { verdict: "amend" }],
    ["a rejection without reason", { verdict: "reject" }],
    ["a rejection with an empty reason", { verdict: "reject", reason: "" }],
  ])("a verdict that cannot be read leaves it pending, never approved: %s", async (_, decision) => {
    const { seen } = setup();
    const { id } = await flagged(draft()("x"));
    await expect(reviews.decide(id, decision as never, "ada")).rejects.toThrow(OptionsInvalidError);
    expect((await only()).id).toBe(id);
    expect(seen.of("review.decided")).toEqual([]);
  });

  it.each([[undefined], [""], [null], [0]])(
    "several pending, no id given (%o): an error, not the first one",
    async (id) => {
      setup();
      await flagged(draft()("x"));
      await flagged(draft()("y"));
      for (const asked of [reviews.decide(id as never, approve, "ada"), reviews.claim(id as never, "ada")])
        expect(await asked.catch((error) => error)).toMatchObject({
          code: "OPTIONS_INVALID",
          issues: [{ path: "id" }],
        });
      expect(await reviews.pending()).toHaveLength(2);
    },
  );

  it("wants to know who decides", async () => {
    setup();
    const { id } = await flagged(draft()("x"));
    await expect(reviews.decide(id, approve, "")).rejects.toThrow(/by: /);
    await expect(reviews.claim(id, undefined as never)).rejects.toThrow(/by: /);
  });

  it("a review that is not there is a conflict of its own", async () => {
    setup();
    const error = await reviews.decide("none", approve, "ada").catch((error) => error);
    expect(error).toMatchObject({ why: "unknown", reviewId: "none" });
    expect(HoldfastError.is(error, "REVIEW_CONFLICT")).toBe(true);
  });

  it("a person overrules checks, judge and benchmark, never the schema: what does not fit stays pending", async () => {
    const { seen } = setup();
    const poorForm = await flagged(draft({ title: 5, claims: [] })("x"));
    expect(poorForm.fits).toBe(false);
    for (const decision of [approve, { verdict: "amend", output: { title: 6, claims: [] } } as const]) {
      const error = await reviews.decide(poorForm.id, decision, "ada").catch((error) => error);
      expect(error).toMatchObject({ why: "unfit", findings: [{ path: "title" }] });
      expect(error.message).toContain("stays pending: what was to be delivered does not fit. title: wanted");
    }
    expect(seen.of("review.refused")).toMatchObject([{ why: "unfit", reviewId: poorForm.id }, { why: "unfit" }]);
    expect(await only()).toMatchObject({ id: poorForm.id });
    await reviews.decide(poorForm.id, { verdict: "amend", output: poor }, "ada"); // poor still, but of the right form
    expect(await reviews.pending()).toEqual([]);
  });

  it("an answer that was cut off can be approved only where it has the form as it is; it is not repaired", async () => {
    setup();
    const cut = '{"title": "tides", "claims": ["twice';
    const call = protect("draft", async (): Promise<unknown> => cut, {
      output: Report,
      gate: { repair: ["json"], onReject: "review" },
    });
    const review = await flagged(call());
    expect(review).toMatchObject({ output: cut, fits: undefined });
    await expect(reviews.decide(review.id, approve, "ada")).rejects.toMatchObject({ why: "unfit" });
    const free = protect("free", async (): Promise<unknown> => ({ choices: [{ finish_reason: "length" }] }), {
      gate: { onReject: "review" },
    });
    const whole = await flagged(free());
    expect(whole.fits).toBe(true);
    await reviews.decide(whole.id, approve, "ada");
    expect(await only()).toMatchObject({ id: review.id });
  });

  it("a schema that throws decides nothing", async () => {
    setup();
    let broken = false;
    const schema = z.string().refine((text) => {
      if (broken) throw new Error("broken");
      return text === "y";
    });
    const { id } = await flagged(
      protect("draft", async (): Promise<unknown> => "x", { output: schema, gate: { onReject: "review" } })(),
    );
    broken = true;
    await expect(reviews.decide(id, { verdict: "amend", output: "y" }, "ada")).rejects.toThrow("broken");
    broken = false;
    await reviews.decide(id, { verdict: "amend", output: "y" }, "ada");
  });

  it("what is amended is taken as it is at that moment", async () => {
    setup();
    const got: unknown[] = [];
    reviews.onDecision("draft", async (_, decision) => void got.push(decision));
    const { id } = await flagged(draft()("x"));
    const output = { title: "tides", claims: ["twice a day"] };
    const deciding = reviews.decide(id, { verdict: "amend", output }, "ada");
    output.title = "changed since";
    await deciding;
    await turn();
    expect(got).toEqual([{ verdict: "amend", output: { title: "tides", claims: ["twice a day"] } }]);
  });
});

describe("reviews.keep", () => {
  it("24 hours by default: then it is expired, told, and cannot be decided any more", async () => {
    const { clock, seen } = setup();
    const { id, expiresAt } = await flagged(draft()("x"));
    expect(expiresAt).toBe(24 * 3_600_000);
    await clock.advance("24h");
    expect(seen.of("review.decided")).toMatchObject([
      { reviewId: id, verdict: "expired", by: undefined, name: "draft" },
    ]);
    expect(await reviews.pending()).toEqual([]);
    const error = await reviews.decide(id, approve, "ada").catch((error) => error);
    expect(error).toBeInstanceOf(ReviewExpiredError);
    expect(error).toMatchObject({ code: "REVIEW_EXPIRED", reviewId: id });
    expect(error.message).toBe(`Review ${id} of "draft" has expired: nobody decided in time.`);
  });

  it("as long as is said, also for longer than a timer counts", async () => {
    const { clock, seen } = setup();
    reviews.keep({ for: `${24 * 60}h` });
    await flagged(draft()("x"));
    await clock.advance(`${24 * 60 - 1}h`);
    expect(await reviews.pending()).toHaveLength(1);
    await clock.advance("1h");
    expect(seen.of("review.decided")).toHaveLength(1);
  });

  it("nothing more than `max` is kept, and nothing is dropped unsaid: the call fails with its output", async () => {
    const { seen } = setup();
    reviews.keep({ max: 1 });
    const first = await flagged(draft()("x"));
    const error = await draft({ ...poor, title: "second" })("x").catch((error) => error);
    expect(error).toMatchObject({ code: "OUTPUT_REJECTED", output: { title: "second" } });
    expect(error.message).toContain("a place among the 1 reviews that are kept");
    expect(seen.of("review.refused")).toMatchObject([{ why: "full", reviewId: undefined, severity: "warning" }]);
    expect(seen.of("call.settled").at(-1)).toMatchObject({ state: "failed" });
    await reviews.decide(first.id, approve, "ada");
    // its verdict is not taken yet, and is kept too
    await expect(draft()("x")).rejects.toMatchObject({ code: "OUTPUT_REJECTED" });
    reviews.onDecision("draft", async () => {});
    await turn();
    expect(await flagged(draft()("x"))).toMatchObject({ output: poor });
  });

  it("where it is full after another failure, the rejection has that as its cause", async () => {
    const { clock } = setup();
    reviews.keep({ max: 1 });
    await flagged(draft()("x"));
    const call = protect("draft", async (): Promise<unknown> => poor, {
      output: Report,
      gate: { checks: [claims], onReject: { await: "5m" } },
      fallback: [async () => Promise.reject(new Error("down"))],
    });
    const error = call().catch((error) => error);
    await clock.advance("1m");
    expect(await error).toMatchObject({ code: "OUTPUT_REJECTED", output: poor, cause: { code: "FALLBACK_EXHAUSTED" } });
  });

  it.each([
    [{ for: "a day" }, /for/],
    [{ for: "0s" }, /for/],
    [{ claim: "0s" }, /claim/],
    [{ max: 0 }, /max/],
    [{ max: -1 }, /max/],
    [{ claim: "soon" }, /claim/],
    [{ keep: 1 }, /keep: no such key/],
  ])("throws for what cannot be meant: %o", (options, message) => {
    setup();
    expect(() => reviews.keep(options as never)).toThrow(message);
  });
});

describe("reset", () => {
  it("forgets what is kept, its timers, and who hears of decisions", async () => {
    const { clock } = setup();
    reviews.onDecision("draft", async () => {});
    const { id } = await flagged(draft()("x"));
    reset();
    expect(clock.sleepers).toBe(0);
    expect(await reviews.pending()).toEqual([]);
    await expect(reviews.decide(id, approve, "ada")).rejects.toMatchObject({ why: "unknown" });
    reviews.onDecision("draft", async () => {});
  });
});

describe("two copies of the package", () => {
  it("have one queue: what one keeps, the other decides", async () => {
    setup();
    const copy = "../../src/output/review.ts?copy";
    const other = (await import(/* @vite-ignore */ copy)) as { reviews: typeof reviews };
    expect(other.reviews).not.toBe(reviews);
    const { id } = await flagged(draft()("x"));
    expect((await other.reviews.pending()).map((review: Review) => review.id)).toEqual([id]);
    await other.reviews.decide(id, approve, "ada");
    expect(await reviews.pending()).toEqual([]);
  });
});
