// Plays a script against calls, in a world of its own: nothing waits for real time.
import { type EventBus, eventBus } from "../../core/bus.ts";
import type { Clock } from "../../core/clock.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import type { CallOptions, Protected } from "../../core/operation.ts";
import { settled } from "../../core/settled.ts";
import { stackOf } from "../../core/stack.ts";
import type { Settled } from "../../core/story.ts";
import { seededRandom } from "../random.ts";
import { reset, seams } from "../seams.ts";
import type { CallerLog, Hand, Violation } from "./ledger.ts";
import type { Rule } from "./rule.ts";
import type { Caller, Script } from "./script.ts";
import { stage } from "./stage.ts";
import { Trace } from "./trace.ts";
import { World } from "./world.ts";

/** A call of whatever input and output. */
// biome-ignore lint/suspicious/noExplicitAny: a call takes what its own input is
export type AnyCall = Protected<any, unknown>;

export type Enter = (input: unknown, options: CallOptions) => PromiseLike<Settled<unknown>>;

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
  const { calls, script, seed, rules, input, watched = true, traced = false, probes = 2, enter = settled } = setting;
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
    const targets = calls.map((call) => ({ call, enter: enter(call) }));
    const common = handOf();
    for (const plan of script) invite(plan, plan.shares ? common : handOf());
    await world.pass(longEnough);
    world.ask("quiet");
    // what was let go may have made room for what hangs again
    for (let again = 0; again < mostRounds && world.letGo(); again++) await world.pass(longEnough);
    for (let i = 0; i < probes * targets.length; i++) {
      invite({ at: world.coming + rest, to: i % targets.length, meets: [] }, handOf(), true);
      await world.pass(2 * rest);
    }
    world.ask("ended");

    function invite(plan: Caller, hand: Hand, probes = false): void {
      const no = world.callers.length;
      const caller: CallerLog = {
        no,
        plan,
        probes,
        input: input(no),
        hand,
        startedAt: Number.NaN,
        dueAt: Number.POSITIVE_INFINITY,
        abortedAt: undefined,
        abortedInStep: undefined,
        settledAt: undefined,
        settledInStep: undefined,
        settledTimes: 0,
        result: undefined,
        runs: [],
      };
      world.callers.push(caller);
      world.at(plan.at, () => begin(caller));
    }

    function begin(caller: CallerLog): void {
      const { plan, no, hand, input } = caller;
      const target = targets[plan.to ?? 0] as (typeof targets)[number];
      const { abort } = plan;
      caller.startedAt = world.coming;
      caller.dueAt = caller.startedAt + Math.min(deadlineOf(target.call), plan.deadline ?? Number.POSITIVE_INFINITY);
      world.waiting.add(caller);
      world.tell(`call ${no}`);
      if (abort === "before") world.goAway(caller);
      else if (typeof abort === "number") world.at(caller.startedAt + abort, () => world.goAway(caller));
      const options: CallOptions = {
        ...((abort !== undefined || plan.shares) && { signal: hand.controller.signal }),
        ...(plan.deadline !== undefined && { deadline: plan.deadline }),
        ...(plan.key && { idempotencyKey: `key of call ${no}` }),
        ...(plan.accept !== undefined && { accept: plan.accept }),
        ...(plan.criticality !== undefined && { criticality: plan.criticality }),
      };
      const hear = (result: Settled<unknown>) => {
        caller.settledTimes++;
        caller.result = result;
        caller.settledAt = world.coming;
        caller.settledInStep = world.step;
        world.waiting.delete(caller);
        world.tell(`call ${no} settles: ${result.story.state}`);
      };
      world.within(caller, () => void target.enter(input, options).then(hear));
    }
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

/** A signal that tells how many listen to it. */
function handOf(): Hand {
  const controller = new AbortController();
  const { signal } = controller;
  const hand: Hand = { controller, listeners: 0 };
  const add = signal.addEventListener.bind(signal) as (...given: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...given: unknown[]) => void;
  const listening = new Set<unknown>();
  const count = () => {
    hand.listeners = listening.size;
  };
  Object.assign(signal, {
    addEventListener(type: string, listener: unknown, ...rest: unknown[]) {
      listening.add(listener);
      count();
      add(type, listener, ...rest);
    },
    removeEventListener(type: string, listener: unknown, ...rest: unknown[]) {
      listening.delete(listener);
      count();
      remove(type, listener, ...rest);
    },
  });
  return hand;
}

/** What it declares of itself as a whole, now; `Infinity`: nothing. */
function deadlineOf(call: AnyCall): number {
  return stackOf(call)?.deadline?.ms ?? Number.POSITIVE_INFINITY;
}

/** What it waits for by a clock of its own would never come. */
function refuseOwnSeams(call: AnyCall, clock: Clock, events: EventBus): void {
  const own = stackOf(call)?.seams;
  if (own === undefined || (own.clock === clock && own.events === events)) return;
  const wanted = "a call without clock and events of its own: a simulation puts its own in their place";
  throw new OptionsInvalidError("simulate", [{ path: "call", got: call, wanted }]);
}
