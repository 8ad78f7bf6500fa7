// A random script for calls of which only the durations are known.
import { explain } from "../../core/explain.ts";
import type { AnyCall } from "./callers.ts";
import { type FailureName, failures } from "./failures.ts";
import type { Behaviour, Caller, Script } from "./script.ts";

type Random = () => number;

const failing = Object.keys(failures) as FailureName[];
/** What a call without any duration of its own is tried with. */
const usual = [1, 10, 100, 1_000];
/** A day in a layer's options is no time to wait for an answer. */
const longest = 3_600_000;

/** The durations that stand in the options of a call's layers, ms. */
export function timesOf(call: AnyCall): readonly number[] {
  const found = new Set<number>();
  const look = (value: unknown) => {
    if (typeof value === "number" && value >= 1 && value <= longest && !Number.isNaN(value)) found.add(value);
  };
  for (const { options } of explain(call)) for (const value of Object.values(options)) look(value);
  const long = [...found].filter((ms) => ms > 10);
  return long.length > 0 ? long : usual;
}

/** The same for the same chance. A script has its own weather: how much fails, and an hour in which nearly all does. */
export function scriptOf(random: Random, callers: number, times: readonly number[]): Script {
  const whole = Math.min(longest, Math.max(...times) * 4);
  const failures = pick(random, [0, 0.1, 0.3, 0.6, 1]);
  const outage = { from: random() * whole, ms: random() < 0.5 ? random() * whole : 0 };
  return Array.from({ length: callers }, (): Caller => {
    const at = Math.floor(random() * whole);
    const isOut = at >= outage.from && at < outage.from + outage.ms;
    return callerOf(random, at, isOut ? 0.95 : failures, times);
  }).sort((a, b) => a.at - b.at);
}

function callerOf(random: Random, at: number, failures: number, times: readonly number[]): Caller {
  const count = 1 + Math.floor(random() * 4);
  const meets = Array.from({ length: count }, () => behaviourOf(random, failures, times));
  return {
    at,
    ...(random() < 0.25 && { deadline: momentOf(random, times) }),
    ...(random() < 0.3 && { abort: abortOf(random, times) }),
    ...(random() < 0.1 && { shares: true as const }),
    ...(random() < 0.3 && { key: true as const }),
    ...(random() < 0.1 && { accept: pick(random, ["fresh", "uncached"] as const) }),
    ...(random() < 0.1 && { criticality: pick(random, ["critical", "sheddable"] as const) }),
    meets,
  };
}

function abortOf(random: Random, times: readonly number[]): Caller["abort"] {
  const chance = random();
  if (chance < 0.05) return "before";
  if (chance < 0.1) return "inside";
  return chance < 0.5 ? "never" : momentOf(random, times);
}

function behaviourOf(random: Random, failures: number, times: readonly number[]): Behaviour {
  const chance = random();
  const gives =
    chance < 0.04 ? "nothing" : chance < 0.08 ? "lie" : random() < failures ? pick(random, failing) : "value";
  return {
    gives,
    ...(random() < 0.8 && { after: momentOf(random, times) }),
    ...(random() < 0.2 && { deaf: true as const }),
  };
}

/** Often just at, before or after a moment at which something falls due. */
function momentOf(random: Random, times: readonly number[]): number {
  const time = pick(random, times);
  return random() < 0.4 ? Math.max(0, time + pick(random, [-1, 0, 1])) : Math.floor(random() * time * 1.5);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}
