// How many at once; who finds no place waits in a bounded queue, or is refused.

import { z } from "zod";
import { limitSchema } from "../core/duration.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import type { Permit } from "./breaker.ts";
import { PlaceBracket } from "./bulkhead/bracket.ts";
import { handled, stateOf } from "./bulkhead/handle.ts";
import { Places } from "./bulkhead/places.ts";

export interface BulkheadOptions {
  /** So many operations run at a time. */
  concurrency: number;
  /** So many calls may wait for a place, the more critical first; default 0: none waits. */
  queue?: number | undefined;
  /** Who has waited so long is refused; default no limit but the call's deadline. Wants a `queue`. */
  queueTimeout?: Duration | undefined;
  /** An operation that nobody waits for any more and that still runs so long after gives its place back; default never. */
  abandonAfter?: Duration | undefined;
}

export interface Bulkhead extends Wrapper {
  readonly kind: "bulkhead";
  /** How many have a place: from their start to their true end. */
  readonly running: number;
  /** How many wait for one. */
  readonly queued: number;
  /** A place for something that is not one promise, such as a stream, until `done`; `undefined` when none is free. */
  acquire(): Permit | undefined;
}

function isCount(given: unknown, least: number): boolean {
  return Number.isSafeInteger(given) && (given as number) >= least;
}

function count(least: number) {
  return z.custom<number>((given) => isCount(given, least), { error: `a whole number, at least ${least}` });
}

const optionsSchema = z
  .strictObject(
    {
      concurrency: count(1),
      queue: count(0).default(0),
      queueTimeout: limitSchema.prefault(Number.POSITIVE_INFINITY),
      abandonAfter: limitSchema.prefault(Number.POSITIVE_INFINITY),
    },
    {
      error: ({ code }) =>
        code === "invalid_type"
          ? "how many at once, or { concurrency, queue?, queueTimeout?, abandonAfter? }"
          : undefined,
    },
  )
  .superRefine(({ queue, queueTimeout }, context) => {
    if (queue > 0 || queueTimeout === Number.POSITIVE_INFINITY) return;
    const message =
      "a `queue` of at least 1 beside it, as without one nobody waits, or else no limit of waiting (`Infinity`)";
    context.addIssue({ code: "custom", path: ["queueTimeout"], message, input: queueTimeout });
  });
export const bulkheadSchema = z.preprocess((given, context) => {
  if (typeof given !== "number" || isCount(given, 1)) return spelt(given);
  context.addIssue({ code: "custom", message: "how many at once: a whole number, at least 1", input: given });
  return z.NEVER;
}, optionsSchema);

function spelt(given: unknown): unknown {
  return typeof given === "number" ? { concurrency: given } : given;
}

/**
 * Lets so many operations run at a time. Others wait in a bounded queue, the more critical first, or are refused with a
 * `BulkheadFullError`. A place is held until the operation itself has settled, and the body it delivered is at its end.
 * State belongs to the wrapper: what it is laid round shares its places.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const places = bulkhead({ concurrency: 2, queue: 10, queueTimeout: "1s" });
 * const resize = places(async (image: string) => `${image}, smaller`);
 * console.log(await Promise.all(["a", "b", "c"].map((image) => resize(image)))); // → [ 'a, smaller', 'b, smaller', 'c, smaller' ]
 * @see Michael Nygard, Release It!, 2007
 */
export function bulkhead(options: number | BulkheadOptions, seams?: Partial<Seams>): Bulkhead {
  const live = new LiveOptions(settingsIn, options, spelt);
  const places = new Places(live.now, liveSeams(seams));
  const layer = new PlacesLayer(new PlaceBracket(places));
  live.changedBy(layer);
  const wrapper = wrapperOf(new LiveSpec("bulkhead", live, layer), seams);
  return handled(wrapper as Wrapper & { readonly kind: "bulkhead" }, places);
}

/** A class, as of bulkheads there may be thousands. */
class PlacesLayer {
  readonly bracket: PlaceBracket;

  constructor(bracket: PlaceBracket) {
    this.bracket = bracket;
  }

  state(): unknown {
    return stateOf(this.bracket.places);
  }

  change(next: ReturnType<typeof settingsIn>): () => void {
    return () => this.bracket.places.change(next);
  }
}

function settingsIn(written: unknown) {
  return parseOptions("bulkhead", bulkheadSchema, written);
}
