// How much retries and hedges may add to the load, all together: a share of the calls, and a minimum for who calls seldom.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { type Budget, isBudget } from "../core/budget.ts";
import type { Bracket } from "../core/layer.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { LiveSpec, parseOptions } from "../core/wrapper.ts";
import { Bucket } from "./budget/bucket.ts";

export interface BudgetOptions {
  /** So many tries more for each call, from 0 to 1; default 0.1: one for ten calls of the last 10 s. */
  share?: number | undefined;
  /** So many tries more each second, however few calls there are, ten seconds' worth at once; default 1. */
  perSecond?: number | undefined;
}

export const budgetSchema = z.strictObject({
  share: z.number().min(0).max(1).default(0.1),
  perSecond: z.number().min(0).default(1),
});

/**
 * One budget for the retries and hedges of a component: under an outage they add at most its `share` to the load, however
 * many callers try again. Who finds nothing left gets the failure there is, at once. Calls bring their share with their
 * answers, failures as well as successes, but for answers that say that there is too much.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const spare = budget({ share: 0.1 });
 * const user = pipe(async (id: string) => ({ id }), retry({ budget: spare }));
 * await user("ada");
 * console.log(spare.left); // → 10.1
 * @see Marc Brooker, "Timeouts, retries, and backoff with jitter", Amazon Builders' Library, 2019: a token bucket as in the AWS SDKs
 * @see gRPC proposal A6, "gRPC Retry Design", 2017: retry throttling, filled by successes
 * @see Twitter, Finagle, `RetryBudget`, 2015: a share of recent requests, and a minimum a second
 */
export function budget(options: BudgetOptions = {}, seams?: Partial<Seams>): Budget {
  const live = new LiveOptions((written) => parseOptions("budget", budgetSchema, written), options);
  const bucket = new Bucket(live.now, liveSeams(seams));
  live.changedBy({ change: (next) => () => bucket.change(next) });
  // inside retry, so that a call has brought its share when it asks for a second round; which brings none
  const after: Bracket["after"] = (attempt, _, verdict) => {
    if ((attempt as AttemptRecord).outer === null) bucket.fund(attempt as AttemptRecord, verdict);
  };
  const layer = { bracket: { after }, state: () => ({ left: bucket.left }) };
  bucket.spec = new LiveSpec("budget", live, layer);
  return bucket;
}

/** One made before, or one of these options. */
export function budgetOf(given: Budget | BudgetOptions, seams: Partial<Seams>): Budget {
  return isBudget(given) ? given : budget(given as BudgetOptions, seams);
}

/** What a declaration lays: it brings in the shares of its calls. */
export function layerOf(given: Budget): LayerSpec {
  return (given as Bucket).spec as LayerSpec;
}
