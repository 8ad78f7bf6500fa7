// Who goes first when there is too much to do: the lowest, and who has more than its share.
import { z } from "zod";
import { limitSchema } from "../core/duration.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import { functionSchema } from "../core/wanted.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import { ShedBracket } from "./shed/bracket.ts";
import { Gatekeeper } from "./shed/gatekeeper.ts";

export interface ShedOptions<I = never> {
  /** So late may the event loop be: normal calls are refused from here on, lower ones a little earlier; default: it is not looked at. */
  eventLoopDelay?: Duration | undefined;
  /** Whose call it is: who has more than a fair share under way goes first; default: nobody is told apart. */
  fairBy?: ((input: I) => string) | undefined;
  /** How much there is to do: 0 nothing, 1 and more too much. Asked at most every 20 ms or 32 calls; default none. */
  measure?: (() => number) | undefined;
}

export interface Shed extends Wrapper {
  readonly kind: "shed";
}

export const shedSchema = z.strictObject({
  eventLoopDelay: limitSchema.prefault(Number.POSITIVE_INFINITY),
  fairBy: functionSchema<(input: never) => string>().optional(),
  measure: functionSchema<() => number>().optional(),
});

/**
 * Refuses calls when there is too much to do, the lowest first: background, then sheddable, then normal ones, with a
 * `LoadShedError`. Too much is what the limits inside it cannot take, an event loop that is behind, or what a measure of
 * your own says. Critical calls are let through to the limit itself.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const careful = shed({ measure: () => 0.95 });
 * const report = protect("report", careful(async () => "done"), { criticality: "background" });
 * const { ok } = await settled(report)();
 * console.log(ok); // → false
 * @see Hao Zhou et al., Overload Control for Scaling WeChat Microservices, 2018
 * @see Betsy Beyer et al., Site Reliability Engineering: Handling Overload, 2016
 */
export function shed<I = never>(options: ShedOptions<I> = {}, seams?: Partial<Seams>): Shed {
  const live = new LiveOptions((written) => parseOptions("shed", shedSchema, written), options);
  const keeper = new Gatekeeper(live.now, liveSeams(seams));
  live.changedBy({
    change: (next) => () => {
      keeper.settings = next;
    },
  });
  const layer = {
    bracket: new ShedBracket(keeper),
    state: () => ({ pressure: keeper.last, tenants: keeper.tenants.size }),
  };
  return wrapperOf(new LiveSpec("shed", live, layer), seams) as Shed;
}
