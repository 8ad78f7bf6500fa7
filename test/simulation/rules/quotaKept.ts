// A rate limit lets through no more than its quota in any period, and lets nobody wait or go for nothing.

import { hintMs } from "../../../src/testing/simulation/failures.ts";
import type { Run } from "../../../src/testing/simulation/ledger.ts";
import { type Found, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { WatchedRateLimit } from "../watched.ts";

const tiny = 1e-3;
/** The window may be so much coarser than it is. */
const coarse = 1 / 128;

export function quotaKept({ plan, names, services, state, waits, refuses }: WatchedRateLimit): Rule {
  const { limit, per, burst, shape = "tokenBucket", whenFull = "wait" } = plan;
  const isBucket = shape === "tokenBucket" && burst !== undefined;
  /** Those that were let through and are not given back. */
  const passed = new Set<Run>();
  /** What is in the bucket, now. */
  let [tokens, at] = [burst ?? 0, 0];
  let latest = Number.NEGATIVE_INFINITY;
  let beforeLatest = latest;
  let pausedUntil = 0;
  let givenBack = 0;

  function fill(now: number): void {
    tokens = Math.min(burst ?? 0, tokens + ((now - at) * limit) / per);
    at = now;
  }

  function within(ms: number, now: number): number {
    let count = 0;
    for (const { startedAt } of passed) if (startedAt + ms > now + tiny) count++;
    return count;
  }

  /** Whether one more may surely pass now. */
  function isFree(now: number, wholeIs = 1): boolean {
    if (refuses || now < pausedUntil + tiny) return false;
    if (shape === "smooth") return now >= latest + per / limit + tiny;
    if (isBucket) {
      fill(now);
      return tokens >= Math.min(1 + tiny, burst * wholeIs);
    }
    return givenBack === 0 && within(per * (1 + coarse), now - tiny) < limit;
  }

  return {
    name: "quota kept",
    says: "No period has more runs than the quota and its burst; what was not received is given back; nobody waits or is refused for nothing, and nobody waits who has gone.",
    called(run, world, found) {
      if (!services.has(run.service)) return;
      const now = world.coming;
      if (!waits) {
        const why = tooMuch(now);
        if (why !== undefined) found(`${nameOfRun(run)} is begun, and ${why}`);
      }
      passed.add(run);
      if (isBucket) {
        fill(now);
        tokens -= 1;
      }
      beforeLatest = latest;
      latest = now;
    },
    left(run, world) {
      if (!services.has(run.service) || run.endedAt === undefined || run.abortedAt !== undefined) return;
      const { gives } = run.behaviour;
      if (gives === "429, try later") pausedUntil = Math.max(pausedUntil, world.coming + hintMs);
      // it was not received, and does not say that it was too much
      if (gives !== "refused") return;
      passed.delete(run);
      givenBack++;
      if (run.startedAt === latest) latest = beforeLatest; // none has come after it
      fill(world.coming);
      if (isBucket) tokens = Math.min(burst ?? 0, tokens + 1);
    },
    heard(event, world, found) {
      if (event.type !== "limit.refused" || !names.has(event.name) || whenFull === "wait" || waits) return;
      if (isFree(world.coming)) found(`"${event.name}" was refused, and one more may pass`);
    },
    stepped(world, found: Found) {
      const { left, waiting } = state();
      if (left.requests < 0) found(`${left.requests} requests are left`);
      if (waiting === 0) return;
      if (world.waiting.size === 0 && !world.shares)
        found(`${waiting} wait for the limit, and all their callers have gone`);
      // a bucket that is filled in this moment may be one whose timer is about to say so
      if (!waits && isFree(world.now, 1 + tiny)) found(`${waiting} wait for the limit, and one more may pass`);
    },
  };

  function tooMuch(now: number): string | undefined {
    if (shape === "smooth")
      return now < latest + per / limit - tiny ? `the one before was ${now - latest} ms ago` : undefined;
    if (isBucket) {
      fill(now);
      return tokens < 1 - tiny ? `there were ${tokens} left of ${burst}` : undefined;
    }
    const count = within(per - tiny, now);
    return count >= limit ? `${count} of ${limit} were in the ${per} ms before` : undefined;
  }
}
