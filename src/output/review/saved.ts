// Reviews as text, with what was decided on them: for another process, or for after a restart.
import { z } from "zod";
import { brief } from "../../core/brief.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import { ReviewsUnreadableError } from "../../core/reviewErrors.ts";
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

/** @throws ReviewsUnreadableError for what `write` of this version has not written; `file`: where it stands */
export function read(text: string, file?: string): readonly Saved[] {
  const given = parsed(text, file);
  const version: unknown = (given as { readonly version?: unknown } | null)?.version;
  if (typeof version === "number" && version !== 1)
    throw unreadable(`it is of version ${version}, and this package reads version 1`, file);
  const { reviews, ...head } = fitting(textSchema, given, "it is not what `reviews.save()` gives", file);
  // of the content, so that a text may be laid out anew
  if (checksum(JSON.stringify(reviews)) !== head.checksum)
    throw unreadable("its checksum is not that of its content: it was edited by hand, or mixed up", file);
  return reviews.map((review, i) => {
    const which = `review ${i + 1} in it cannot be understood`;
    return fitting(savedSchema, decoded(review, which, file), which, file) as Saved;
  });
}

function parsed(text: string, file: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const isEmpty = typeof text === "string" && text.trim() === "";
    throw unreadable(isEmpty ? "it is empty" : "it is no JSON: it was cut off, or is something else", file);
  }
}

function decoded(review: unknown, which: string, file: string | undefined): unknown {
  try {
    return decode(review);
  } catch (error) {
    throw unreadable(`${which} (${brief(error)})`, file);
  }
}

function fitting<T>(schema: z.ZodType<T>, given: unknown, why: string, file: string | undefined): T {
  try {
    return parseOptions("reviews.restore", schema, given);
  } catch (error) {
    if (!(error instanceof OptionsInvalidError)) throw error;
    // without what was got
    const issues = error.issues.map(({ path, wanted }) => ({ ...(path !== undefined && { path }), wanted }));
    throw new ReviewsUnreadableError(`${why} (${issues.map(said).join("; ")})`, issues, file);
  }
}

function said({ path, wanted }: Finding): string {
  return `${path === undefined ? "" : `${path}: `}wanted ${wanted}`;
}

function unreadable(why: string, file: string | undefined): ReviewsUnreadableError {
  return new ReviewsUnreadableError(why, [{ path: "text", wanted: "a text that `reviews.save()` gave" }], file);
}
