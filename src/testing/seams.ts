// Events, time and chance of all calls, for the length of a test.
import { z } from "zod";
import type { EventBus } from "../core/bus.ts";
import type { Clock } from "../core/clock.ts";
import { nextGeneration, replaceSeams, type Seams } from "../core/seams.ts";
import { forgetStories } from "../core/stories.ts";
import { parseOptions } from "../core/wrapper.ts";
import { queue } from "../output/review/queue.ts";

const schema = z.strictObject({
  clock: having<Clock>("now", "monotonic", "sleep", "timer"),
  events: having<EventBus>("on", "once", "onAny", "stream", "wants", "emit"),
  random: z.custom<() => number>((given) => typeof given === "function", { error: "a function" }).optional(),
  name: z.string().optional(),
});

/**
 * Puts these in place for all calls that were given none of their own, those made before included, until it is
 * disposed; one inside another goes back to the outer one. A `name` stays each call's own.
 * @throws OptionsInvalidError when given what is no clock, bus or source of chance
 * @example
 * const clock = testClock(1_000);
 * {
 *   using _ = seams({ clock, random: seededRandom(1) });
 *   await protect("now", async () => clock.now())(); // whatever it waits for, waits on the test's clock
 * }
 */
export function seams(given: Partial<Seams>): Disposable {
  const { clock, events, random } = parseOptions("seams", schema, given);
  const restore = replaceSeams({ clock, events, random });
  return { [Symbol.dispose]: restore };
}

/**
 * Every breaker, limit, cache and registry as new, no review kept and no story remembered: what one test did is nothing to the next.
 * @example
 * await protect("answer", async () => { throw new Error("no"); })().catch(() => {});
 * reset();
 * console.log(stories.recent().length); // → 0
 */
export function reset(): void {
  nextGeneration();
  forgetStories();
  queue(); // looks at the generation: what waited for a person is forgotten now, with its timers
}

function having<T>(...methods: readonly string[]) {
  const fits = (given: unknown) =>
    typeof given === "object" &&
    given !== null &&
    methods.every((method) => typeof (given as Readonly<Record<string, unknown>>)[method] === "function");
  return z.custom<T>(fits, { error: `an object with ${methods.join(", ")}` }).optional();
}
