// What a circuit can be, each with what belongs to it alone.
import type { EventMap } from "../../core/events.ts";
import type { Totals } from "./counts.ts";
import type { Places } from "./places.ts";

/** What opened it. */
export type Why = EventMap["breaker.opened"]["why"];

/** Why it is open, and until when. */
export interface Break extends Totals {
  readonly why: Exclude<Why, "isolated">;
  /** Epoch ms. */
  readonly at: number;
  /** Monotonic ms. */
  readonly until: number;
  readonly ms: number;
  /** How many probes have failed since it was closed. */
  readonly failedProbes: number;
}

export type Phase =
  | { readonly is: "closed"; readonly since: number; readonly rampUntil: number }
  | { readonly is: "open"; readonly broken: Break }
  | { readonly is: "halfOpen"; readonly broken: Break; readonly places: Places };

/** For people: "it …". */
export const words: Readonly<Record<Why, string>> = {
  failureRate: "it failed too often",
  slowCallRate: "it was too slow too often",
  consecutiveFailures: "it failed too often in a row",
  probeFailed: "it failed again when it was tried",
  isolated: "it was isolated by hand",
};
