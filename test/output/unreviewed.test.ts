// Nothing that was refused is ever delivered without a person's verdict, and none with one that does not fit the schema.
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Decision,
  type Duration,
  eventBus,
  type GateOptions,
  protect,
  type Review,
  reviews,
  settled,
} from "../../src/index.ts";
import { record, reset, seededRandom, testClock } from "../../src/testing/index.ts";
import { answers, inTurn, repairs, schemas, values } from "./answers.ts";

const onRejects = fc.constantFrom<GateOptions<unknown>["onReject"]>(
  "throw",
  "review",
  { await: "1m" },
  { await: "1h" },
);
/** Of those that are told of elsewhere few answers have the form: here a person is to find some that have. */
const forms = fc.oneof(
  schemas,
  fc.constantFrom<z.ZodType>(
    z.unknown(),
    z.string(),
    z.string().transform((text) => text.length),
    z.string().or(z.number()),
  ),
);
/** What a person does with what waits: a verdict, one that cannot be read, or nothing. */
const persons = fc.oneof(
  { weight: 3, arbitrary: fc.constant<unknown>({ verdict: "approve" }) },
  { weight: 3, arbitrary: values.map((output): unknown => ({ verdict: "amend", output })) },
  fc.constantFrom<unknown>({ verdict: "reject", reason: "no" }, { verdict: "approved" }, {}, undefined),
);

interface Verdict {
  readonly review: Review;
  readonly decision: Decision;
}

describe("nothing refused is delivered without a person's verdict", () => {
  afterEach(reset);

  it("whatever the schema, the answers, the tries, the tiers, `onReject` and the person", async () => {
    const ends = { passed: 0, approved: 0, amended: 0, handled: 0, pending: 0, unfit: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          schema: forms,
          tiers: fc.array(fc.array(answers, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
          repair: repairs,
          strict: fc.boolean(),
          onReject: onRejects,
          person: fc.array(persons, { maxLength: 3 }),
          deadline: fc.constantFrom<Duration | false>("10s", "30m", false),
        }),
        async ({ schema, tiers, repair, strict, onReject, person, deadline }) => {
          reset();
          const clock = testClock();
          const events = eventBus();
          const seen = record(events);
          const passed: unknown[] = [];
          const [first, ...others] = tiers.map((list) => inTurn(list));
          const call = protect("draft", first as () => Promise<unknown>, {
            output: schema,
            gate: {
              repair,
              checks: [
                (output) => {
                  if (strict) return "nothing will do";
                  passed.push(output);
                  return undefined;
                },
              ],
              onReject,
            },
            retry: { attempts: 2 },
            deadline,
            ...(others.length > 0 && { fallback: others.map((operation, i) => ({ name: `tier${i}`, operation })) }),
            seams: { clock, events, random: seededRandom(1) },
          });
          const taken: Verdict[] = [];
          const handled: Verdict[] = [];
          reviews.onDecision("draft", async (review, decision) => void handled.push({ review, decision }));
          const ended = settled(call)();
          await clock.advance("30s");
          for (const decision of person) {
            const [review] = await reviews.pending();
            if (review === undefined) break;
            const told = await reviews.decide(review.id, decision as Decision, "ada").then(
              () => undefined,
              (error: { code: string }) => error.code,
            );
            if (told === undefined) taken.push({ review, decision: decision as Decision });
            else expect((await reviews.pending())[0]).toEqual(review); // still pending, as it was
            if (told === "REVIEW_CONFLICT") ends.unfit++;
          }
          await clock.advance("2h");
          const { ok, story, ...result } = await ended;
          const flagged = seen.of("output.flagged");
          expect(flagged.length).toBeLessThanOrEqual(1);
          expect(taken.length).toBeLessThanOrEqual(flagged.length);
          if (onReject === "throw") expect(flagged).toEqual([]);
          const [verdict] = taken;
          if (ok && story.state !== "flagged") {
            // the very thing that schema and checks let through
            expect((result as { value: unknown }).value).toBe(passed.at(-1));
            expect(flagged).toEqual([]);
            ends.passed++;
          } else if (ok) {
            // the one that was shown, or the one that was given in its place
            expect(story.reviewId).toBe(flagged[0]?.reviewId);
            const { review, decision } = verdict as Verdict;
            const { value } = result as { value: unknown };
            if (decision.verdict === "approve" && review.fits) expect(value).toEqual(review.output);
            else {
              const given = decision.verdict === "amend" ? decision.output : review.output;
              expect(schema.safeParse(given)).toEqual({ success: true, data: value });
            }
            expect(handled).toEqual([]);
            ends[decision.verdict === "approve" ? "approved" : "amended"]++;
          } else {
            if (story.state === "flagged") ends.pending++;
            else ends.refused++;
            expect(handled.length).toBeLessThanOrEqual(taken.length);
            for (const { review, decision } of handled) {
              expect(review.id).toBe(flagged[0]?.reviewId);
              const asked = (verdict as Verdict).decision;
              if (decision.verdict === "amend" && asked.verdict === "amend")
                expect(schema.safeParse(asked.output)).toEqual({ success: true, data: decision.output });
              else expect(decision).toEqual(asked);
              ends.handled++;
            }
          }
          // and nothing of it is lost: decided once, or still waiting
          const waiting = (await reviews.pending()).map(({ id }) => id);
          const told = seen.of("review.decided").map(({ reviewId }) => reviewId);
          expect([...waiting, ...told]).toEqual(flagged.map(({ reviewId }) => reviewId));
        },
      ),
      { numRuns: 500, seed: 23 },
    );
    for (const [end, count] of Object.entries(ends))
      expect({ end, count }).toMatchObject({ count: expect.toSatisfy((n) => n > 15) });
  });
});
