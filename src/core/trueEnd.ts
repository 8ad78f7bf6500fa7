// The true end of attempts: the operation itself has settled, and the body it delivered is at its end.
import { type AttemptRecord, DONE, HELD, RUNNING } from "./attempt.ts";
import { bodyOf } from "./body.ts";
import { classifyValue } from "./classify.ts";
import type { FusedLayer } from "./stack.ts";

/** An attempt begun by another, from the layer of this index, has yet to end truly. */
export function opened(outer: AttemptRecord, kid: AttemptRecord, at: number): void {
  if (outer.call.stack.ends) outer.more.opened(kid, at);
}

/** The way out begins at this layer: those inside it were never entered. */
export function leavesFrom(attempt: AttemptRecord, at: number): void {
  if (attempt.call.stack.ends) attempt.more.endedTo = at;
}

/** Tells the layers of the true end as far as it has come: what ran inside them has settled, and so have they. */
export function tellEnds(attempt: AttemptRecord): void {
  if (!attempt.call.stack.ends) return;
  const { more, outer, segment, top } = attempt;
  if (more.endedTo < 0) return; // not answered yet
  while (more.endedTo < attempt.at && !attempt.is(RUNNING | HELD)) {
    const i = more.endedTo;
    if (more.open !== null) for (const at of more.open.values()) if (at <= i) return;
    more.endedTo++;
    tellEnd(attempt, segment.layers[i] as FusedLayer);
  }
  if (outer === null || !attempt.is(DONE) || attempt.is(RUNNING | HELD)) return;
  if ((more.open?.size ?? 0) > 0 || more.endedTo < top) return;
  outer.more.open?.delete(attempt);
  tellEnds(outer);
}

/** Whether what its operation has settled with is a success, which nobody else is asked about, and its true end: no body is on its way. */
export function isDone({ call, segment }: AttemptRecord, value: unknown): boolean {
  const { classify, ends } = call.stack;
  if (classify !== undefined || segment.hearing?.hearsSuccess) return false;
  if (typeof value !== "object") return true;
  return classifyValue(value) === undefined && !(ends && bodyOf(value) !== undefined);
}

/** Whether its operation, or that of an attempt it began, still runs; a body on its way is none. */
export function stillRuns(attempt: AttemptRecord): boolean {
  if (attempt.is(RUNNING)) return true;
  for (const kid of attempt.openKids) if (stillRuns(kid)) return true;
  return false;
}

/** It comes when nobody may be waiting any more: what a layer of a user's throws at it is told to the bus alone. */
export function tellEnd(attempt: AttemptRecord, { ended }: FusedLayer): void {
  try {
    ended?.(attempt);
  } catch (error) {
    attempt.call.stack.seams.events.emit("listener.failed", { heard: "attempt.ended", error }, attempt.call);
  }
}
