// What waits for a person: refused outputs that are kept, the verdicts on them, and who hears of those.
import { z } from "zod";
import { spanSchema } from "../core/duration.ts";
import type { Duration } from "../core/operation.ts";
import { parseOptions } from "../core/wrapper.ts";
import { claim, decide, revoke, sweep } from "./review/decide.ts";
import { handle } from "./review/delivery.ts";
import type { Decision, Review } from "./review/entry.ts";
import { keep, queue } from "./review/queue.ts";
import { type Restored, restore, save } from "./review/restore.ts";

export interface KeepReviews {
  /** How long one is kept for; 24 h. Holds for those to come. */
  for?: Duration | undefined;
  /** How many are kept, those whose verdict nobody has taken yet included; 1000. What comes then is not kept: its call fails as by `"throw"`, and `review.refused` is told. */
  max?: number | undefined;
  /** How long a claim holds others off; 15 min. */
  claim?: Duration | undefined;
}

export interface ReviewQueue {
  /** All that wait, the oldest first. */
  pending(): Promise<readonly Review[]>;
  /** Holds others off while somebody looks at it. @throws ReviewConflictError, ReviewExpiredError */
  claim(id: string, by: string): Promise<Review>;
  /** The one verdict on it. @throws ReviewConflictError, ReviewExpiredError; OptionsInvalidError for a verdict that cannot be read. In each case nothing is decided. */
  decide(id: string, decision: Decision, by: string): Promise<void>;
  /** What is done with verdicts on this call's outputs that no call waits for. Declared once, at start, in any process; at least once, with the review's id as the key. */
  onDecision(name: string, handler: (review: Review, decision: Decision) => Promise<void>): () => void;
  /** Takes a verdict back that neither a call nor a handler has got yet: it waits again. @throws ReviewConflictError */
  revoke(id: string, by: string): Promise<void>;
  /** All that wait, and all verdicts that nobody has taken, as a text: for a file, or for another process. */
  save(): string;
  /**
   * Takes in what such a text holds: what is not known here waits here too, and what was decided on it meanwhile is taken.
   * What is behind us here stays so. @throws OptionsInvalidError for a text that is broken, or tells otherwise of a review
   * that is known here: then nothing is taken in
   */
  restore(text: string): Promise<Restored>;
  /** How long, and how many. @throws OptionsInvalidError */
  keep(options: KeepReviews): void;
}

const keepSchema = z.strictObject({
  for: spanSchema.optional(),
  max: z.int().min(1).optional(),
  claim: spanSchema.optional(),
});

/**
 * The outputs that gates with `onReject` keep for a person, in this process. A verdict holds for exactly the output that
 * was shown.
 * @example
 * const draft = protect("draft", async () => "tides?", {
 *   gate: { checks: [(text) => (text.endsWith("?") ? "a statement" : undefined)], onReject: "review" },
 * });
 * reviews.onDecision("draft", async (review, decision) => console.log(review.output, decision.verdict));
 * await draft().catch((error) => console.log(error.code)); // → REVIEW_PENDING
 * for (const { id } of await reviews.pending()) await reviews.decide(id, { verdict: "approve" }, "ada");
 * // → tides? approve
 */
export const reviews: ReviewQueue = {
  async pending() {
    sweep();
    return [...queue().pending.values()].map((entry) => entry.review());
  },
  async claim(id, by) {
    return claim(id, by).review();
  },
  decide,
  async revoke(id, by) {
    revoke(id, by);
  },
  onDecision: handle,
  save,
  restore: (text) => restore(text),
  keep(options) {
    const given = parseOptions("reviews.keep", keepSchema, options);
    for (const key of ["for", "max", "claim"] as const) keep[key] = given[key] ?? keep[key];
  },
};
