// A person's verdict: read, held against the schema, and taken once.
import { ReviewConflictError, ReviewExpiredError } from "../../core/reviewErrors.ts";
import type { Finding } from "../../core/verdict.ts";
import { parseOptions } from "../../core/wrapper.ts";
import { copyOf } from "./copy.ts";
import { claimSchema, verdictSchema } from "./decision.ts";
import { Undelivered, undelivered } from "./delivery.ts";
import type { Decision, Entry, Released } from "./entry.ts";
import { type Fit, type Form, fitted } from "./form.ts";
import { forms, keep, leave, overdue, put, queue, tellDecided } from "./queue.ts";
import type { Decided } from "./saved.ts";

/** Holds others off for a while; again by the same, for as long again. */
export function claim(id: string, by: string): Entry {
  parseOptions("reviews.claim", claimSchema, { id, by });
  const entry = find(id, by);
  entry.claimed = { by, until: entry.seams.clock.now() + keep.claim };
  return entry;
}

/** Gives up this person's claim, if there is one still. */
export function release(id: string, by: string): void {
  parseOptions("reviews.release", claimSchema, { id, by });
  const entry = queue().pending.get(id);
  if (entry?.claimedBy === by) entry.claimed = undefined;
}

/** Those whose time is over are gone, also where a timer cannot count so far. */
export function sweep(): void {
  for (const entry of queue().pending.values()) if (entry.isOver) overdue(entry);
}

export async function decide(id: string, decision: Decision, by: string): Promise<void> {
  const given = parseOptions("reviews.decide", verdictSchema, { id, decision, by }).decision as Decision;
  const entry = find(id, by);
  await settle(entry, { decision: given, by, at: entry.seams.clock.now(), told: false });
}

/** Takes the verdict, if what it delivers fits. */
export async function settle(entry: Entry, decided: Decided): Promise<void> {
  const { id } = entry.facts;
  entry.deciding = true;
  let released: Fit | Released;
  try {
    released = await releasedBy(entry, decided.decision);
  } finally {
    entry.deciding = false;
  }
  if (queue().pending.get(id) !== entry) find(id, decided.by); // forgotten meanwhile, by a `reset()`
  if (!("findings" in released)) return take(entry, decided, released);
  if (entry.isOver) overdue(entry); // meanwhile
  throw refused(entry, released.findings);
}

/** Takes back what was handed to nobody yet: it waits again. */
export function revoke(id: string, by: string): void {
  parseOptions("reviews.revoke", claimSchema, { id, by });
  const { past, pending, undelivered } = queue();
  const one = undelivered.get(id);
  const entry = one?.entry ?? pending.get(id);
  if (one === undefined || one.tries > 0) {
    const why = entry === undefined && !past.has(id) ? "unknown" : pending.has(id) ? "undecided" : "decided";
    throw new ReviewConflictError(entry?.facts.name ?? past.get(id)?.name ?? "", id, why);
  }
  undelivered.delete(id);
  past.delete(id);
  put(one.entry);
  const { events } = one.entry.seams;
  if (!events.quiet) events.emit("review.revoked", { reviewId: id, by }, one.entry.about);
}

/** What keeps the verdict from being taken is told, too. */
function refused(entry: Entry, findings: readonly Finding[]): ReviewConflictError {
  const { facts, seams, about } = entry;
  if (!seams.events.quiet) seams.events.emit("review.refused", { why: "unfit", reviewId: facts.id, findings }, about);
  return new ReviewConflictError(facts.name, facts.id, "unfit", { findings });
}

/** The review of this id, if this person may have a say in it. */
function find(id: string, by: string): Entry {
  const { pending, past } = queue();
  const entry = pending.get(id);
  if (entry?.isOver) overdue(entry);
  const gone = past.get(id);
  if (gone?.expired) throw new ReviewExpiredError(gone.name, id);
  if (gone !== undefined) throw new ReviewConflictError(gone.name, id, "decided");
  if (entry === undefined) throw new ReviewConflictError("", id, "unknown");
  const { claimedBy, deciding } = entry;
  if (deciding) throw new ReviewConflictError(entry.facts.name, id, "decided");
  if (claimedBy !== undefined && claimedBy !== by)
    throw new ReviewConflictError(entry.facts.name, id, "claimed", { by: claimedBy });
  return entry;
}

/** What is delivered by this verdict, made of copies: nobody else has it in hands. */
function releasedBy(entry: Entry, given: Decision): Fit | Released | Promise<Fit> {
  const { facts, passed } = entry;
  if (given.verdict === "reject") return { reason: given.reason };
  const form = entry.form ?? forms.get(facts.name);
  const amended = given.verdict === "amend";
  if (!amended && facts.fits === false) return { findings: unfit(facts.findings) };
  const copy = copyOf(amended ? given.output : facts.output);
  if (copy === undefined) return { findings: [{ path: "output", wanted: "plain data" }] };
  if (!amended && facts.fits === true) return copy;
  return fitted((form ?? []).slice(amended ? 0 : passed) as Form, copy.value);
}

function unfit(findings: readonly Finding[]): readonly Finding[] {
  return findings.length > 0 ? findings : [{ wanted: "an output of the right form: amend it, or reject it" }];
}

/** The one verdict. */
function take(entry: Entry, decided: Decided, released: Released): void {
  const { decision: given, by, told } = decided;
  leave(entry, false);
  if (!told) tellDecided(entry, given.verdict, by);
  const decision: Decision =
    given.verdict === "amend" && "value" in released ? { verdict: "amend", output: released.value } : given;
  const later = () => undelivered(new Undelivered(entry, { ...decided, told: true }, decision));
  if (entry.waiter === undefined) later();
  else entry.waiter.decided(released, later);
}
