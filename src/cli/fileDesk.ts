// Reviews in a file that `reviews.save()` wrote: verdicts are written beside them, and a process takes them by `reviews.restore`.
import { readFile } from "node:fs/promises";
import { epochNow } from "../core/clock.ts";
import { ReviewConflictError, ReviewExpiredError, ReviewsUnreadableError } from "../core/reviewErrors.ts";
import { parseOptions } from "../core/wrapper.ts";
import { checksum } from "../output/review/checksum.ts";
import { copyOf } from "../output/review/copy.ts";
import { claimSchema, verdictSchema } from "../output/review/decision.ts";
import type { Decision, Facts, Review } from "../output/review/entry.ts";
import { keep } from "../output/review/queue.ts";
import { restore } from "../output/review/restore.ts";
import { read, type Saved, write } from "../output/review/saved.ts";
import { reviews } from "../output/review.ts";
import type { Desk } from "./desk.ts";
import { changeFile } from "./lockedFile.ts";

/** Looks at it at each use: another may have decided meanwhile. */
export function fileDesk(path: string): Desk {
  /** Changes the one review, or throws and changes nothing. */
  async function change(id: string, to: (saved: Saved) => Saved): Promise<Saved> {
    let changed: Saved | undefined;
    await changeFile(path, (text) => {
      const all = read(text ?? "", path);
      const one = all.find(({ facts }) => facts.id === id);
      if (one === undefined) throw new ReviewConflictError("", id, "unknown");
      changed = to(one);
      return `${write(all.map((saved) => (saved === one ? (changed as Saved) : saved)))}\n`;
    });
    return changed as Saved;
  }

  return {
    next: "It is taken by the process that restores the file, and held against the schema there.",
    async pending() {
      const waiting = read(await readFile(path, "utf8"), path).filter(
        (saved) => saved.decided === undefined && !isOver(saved.facts),
      );
      return waiting.map(shown);
    },
    async claim(id, by) {
      parseOptions("reviews.claim", claimSchema, { id, by });
      const until = epochNow() + keep.claim;
      return shown(await change(id, (saved) => ({ ...open(saved, by), claimed: { by, until } })));
    },
    async release(id, by) {
      await change(id, ({ claimed, ...saved }) =>
        claimed === undefined || claimed.by === by ? saved : { ...saved, claimed },
      );
    },
    async decide(id, given, by) {
      const decision = parseOptions("reviews.decide", verdictSchema, { id, decision: given, by }).decision as Decision;
      await change(id, (saved) => {
        const { facts, passed } = open(saved, by);
        if (decision.verdict === "approve" && facts.fits === false)
          throw new ReviewConflictError(facts.name, id, "unfit", { findings: facts.findings });
        return { facts, passed, decided: { decision: kept(facts, decision), by, at: epochNow(), told: false } };
      });
    },
    async revoke(id, by) {
      parseOptions("reviews.revoke", claimSchema, { id, by });
      await change(id, ({ facts, passed, decided }) => {
        if (decided === undefined) throw new ReviewConflictError(facts.name, id, "undecided");
        if (decided.told) throw new ReviewConflictError(facts.name, id, "decided"); // a process has it in hands
        return { facts, passed };
      });
    },
    close() {},
  };
}

/** Takes in what was decided in the file, and writes there what waits now. @see syncReviews */
export async function sync(path: string): Promise<void> {
  await changeFile(path, async (text) => {
    if (text !== undefined && text.trim() !== "" && !(await taken(text, path))) return undefined;
    broken.delete(path);
    return `${reviews.save()}\n`;
  });
}

/** What was told of files that could not be read: the checksum of what stands in them. */
const broken = new Map<string, string>();

/** Takes it in, and gives whether it could; what could not be read is told once for as long as it stays as it is. */
async function taken(text: string, path: string): Promise<boolean> {
  try {
    await restore(text, path);
    return true;
  } catch (error) {
    if (!(error instanceof ReviewsUnreadableError)) throw error;
    const sum = checksum(text);
    if (broken.get(path) === sum) return false;
    broken.set(path, sum);
    throw error;
  }
}

/** If this person may decide on it. */
function open(saved: Saved, by: string): Saved {
  const { facts, claimed, decided } = saved;
  const { id, name } = facts;
  if (decided !== undefined) throw new ReviewConflictError(name, id, "decided");
  if (isOver(facts)) throw new ReviewExpiredError(name, id);
  if (claimed !== undefined && claimed.by !== by && epochNow() < claimed.until)
    throw new ReviewConflictError(name, id, "claimed", { by: claimed.by });
  return saved;
}

function kept({ id, name }: Facts, decision: Decision): Decision {
  if (decision.verdict !== "amend") return decision;
  const copy = copyOf(decision.output);
  if (copy !== undefined) return { verdict: "amend", output: copy.value };
  throw new ReviewConflictError(name, id, "unfit", { findings: [{ path: "output", wanted: "plain data" }] });
}

function isOver({ expiresAt }: Facts): boolean {
  return epochNow() >= expiresAt;
}

function shown({ facts, claimed }: Saved): Review {
  const { call: _, ...told } = facts;
  return { ...told, ...(claimed !== undefined && epochNow() < claimed.until && { claimed }) };
}
