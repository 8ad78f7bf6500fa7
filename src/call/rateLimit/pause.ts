// How long one answer may hold back all who share a limit.
import { quotaNames } from "./amounts.ts";
import type { Quotas } from "./settings.ts";

const [least, most] = [60_000, 3_600_000];

/** The longest period of the quotas, but a minute at least and an hour at most: then calls ask again, and a new refusal pauses again. */
export function longestPauseMs(quotas: Quotas): number {
  const longest = Math.max(...quotaNames.map((name) => quotas[name]?.per ?? 0));
  return Math.min(most, Math.max(least, longest));
}
