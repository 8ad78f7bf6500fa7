// What the tests of reviews share: a queue as new, and outputs that are refused.
import { onTestFinished } from "vitest";
import { z } from "zod";
import { type Check, type GateOptions, protect, type Review, reviews } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { setup as calls } from "../composition/setup.ts";

export const Report = z.object({ title: z.string(), claims: z.array(z.string()) });
export type Report = z.output<typeof Report>;

/** A check that refuses what makes no claim. */
export const claims: Check<Report> = ({ claims }) => (claims.length === 0 ? "at least one claim" : undefined);
export const poor = { title: "tides", claims: [] };

/** In the end nothing is kept, and as many are kept as before. */
export function setup(options: { watched?: boolean } = {}) {
  reset();
  const made = calls(options);
  onTestFinished(() => {
    reset();
    reviews.keep({ for: "24h", max: 1_000, claim: "15m" });
  });
  return made;
}

/** A call that answers so, with a gate that keeps what it refuses. */
export function draft(answer: unknown = poor, onReject: GateOptions<Report>["onReject"] = "review", name = "draft") {
  return protect(name, async (_topic: string): Promise<unknown> => answer, {
    output: Report,
    gate: { checks: [claims], onReject },
  });
}

/** The one that waits. */
export async function only(): Promise<Review> {
  const [review, ...others] = await reviews.pending();
  if (review === undefined || others.length > 0) throw new Error(`${others.length + 1} wait, or none`);
  return review;
}

/** Refused, and kept. */
export async function flagged(call: Promise<unknown>): Promise<Review> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error as { reviewId?: string },
  );
  const review = (await reviews.pending()).find(({ id }) => id === error?.reviewId);
  if (review === undefined) throw new Error("it was not kept");
  return review;
}
