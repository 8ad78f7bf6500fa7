// What a call that has its answer tells the call around: how old it is, and whether anything was asked for it.

import type { Rare } from "./rare.ts";
import type { CallRecord } from "./record.ts";
import { stackOf } from "./stack.ts";

export function passOn(call: CallRecord, rare: Rare, value: unknown): void {
  passStale(rare);
  passAsked(call, rare, value);
}

/** What rests on something stale is degraded too, however many calls stand between; on a later tier of a call inside: as told. */
function passStale(rare: Rare): void {
  const { degraded, parent, stale } = rare;
  if (stale !== undefined) rare.degraded = { reason: degraded?.reason ?? "stale", ageMs: degraded?.ageMs ?? stale };
  if (rare.tier > 0 || rare.degraded !== undefined || rare.reviewId !== undefined) rare.restsOnLess = true;
  if (parent === null || !rare.restsOnLess) return;
  const { more } = parent.call;
  more.restsOnLess = true;
  const ageMs = rare.degraded?.ageMs;
  if (ageMs !== undefined) more.stale = Math.max(more.stale ?? 0, ageMs);
}

/** What is handed on as a cache gave it tells nothing of the call's own operation: that it is the same is seen where it is no mere yes or no. */
function passAsked({ attempts, parent, stack }: CallRecord, rare: Rare, value: unknown): void {
  const { asked, fromCache, tier } = rare;
  rare.handsOnCached =
    attempts > 0 &&
    !asked &&
    fromCache !== undefined &&
    Object.is(fromCache.value, value) &&
    (fromCache.direct || isTelling(value));
  if (parent === null) return;
  const { more } = parent.call;
  if (tier > 0 || (attempts > 0 && !rare.handsOnCached)) more.asked = true;
  else more.fromCache = { value, direct: stackOf(parent.segment.operation) === stack };
}

function isTelling(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== "boolean";
}
