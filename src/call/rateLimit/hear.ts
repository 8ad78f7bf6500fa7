// What an answer tells of the provider's own limits.
import type { About } from "../../core/bus.ts";
import { headersOf } from "../../core/shapes.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import type { Amounts } from "./amounts.ts";
import { toldBy } from "./headers.ts";
import type { Limiter } from "./limiter.ts";

/** `since`: how much had been taken when it was asked. */
export function hearOf(
  limiter: Limiter,
  outcome: Outcome<unknown>,
  verdict: Verdict | undefined,
  serial: number,
  since: Amounts,
  about: About,
): void {
  const { clock, events } = limiter.seams;
  const { headers } = limiter.settings;
  // one 429 is for all who share the account: they need not each get their own
  if (verdict?.kind === "rateLimited" && verdict.retryAfterMs !== undefined) limiter.pause(verdict.retryAfterMs);
  if (headers === undefined) return;
  const told = toldBy(headers, headersOf(outcome.ok ? outcome.value : outcome.error), clock.now());
  if (told.length === 0) return;
  const changes = limiter.hear(told, serial, since);
  if (events.quiet) return;
  for (const { from, to } of changes) events.emit("limit.changed", { from, to, why: "provider" }, about);
}
