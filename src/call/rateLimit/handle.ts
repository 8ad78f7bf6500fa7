// A rate limit in the hands of code that is no single promise, and of whoever looks at it.
import { classifyError, classifyValue } from "../../core/classify.ts";
import type { Wrapper } from "../../core/operation.ts";
import type { Outcome } from "../../core/verdict.ts";
import { one } from "./amounts.ts";
import { hearOf } from "./hear.ts";
import type { Limiter } from "./limiter.ts";
import { aboutOf, tellRefused } from "./refusal.ts";
import { wasNotUsed } from "./unused.ts";

/** Where a rate limit keeps its quotas. */
const LIMITER = Symbol("holdfast.limiter");
interface Handled {
  readonly [LIMITER]: Limiter;
}

/** Gives a wrapper what a rate limit has beside. */
export function withHandle<W extends Wrapper>(wrapper: W, limiter: Limiter): W & typeof handle {
  const handled = Object.defineProperty(wrapper, LIMITER, { value: limiter });
  return Object.setPrototypeOf(handled, handle);
}

/** One for all limits; bound when read, so that it can be destructured. */
const handle = {
  __proto__: Function.prototype,

  get left() {
    return limiterOf(this).left;
  },
  get waiting() {
    return limiterOf(this).waiting;
  },
  get acquire() {
    return () => acquire(limiterOf(this));
  },
};

function limiterOf(limit: object): Limiter {
  return (limit as Handled)[LIMITER];
}

export function stateOf(limiter: Limiter) {
  return { left: limiter.left, waiting: limiter.waiting };
}

function acquire(limiter: Limiter) {
  const { seams } = limiter;
  const about = aboutOf(seams);
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
      if (wasNotUsed(outcome, verdict)) limiter.giveBack(one, at);
      hearOf(limiter, outcome, verdict, 0, since, about);
    },
  };
}
