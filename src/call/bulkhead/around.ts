// Whether what is not let in waits for itself: a call around has a place in the same bulkhead.
import { type AttemptRecord, RUNNING } from "../../core/attempt.ts";
import type { Room } from "../../core/room.ts";

/**
 * The name of the nearest call that is made of, or in, one whose running attempt has a place, or of the call itself where
 * the same is laid round it twice; asked where somebody is turned away.
 */
export function heldAround(attempt: AttemptRecord, room: Room, holds: (around: AttemptRecord) => boolean) {
  if (timesLaid(attempt, room) > 1) return attempt.call.name;
  for (let seen = aroundOf(attempt); seen !== null; seen = aroundOf(seen))
    if (seen.is(RUNNING) && passes(seen, room) && holds(seen)) return seen.call.name;
  return undefined;
}

function timesLaid(attempt: AttemptRecord, room: Room): number {
  let times = 0;
  for (let seen: AttemptRecord | null = attempt; seen !== null; seen = seen.outer)
    for (const layer of seen.segment.layers) if (layer.room === room) times++;
  return times;
}

function aroundOf({ call, outer }: AttemptRecord): AttemptRecord | null {
  return outer ?? (call.parent as AttemptRecord | null);
}

function passes({ segment, top }: AttemptRecord, room: Room): boolean {
  return segment.layers.some((layer, i) => i < top && layer.room === room);
}
