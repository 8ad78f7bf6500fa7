// A call under everything that can go wrong, in an order that chance makes and a seed repeats.
import { z } from "zod";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Protected } from "../core/operation.ts";
import { stackOf } from "../core/stack.ts";
import { functionSchema } from "../core/wanted.ts";
import { parseOptions } from "../core/wrapper.ts";
import { seededRandom } from "./random.ts";
import type { AnyCall } from "./simulation/callers.ts";
import { callersSchema } from "./simulation/callersSchema.ts";
import { scriptOf, timesOf } from "./simulation/generate.ts";
import type { Violation } from "./simulation/ledger.ts";
import { type Played, play } from "./simulation/play.ts";
import type { Rule } from "./simulation/rule.ts";
import { comesBack } from "./simulation/rules/comesBack.ts";
import { notAfterTheEnd } from "./simulation/rules/notAfterTheEnd.ts";
import { oneKey } from "./simulation/rules/oneKey.ts";
import { onlyOnce } from "./simulation/rules/onlyOnce.ts";
import { ownAnswer } from "./simulation/rules/ownAnswer.ts";
import { sameStory } from "./simulation/rules/sameStory.ts";
import { hasStopped, settles } from "./simulation/rules/settles.ts";
import type { Caller, Script } from "./simulation/script.ts";
import { shrink, textOf } from "./simulation/shrink.ts";
import { Trace } from "./simulation/trace.ts";

export interface SimulateOptions<I, O> {
  /** How many calls are made; default 1000. */
  calls?: number | undefined;
  /** The same seed gives the same simulation, step by step; default 1. */
  seed?: number | undefined;
  /** What the call of this number is given, from 0 and again from 0 for each hundred that may meet; default nothing. */
  input?: ((call: number) => I) | undefined;
  /** Whether this may be delivered for that input: your own view, whatever the call itself checks; by default everything may. With a cache, only this says whose answer it is. */
  sound?: ((value: O, input: I) => boolean) | undefined;
  /** Makes the call for each script anew: for a wrapper of your own that keeps what `reset()` does not forget. */
  anew?: (() => Protected<I, O>) | undefined;
  /** This one script in place of random ones: what an earlier violation was shown by. */
  script?: readonly Caller[] | undefined;
}

/** What was done, when nothing was found. */
export interface Simulation {
  readonly calls: number;
  /** How often a simulated service was called. */
  readonly runs: number;
  /** Moments at which something happened; all was looked at after each. */
  readonly steps: number;
  readonly seed: number;
  /** In which states the calls ended, and how many in each. */
  readonly states: Readonly<Record<string, number>>;
  /** The same for two simulations that went the same way, in every step. */
  readonly trace: string;
}

/** Something did not hold. Its message has the seed, and the shortest script that shows it, ready to be a test. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  readonly violations: readonly Violation[];
  /** Of the simulation in which it was found. */
  readonly seed: number;
  /** What shows it, where it shows again: `simulate(call, { input, …replay })`. */
  readonly replay: { readonly seed: number; readonly script: readonly Caller[] };

  constructor(
    call: string,
    violations: readonly Violation[],
    seed: number,
    replay: SimulationError["replay"],
    shows: boolean,
  ) {
    super(messageOf(call, violations, seed, shows ? replay : undefined));
    this.violations = violations;
    this.seed = seed;
    this.replay = replay;
  }
}

const schema = z.strictObject({
  calls: z.int().min(1).default(1_000),
  seed: z.int().default(1),
  input: functionSchema<(call: number) => unknown>().optional(),
  sound: functionSchema<(value: never, input: never) => boolean>().optional(),
  anew: functionSchema<() => AnyCall>().optional(),
  script: callersSchema.optional(),
});

/** So many calls share a world: enough to meet each other, few enough to be shrunk. */
const atOnce = 100;

/**
 * Plays thousands of calls against services that are slow, fail, hang, lie and answer late, with callers that go away
 * and callers in a hurry, on a clock that nobody waits for. After every step it looks whether each call settles in time
 * and once, nothing is called for what is over, what must not happen twice does not, timers, listeners and permits come
 * back, events and stories tell what happened, and nothing is delivered that may not be. The services are those that
 * `simulated` gives; whatever else the call asks is asked as it is. Forgets all state, as `reset()` does.
 * @throws SimulationError with the seed and the shortest script when something did not hold
 * @throws OptionsInvalidError for options that cannot be meant, for a call with a clock of its own, and for one that no
 * simulated service is called by
 * @example
 * const pay = protect("pay", simulated((cents: number) => ({ paid: cents })), { retry: {}, timeout: "2s", idempotent: false });
 * const { calls } = await simulate(pay, { calls: 200, seed: 7, input: (n) => n });
 * console.log(calls); // → 200
 */
export async function simulate<I, O>(call: Protected<I, O>, options: SimulateOptions<I, O> = {}): Promise<Simulation> {
  const {
    calls,
    seed,
    input = () => undefined,
    sound,
    anew = () => call as AnyCall,
    script,
  } = parseOptions("simulate", schema, options);
  if (stackOf(call) === undefined)
    throw new OptionsInvalidError("simulate", [{ path: "call", got: call, wanted: "a protected call" }]);
  const rules = rulesOf(call as AnyCall, sound);
  const times = timesOf(call as AnyCall);
  const sum = { calls: 0, runs: 0, steps: 0, states: {} as Record<string, number>, trace: new Trace(false) };
  const go = (played: Script, chance: number) => play({ calls: [anew()], script: played, seed: chance, rules, input });

  while (sum.calls < calls) {
    const chance = script === undefined ? (seed + sum.calls * 7_919) >>> 0 : seed;
    const played = script ?? scriptOf(seededRandom(chance), Math.min(atOnce, calls - sum.calls), times);
    const result = await go(played, chance);
    if (result.violations.length > 0) throw await errorOf(played, chance, result.violations);
    add(result);
    if (script !== undefined) break;
  }
  if (sum.runs === 0 && script === undefined) {
    const wanted = "a call that calls what `simulated` gives: none of its runs was seen, so nothing was looked at";
    throw new OptionsInvalidError(nameOf(call), [{ path: "simulate", wanted }]);
  }
  const { trace, ...counts } = sum;
  return { ...counts, seed, trace: trace.hash };

  function add({ world, runs, steps, hash }: Played): void {
    for (const { result, probes } of world.callers) {
      if (probes || result === undefined) continue;
      sum.calls++;
      sum.states[result.story.state] = (sum.states[result.story.state] ?? 0) + 1;
    }
    sum.runs += runs;
    sum.steps += steps;
    sum.trace.add(hash);
  }

  async function errorOf(found: Script, chance: number, violations: readonly Violation[]): Promise<SimulationError> {
    const rule = rules.find(({ name }) => violations.some((one) => one.rule === name))?.name ?? violations[0]?.rule;
    const gravestFirst = (all: readonly Violation[]) => [
      ...all.filter((one) => one.rule === rule),
      ...all.filter((one) => one.rule !== rule),
    ];
    const breaksIt = async (shorter: Script) => {
      const again = await go(shorter, chance);
      return again.violations.some((one) => one.rule === rule);
    };
    const asFound = () => {
      const replay = { seed: chance, script: found };
      return new SimulationError(nameOf(call), gravestFirst(violations), seed, replay, script !== undefined);
    };
    if (script !== undefined || !(await breaksIt(found))) return asFound();
    const shortest = await shrink(found, breaksIt);
    const shown = gravestFirst((await go(shortest, chance)).violations);
    if (shown.length === 0) return asFound(); // it came once, and not again: something in it is not simulated
    return new SimulationError(nameOf(call), shown, seed, { seed: chance, script: shortest }, true);
  }
}

function rulesOf(call: AnyCall, sound: SimulateOptions<never, never>["sound"]): readonly Rule[] {
  const { idempotent, name } = stackOf(call) ?? { idempotent: true, name: "" };
  // the gravest first
  return [
    onlyOnce(new Set(idempotent ? [] : [name])),
    oneKey,
    ownAnswer(sound as never),
    settles,
    notAfterTheEnd,
    comesBack,
    sameStory,
  ];
}

function nameOf(call: unknown): string {
  return stackOf(call)?.name ?? (call as { readonly name?: string }).name ?? "call";
}

const realTime =
  "Perhaps it waits for real time, which no simulation waits for: a timer, a request or a file of its own. Let `simulated` stand in the place of what it waits for.";

/** No account is longer. */
const mostShown = 5;

function messageOf(
  call: string,
  violations: readonly Violation[],
  seed: number,
  replay: SimulationError["replay"] | undefined,
): string {
  const [first] = violations;
  const what = violations.slice(0, mostShown).map(({ rule, what, at }) => `- at ${at} ms (${rule}): ${what}`);
  const more = violations.length > mostShown ? [`- and ${violations.length - mostShown} more`] : [];
  const shown =
    replay === undefined
      ? [
          "Played again it does not show: the call keeps what `reset()` does not forget. Make it anew for each script: `anew`.",
          ...(violations.some(hasStopped)
            ? []
            : ["Or it waits for what is not simulated: a timer, or a request of its own."]),
        ]
      : [
          "The shortest script that shows it:",
          `await simulate(call, { seed: ${replay.seed}, script: ${textOf(replay.script)} }); // with the same input and sound`,
        ];
  return [
    `"${call}" was simulated with seed ${seed}, and this did not hold: ${first?.says}`,
    ...what,
    ...more,
    ...(violations.some(hasStopped) ? [realTime] : []),
    ...shown,
  ].join("\n");
}
