// What a verdict on a review is refused with.
import { HoldfastError, named, OptionsInvalidError, says } from "./errors.ts";
import { list } from "./findings.ts";
import type { Finding } from "./verdict.ts";

/** What stands against it: no such review, or it has its verdict (or none to take back), or somebody else is looking at it, or the output has not the form that the schema asks for. */
export type ReviewConflict = "unknown" | "undecided" | "decided" | "claimed" | "unfit";

/** The verdict, or the claim, is not taken; of a review that is pending nothing has changed. */
export class ReviewConflictError extends HoldfastError {
  readonly reviewId: string;
  readonly why: ReviewConflict;
  /** Who is looking at it. */
  declare readonly by?: string | undefined;
  /** What keeps the output from being delivered. */
  declare readonly findings?: readonly Finding[] | undefined;
  constructor(
    operation: string,
    reviewId: string,
    why: ReviewConflict,
    more: { readonly by?: string | undefined; readonly findings?: readonly Finding[] | undefined } = {},
  ) {
    super(undefined, { code: "REVIEW_CONFLICT", operation });
    this.reviewId = reviewId;
    this.why = why;
    if (more.by !== undefined) this.by = more.by;
    if (more.findings !== undefined) this.findings = more.findings;
  }
}
says(ReviewConflictError, (e) => {
  const { reviewId, why, by, findings = [] } = e;
  if (why === "unknown")
    return `There is no review ${reviewId} here: it was decided some time ago, or is kept elsewhere.`;
  const review = `Review ${reviewId} of ${named(e)}`;
  if (why === "decided") return `${review} has its verdict already.`;
  if (why === "undecided") return `${review} has no verdict yet.`;
  if (why === "claimed") return `${review} is being looked at by ${by}.`;
  return `${review} stays pending: what was to be delivered does not fit. ${list(findings)}`;
});

/** Nobody decided in time: what was kept is delivered to nobody. */
export class ReviewExpiredError extends HoldfastError {
  readonly reviewId: string;
  constructor(operation: string, reviewId: string) {
    super(undefined, { code: "REVIEW_EXPIRED", operation });
    this.reviewId = reviewId;
  }
}
says(ReviewExpiredError, (e) => `Review ${e.reviewId} of ${named(e)} has expired: nobody decided in time.`);

/** Saved reviews that cannot be read. Nothing of them is taken in, and a file is left as it is. */
export class ReviewsUnreadableError extends OptionsInvalidError {
  /** What is wrong with them; of what they hold nothing is repeated: it may be anybody's. */
  readonly why: string;
  /** Where they are, if that is a file. */
  declare readonly file?: string | undefined;
  constructor(why: string, issues: readonly Finding[], file: string | undefined) {
    super("reviews.restore", issues);
    this.why = why;
    if (file !== undefined) this.file = file;
  }
}
says(ReviewsUnreadableError, ({ why, file }) =>
  file === undefined
    ? `The text of saved reviews cannot be read: ${why}. Nothing was taken in. Give it as \`reviews.save()\` gave it.`
    : `The saved reviews in ${file} cannot be read: ${why}. Nothing was taken in, and the file is left as it is. Put back a good copy of it, or move it away: then a new one is written.`,
);
