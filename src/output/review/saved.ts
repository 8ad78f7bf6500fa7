// Reviews as text, with what was decided on them: for another process, or for after a restart.
import { z } from "zod";
import { brief } from "../../core/brief.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import type { Finding } from "../../core/verdict.ts";
import { parseOptions } from "../../core/wrapper.ts";
import { checksum } from "./checksum.ts";
import { decisionSchema } from "./decision.ts";
import { decode, encode } from "./encode.ts";
import type { Decision, Facts, Review } from "./entry.ts";

/** A review as it is kept in a text. */
export interface Saved {
  readonly facts: Facts;
  /** How much of its form the output has behind it. */
  readonly passed: number;
  readonly claimed?: Review["claimed"];
  readonly decided?: Decided | undefined;
}

export interface Decided {
  readonly decision: Decision;
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
  /** The process that wrote it has told of it. */
  readonly told: boolean;
}

const findingSchema = z.looseObject({ wanted: z.string() }) as unknown as z.ZodType<Finding>;
const savedSchema = z.strictObject({
  facts: z.strictObject({
    id: z.string().min(1),
    name: z.string(),
    component: z.string(),
    call: z.string().optional(),
    labels: z.record(z.string(), z.string()),
    input: z.unknown(),
    output: z.unknown(),
    findings: z.array(findingSchema),
    fits: z.boolean().optional(),
    at: z.number(),
    expiresAt: z.number(),
  }),
  passed: z.int().nonnegative(),
  claimed: z.strictObject({ by: z.string(), until: z.number() }).optional(),
  decided: z.strictObject({ decision: decisionSchema, by: z.string(), at: z.number(), told: z.boolean() }).optional(),
});
const textSchema = z.strictObject({
  holdfast: z.literal("reviews"),
  version: z.literal(1),
  checksum: z.string(),
  reviews: z.array(z.unknown()),
});

export function write(reviews: readonly Saved[]): string {
  const written = reviews.map(encode);
  const head = { holdfast: "reviews", version: 1, checksum: checksum(JSON.stringify(written)) };
  return JSON.stringify({ ...head, reviews: written });
}

/** @throws OptionsInvalidError for what `write` of this version has not written */
export function read(text: string): readonly Saved[] {
  const given = parseOptions("reviews.restore", textSchema, parsed(text));
  // of the content, so that a text may be laid out anew
  if (checksum(JSON.stringify(given.reviews)) !== given.checksum) throw broken(text, "a text that is as it was saved");
  return given.reviews.map((review) => parseOptions("reviews.restore", savedSchema, decoded(review)) as Saved);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken(text, "a text that `save()` gave");
  }
}

function decoded(review: unknown): unknown {
  try {
    return decode(review);
  } catch (error) {
    throw broken(review, `a review that can be read (${brief(error)})`);
  }
}

/** Of what it holds nothing is repeated: it may be anybody's. */
function broken(got: unknown, wanted: string): OptionsInvalidError {
  const told = typeof got === "string" ? `a text of ${got.length} characters` : "something else";
  return new OptionsInvalidError("reviews.restore", [{ path: "text", got: told, wanted }]);
}
