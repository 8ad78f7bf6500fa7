// What waits for a person, taken out of this process as a text and into it.
import { HoldfastError } from "../../core/errors.ts";
import { type ReviewConflictError, ReviewsUnreadableError } from "../../core/reviewErrors.ts";
import { LiveSeams } from "../../core/seams.ts";
import { settle, sweep } from "./decide.ts";
import { encode } from "./encode.ts";
import { Entry, type Facts } from "./entry.ts";
import { overdue, put, queue } from "./queue.ts";
import { read, type Saved, write } from "./saved.ts";

/** What came of a text. */
export interface Restored {
  /** What waits here now, and did not before. */
  readonly added: number;
  /** Verdicts that were taken. */
  readonly decided: number;
  /** Verdicts that were not, with the reason: their reviews wait still. */
  readonly refused: readonly ReviewConflictError[];
}

export function save(): string {
  sweep();
  const { pending, undelivered } = queue();
  const waiting = [...pending.values()].map(({ facts, passed, claimed }): Saved => ({ facts, passed, claimed }));
  const decided = [...undelivered.values()].map(
    ({ entry: { facts, passed }, decided }): Saved => ({ facts, passed, decided }),
  );
  return write([...waiting, ...decided].map(written));
}

/** Without the names of what is not there. */
function written({ facts, claimed, decided, passed }: Saved): Saved {
  const { call, fits, ...told } = facts;
  return {
    facts: { ...told, ...(call !== undefined && { call }), ...(fits !== undefined && { fits }) } as Facts,
    passed,
    ...(claimed && { claimed }),
    ...(decided && { decided }),
  };
}

/** `file`: where it stands. */
export async function restore(text: string, file?: string): Promise<Restored> {
  const saved = read(text, file);
  const strange = saved.filter(({ facts }) => isAnother(facts));
  if (strange.length > 0) {
    const ids = strange.map(({ facts }) => facts.id);
    const wanted = "the same review as is known here";
    const why = `it tells otherwise than this process of ${ids.join(", ")}`;
    throw new ReviewsUnreadableError(why, [...ids.map((path) => ({ path, wanted }))], file);
  }
  let added = 0;
  let decided = 0;
  const refused: ReviewConflictError[] = [];
  for (const one of saved) {
    const { pending, past } = queue();
    const { id } = one.facts;
    if (past.has(id)) continue;
    if (!pending.has(id)) {
      put(new Entry(one.facts, new LiveSeams(), undefined, one.passed, overdue));
      if (one.decided === undefined) added++;
    }
    const entry = pending.get(id) as Entry;
    if ((one.claimed?.until ?? 0) > (entry.claimed?.until ?? 0)) entry.claimed = one.claimed;
    // what was decided in time is taken, however late it comes here
    if (one.decided === undefined || one.decided.at >= one.facts.expiresAt || entry.deciding) continue;
    try {
      await settle(entry, one.decided);
      decided++;
    } catch (error) {
      if (!HoldfastError.is(error, "REVIEW_CONFLICT")) throw error;
      refused.push(error);
    }
  }
  sweep();
  return { added, decided, refused };
}

/** A verdict holds for exactly the output that was shown. */
function isAnother(facts: Facts): boolean {
  const { pending, undelivered } = queue();
  const known = (pending.get(facts.id) ?? undelivered.get(facts.id)?.entry)?.facts;
  if (known === undefined) return false;
  const told = ({ input, output, findings, name, at }: Facts) =>
    JSON.stringify(encode([name, at, input, output, findings]));
  return told(known) !== told(facts);
}
