// What rests on something stale is degraded too, however many calls stand between; on a later tier of a call inside: as told.
import type { Rare } from "./rare.ts";

/** Of a call that has its answer. */
export function passStale(rare: Rare): void {
  const { degraded, parent, stale } = rare;
  if (stale !== undefined) rare.degraded = { reason: degraded?.reason ?? "stale", ageMs: degraded?.ageMs ?? stale };
  if (rare.tier > 0 || rare.degraded !== undefined || rare.reviewId !== undefined) rare.restsOnLess = true;
  if (parent === null || !rare.restsOnLess) return;
  const { more } = parent.call;
  more.restsOnLess = true;
  const ageMs = rare.degraded?.ageMs;
  if (ageMs !== undefined) more.stale = Math.max(more.stale ?? 0, ageMs);
}
