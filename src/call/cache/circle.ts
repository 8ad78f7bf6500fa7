// A load that comes back to itself, by the calls it makes or by the tiers it falls back to: what is said of it.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { CallRecord } from "../../core/record.ts";
import type { Finding } from "../../core/verdict.ts";

/** A very long way is told by its end. */
const longest = 10;

/** By way of which calls it has come from the run to this call, which asks for it again. */
export function circleOf(call: CallRecord, flight: CallRecord): Finding {
  const names = [`"${call.name}"`];
  let seen = call;
  let byTier = false;
  while (seen !== flight) {
    const parent = seen.parent as AttemptRecord | null;
    if (parent === null) break;
    byTier ||= parent.segment.tier > 0;
    seen = parent.call;
    // a call and the run of its cache are one
    if (names.length < longest && (names[0] !== `"${seen.name}"` || (seen === flight && names.length === 1)))
      names.unshift(`"${seen.name}"`);
  }
  const way = names.join(" → ");
  return byTier
    ? {
        path: "fallback",
        wanted: `no tier that leads back to the call it is a tier of, as here (${way}): its cache is waiting for that tier, and would wait for itself`,
      }
    : {
        path: "cache.key",
        wanted: `no load that asks for its own key, as here (${way}): it would wait for itself`,
      };
}
