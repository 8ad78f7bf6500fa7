// Plays a script against calls, in a world of its own: nothing waits for real time.
import { type EventBus, eventBus } from "../../core/bus.ts";
import type { Clock } from "../../core/clock.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import { settled } from "../../core/settled.ts";
import { stackOf } from "../../core/stack.ts";
import { seededRandom } from "../random.ts";
import { reset, seams } from "../seams.ts";
import { type AnyCall, Callers, type Enter } from "./callers.ts";
import type { CallerLog, Violation } from "./ledger.ts";
import type { Rule } from "./rule.ts";
import type { Script } from "./script.ts";
import { stage } from "./stage.ts";
import { Trace } from "./trace.ts";
import { World } from "./world.ts";

export interface Setting {
  /** Made anew for each play, or as they stand at a module's top. */
  readonly calls: readonly AnyCall[];
  readonly script: Script;
  /** Of the chance that is left to what is tested, such as jitter. */
  readonly seed: number;
  readonly rules: readonly Rule[];
  readonly input: (caller: number) => unknown;
  /** Whether anybody listens to the bus: calls go a shorter way where nobody does. */
  readonly watched?: boolean;
  /** Whether callers share runs; noticed by the events of a cache, where they are watched. */
  readonly shares?: boolean;
  /** Keeps the trace as text. */
  readonly traced?: boolean;
  /** How many callers come to each call when all is over, to see whether it is as it was; 2. */
  readonly probes?: number | undefined;
  /** What else is to happen. */
  readonly also?: ((world: World, callers: Callers) => void) | undefined;
  /** A deadline that whoever enters says beside the caller's own, ms from his beginning. */
  readonly given?: ((caller: number) => number | undefined) | undefined;
  /** How a call is entered whose end is to be known: `settled`. */
  readonly enter?: ((call: AnyCall) => Enter) | undefined;
}

export interface Played {
  readonly violations: readonly Violation[];
  readonly calls: number;
  /** Of services. */
  readonly runs: number;
  readonly steps: number;
  /** The same for two plays that went the same way. */
  readonly hash: string;
  readonly trace: readonly string[] | undefined;
  readonly world: World;
}

/** Everything that has an end has one by then, ms. */
const longEnough = 48 * 3_600_000;
/** What still hangs when it has been let go so often would always. */
const mostRounds = 1_000;
/** Between what was scripted and who looks whether all is well again. */
const rest = 2 * 3_600_000;

export async function play(setting: Setting): Promise<Played> {
  const { calls, script, seed, rules, input, also = nothing } = setting;
  const { watched = true, traced = false, probes = 2, enter = settled } = setting;
  const { AsyncLocalStorage } = await import("node:async_hooks");
  const trace = new Trace(traced);
  const world = new World(rules, trace, new AsyncLocalStorage<CallerLog>(), watched);
  const events = watched ? world.bus : eventBus();
  world.shares = setting.shares ?? false;
  if (stage.player !== undefined) throw new Error("A simulation is being played: await it before the next one.");
  using _ = seams({ clock: world.clock, events, random: seededRandom(seed) });
  for (const call of calls) refuseOwnSeams(call, world.clock, events);
  reset();
  const note = (error: unknown) => void world.unheard.push(error);
  process.on("unhandledRejection", note);
  stage.player = world;
  try {
    const callers = new Callers(
      world,
      calls.map((call) => ({ call, enter: enter(call) })),
      input,
      setting.given,
    );
    for (const plan of script) callers.invite(plan);
    also(world, callers);
    await world.pass(longEnough);
    world.ask("quiet");
    // what was let go may have made room for what hangs again
    for (let again = 0; again < mostRounds && world.letGo(); again++) await world.pass(longEnough);
    for (let i = 0; i < probes * calls.length; i++) {
      callers.invite({ at: world.coming + rest, to: i % calls.length, meets: [] }, true);
      await world.pass(2 * rest);
    }
    world.ask("ended");
  } finally {
    stage.player = undefined;
    reset();
    process.off("unhandledRejection", note);
  }
  const { violations, step: steps } = world;
  return {
    violations,
    calls: script.length,
    runs: world.runs.filter(({ caller }) => caller?.probes !== true).length,
    steps,
    hash: trace.hash,
    trace: trace.lines,
    world,
  };
}

function nothing(): void {}

/** What it waits for by a clock of its own would never come. */
function refuseOwnSeams(call: AnyCall, clock: Clock, events: EventBus): void {
  const own = stackOf(call)?.seams;
  if (own === undefined || (own.clock === clock && own.events === events)) return;
  const wanted = "a call without clock and events of its own: a simulation puts its own in their place";
  throw new OptionsInvalidError("simulate", [{ path: "call", got: call, wanted }]);
}
