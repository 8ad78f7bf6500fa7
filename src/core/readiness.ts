// Why this process takes no new work now, whatever its health: read by readiness, written by whoever drains, at any level.
import { generation } from "./seams.ts";
import { shared } from "./shared.ts";

interface Hold {
  readonly reason: string;
  /** Of the reset after which it was made: an earlier one holds nothing. */
  readonly born: number;
}

const held = shared("readiness", () => new Set<Hold>());

/** Not ready from this moment on, until the undo is called, of all who hold it. */
export function holdReadiness(reason: string): () => void {
  const hold: Hold = { reason, born: generation() };
  held.add(hold);
  return () => void held.delete(hold);
}

/** Why it is held, the oldest reason first. */
export function readinessHolds(): readonly string[] {
  for (const hold of held) if (hold.born !== generation()) held.delete(hold);
  return [...held].map(({ reason }) => reason);
}
