// A second try beside the first, when the first takes longer than most: the slowest calls become as fast as the others.
import { z } from "zod";
import { type Budget, isBudget } from "../core/budget.ts";
import { limitSchema } from "../core/duration.ts";
import type { Duration, Operation, Wrapper } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import type { Race } from "../core/race.ts";
import type { Seams } from "../core/seams.ts";
import type { Hedging } from "../core/stack.ts";
import { functionSchema } from "../core/wanted.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import { Latencies } from "./hedge/latencies.ts";
import { Runs } from "./hedge/runs.ts";

export interface HedgeOptions<O = unknown> {
  /** How long the first may take before another begins: a duration, or what its slowest twentieth takes of late; default "p95". */
  after?: Duration | "p95" | undefined;
  /** So many more at most, each after the same delay or at once when one fails; default 1. */
  extra?: number | undefined;
  /** Whom the others ask, in turn; default the same. */
  to?: ReadonlyArray<Operation<never, O>> | undefined;
  /** What each takes one from, and shares with retries and other calls; default that of the declaration, else none. */
  budget?: Budget | undefined;
}

export interface Hedge extends Wrapper {
  readonly kind: "hedge";
}

export const hedgeSchema = z.strictObject({
  after: z.union([z.literal("p95"), limitSchema], { error: '"p95" or a duration' }).default("p95"),
  extra: z.int().min(1).default(1),
  to: z.array(functionSchema<Operation<never, unknown>>(), { error: "a list of operations" }).default([]),
  budget: z.custom<Budget>(isBudget, { error: "a budget, as `budget()` gives it" }).optional(),
});

/** What the runs of all calls read. */
export interface Live {
  options: z.output<typeof hedgeSchema>;
  readonly latencies: Latencies;
}

/**
 * Begins a second try beside the first when that takes longer than `after`, or at once when it fails and may do better
 * next time; the first good answer wins, and the others are ended and their results discarded. Only for what may happen
 * twice: never where `idempotent` is false and there is no key. `"p95"` waits for 20 answers before it hedges.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const user = hedge({ after: "50ms" })(async (id: string) => ({ id }));
 * await user("ada");
 * @see Jeffrey Dean, Luiz André Barroso, "The Tail at Scale", Communications of the ACM, 2013
 */
export function hedge(options: HedgeOptions = {}, seams?: Partial<Seams>): Hedge {
  const settings = new LiveOptions((written) => parseOptions("hedge", hedgeSchema, written), options);
  const live: Live = { options: settings.now, latencies: new Latencies() };
  settings.changedBy({
    change: (next) => () => {
      live.options = next;
    },
  });
  const hedging: Hedging = {
    get extra() {
      return live.options.extra;
    },
    get targets() {
      return live.options.to;
    },
    begin(first, at, targets) {
      const runs = new Runs(first as Race, at, live, targets);
      hedging.hurried?.set(first.call, runs);
      runs.begin();
    },
  };
  const { latencies } = live;
  const state = () => (latencies.p95 === Number.POSITIVE_INFINITY ? {} : { p95Ms: latencies.p95 });
  return wrapperOf(new LiveSpec("hedge", settings, { hedging, state }), seams) as Hedge;
}
