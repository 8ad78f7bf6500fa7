// A rate limit in the hands of code that is no single promise, and of whoever looks at it.
import { classifyError, classifyValue } from "../../core/classify.ts";
import { aboutOf, behind, withHandle } from "../../core/handle.ts";
import type { Wrapper } from "../../core/operation.ts";
import type { Outcome } from "../../core/verdict.ts";
import { nothing, one } from "./amounts.ts";
import { hearOf } from "./hear.ts";
import type { Limiter } from "./limiter.ts";
import { tellRefused } from "./refusal.ts";
import { wasNotUsed } from "./unused.ts";

/** One for all. */
const handle = {
  __proto__: Function.prototype,

  get left() {
    return behind<Limiter>(this).left;
  },
  get waiting() {
    return behind<Limiter>(this).waiting;
  },
  get acquire() {
    return () => acquire(behind<Limiter>(this));
  },
};

/** With what it has beside. */
export function handled<W extends Wrapper>(wrapper: W, limiter: Limiter): W & typeof handle {
  return withHandle(wrapper, limiter, handle);
}

export function stateOf(limiter: Limiter) {
  return { left: limiter.left, waiting: limiter.waiting, pausedMs: limiter.pausedMs };
}

function acquire(limiter: Limiter) {
  const { seams } = limiter;
  const about = aboutOf(seams, "rateLimit");
  const wait = limiter.take(one, 1);
  if (wait !== undefined) {
    tellRefused(seams, wait, about);
    return undefined;
  }
  const at = seams.clock.monotonic();
  const since = [...limiter.taken];
  const { born } = limiter;
  let done = false;
  return {
    done(outcome: Outcome<unknown>): void {
      if (done) return;
      done = true;
      limiter.refresh();
      if (born !== limiter.born) return;
      const now = seams.clock.now();
      const verdict = outcome.ok ? classifyValue(outcome.value, now) : classifyError(outcome.error, now);
      if (wasNotUsed(outcome, verdict)) limiter.settle(one, nothing, at);
      hearOf(limiter, outcome, verdict, 0, since, about);
    },
  };
}
