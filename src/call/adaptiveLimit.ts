// How many at once, found out from how long they take.
import { z } from "zod";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Criticality, Wrapper } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import { LimitBracket } from "./adaptiveLimit/bracket.ts";
import { Crowd } from "./adaptiveLimit/crowd.ts";
import { handled, stateOf } from "./adaptiveLimit/handle.ts";
import type { Permit } from "./breaker.ts";

export interface AdaptiveLimitOptions {
  /** So many may always run, whatever is found; default 1. */
  min?: number | undefined;
  /** Never more than so many; default 1,000. */
  max?: number | undefined;
  /** Shares of the limit, 0 to less than 1 in all, that are kept for a criticality: others may not take them. Default none. */
  reserve?: Partial<Record<Criticality, number | undefined>> | undefined;
}

export interface AdaptiveLimit extends Wrapper {
  readonly kind: "adaptiveLimit";
  /** How many may run at once, as far as is known now. */
  readonly limit: number;
  /** How many run: from their start to their true end. */
  readonly running: number;
  /** A place for something that is not one promise, such as a stream, until `done`; `undefined` when there is none. */
  acquire(): Permit | undefined;
}

const count = z.custom<number>((given) => Number.isSafeInteger(given) && (given as number) >= 1, {
  error: "a whole number, at least 1",
});
const share = z
  .custom<number>((given) => typeof given === "number" && given >= 0 && given < 1, {
    error: "a share, 0 to less than 1",
  })
  .optional();

export const adaptiveLimitSchema = z.strictObject({
  min: count.default(1),
  max: count.default(1_000),
  reserve: z
    .strictObject({ critical: share, normal: share, sheddable: share, background: share })
    .refine((kept) => Object.values(kept).reduce<number>((sum, one) => sum + (one ?? 0), 0) < 1, {
      error: "shares that are less than 1 together",
    })
    .prefault({}),
});

/**
 * Lets as many operations run at a time as the other side serves without a queue, found from how long they take: no number
 * to guess. Who finds no place is refused with a `LoadShedError`. A place is held until the operation itself has settled,
 * and the body it delivered is at its end. State belongs to the wrapper: what it is laid round shares one limit.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const limit = adaptiveLimit({ reserve: { critical: 0.1 } });
 * const search = limit(async (words: string) => `all about ${words}`);
 * console.log(await search("tides"), limit.running); // → all about tides 0
 * @see Netflix, concurrency-limits: `Gradient2Limit`, 2018
 * @see Lawrence Brakmo, Larry Peterson, TCP Vegas: End to End Congestion Avoidance on a Global Internet, 1995
 * @see Neal Cardwell et al., BBR: Congestion-Based Congestion Control, 2016
 */
export function adaptiveLimit(options: AdaptiveLimitOptions = {}, seams?: Partial<Seams>): AdaptiveLimit {
  const live = new LiveOptions((written) => parsed(written), options);
  const crowd = new Crowd(live.now as never, liveSeams(seams));
  live.changedBy({ change: (next) => () => crowd.change(next as never) });
  const layer = { bracket: new LimitBracket(crowd), state: () => stateOf(crowd) };
  const wrapper = wrapperOf(new LiveSpec("adaptiveLimit", live, layer), seams);
  return handled(wrapper as Wrapper & { readonly kind: "adaptiveLimit" }, crowd);
}

function parsed(written: unknown) {
  const options = parseOptions("adaptiveLimit", adaptiveLimitSchema, written);
  if (options.min > options.max)
    throw new OptionsInvalidError("adaptiveLimit", [
      { path: "min", got: options.min, wanted: `at most \`max\`, which is ${options.max}` },
    ]);
  return options;
}
