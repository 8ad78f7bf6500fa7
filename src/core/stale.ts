// What rests on something stale is degraded too, however many calls stand between.
import type { Rare } from "./rare.ts";

/** Of a call that has its answer. */
export function passStale(rare: Rare): void {
  const { degraded, parent, stale } = rare;
  if (stale !== undefined) rare.degraded = { reason: degraded?.reason ?? "stale", ageMs: degraded?.ageMs ?? stale };
  const ageMs = rare.degraded?.ageMs;
  if (ageMs === undefined || parent === null) return;
  const { more } = parent.call;
  more.stale = Math.max(more.stale ?? 0, ageMs);
}
