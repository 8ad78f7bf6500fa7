// How a call is refused because there is too much to do: by a limit that is reached, or by load shedding.
import type { AttemptRecord } from "../../core/attempt.ts";
import { stackless } from "../../core/errors.ts";
import { LoadShedError } from "../../core/loadErrors.ts";
import type { Criticality } from "../../core/operation.ts";
import { refusal } from "../../core/refusal.ts";
import type { LiveSeams } from "../../core/seams.ts";

/** By rank. */
export const ranked: readonly Criticality[] = ["critical", "normal", "sheddable", "background"];

/** `latencyMs`: how long one takes, as far as is known; `heldBy`: a call around it that has a place under the same limit. */
export function shedFor(
  why: LoadShedError["why"],
  { call }: AttemptRecord,
  rank: number,
  { events, random }: LiveSeams,
  latencyMs: number,
  heldBy?: string,
): ReturnType<typeof refusal> {
  const criticality = ranked[rank] as Criticality;
  if (!events.quiet) events.emit("call.shed", { criticality, why, ...(heldBy !== undefined && { heldBy }) }, call);
  const retryAfterMs = againIn(latencyMs, random());
  return refusal(stackless(() => new LoadShedError(call.name, criticality, why, retryAfterMs, heldBy)));
}

/** Not all at the same time, and later than the patience of a retry: who is refused must not stand in a second queue. */
function againIn(latencyMs: number, random: number): number {
  return Math.round(Math.max(1_000, latencyMs || 0) * (1.05 + random));
}
