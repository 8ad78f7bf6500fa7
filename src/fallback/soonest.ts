// When the first of several ways may be asked again: what is told to whoever none of them could serve.
import { spell } from "../core/duration.ts";
import { HoldfastError, isOwn, stackless } from "../core/errors.ts";
import type { Verdict } from "../core/verdict.ts";

export class Soonest {
  private at = Number.POSITIVE_INFINITY;
  private isKnown = true;

  /** One was asked, and failed: not every failure says when to come again. */
  failed(verdict: Verdict | undefined, now: number): void {
    if (verdict?.retryAfterMs === undefined) this.isKnown = false;
    else this.at = Math.min(this.at, now + verdict.retryAfterMs);
  }

  /** One was not asked: it would not admit for so long. */
  skipped(readyMs: number, now: number): void {
    this.at = Math.min(this.at, now + readyMs);
  }

  /** Ms from now; `undefined` where one of those that were asked does not say. */
  in(now: number): number | undefined {
    if (!this.isKnown || this.at === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, Math.ceil(this.at - now));
  }

  /** The error of the only one that was asked; where another is ready sooner, one like it that says so. */
  told(error: unknown, now: number): unknown {
    const retryAfterMs = this.in(now);
    if (retryAfterMs === undefined || !isOwn(error) || !((error.retryAfterMs ?? 0) > retryAfterMs)) return error;
    // not on the error itself: a call of its own may have ended with it, or several calls that share a load
    const message = `${error.message} Another tier may be asked in ${spell(retryAfterMs)}.`;
    const { code, operation, retryable } = error;
    const facts = { code, operation, retryable, cause: error };
    const like = stackless(() => Reflect.construct(HoldfastError, [message, facts], error.constructor));
    return Object.assign(like, error, { retryAfterMs });
  }
}
