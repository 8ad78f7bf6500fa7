// What these tests share: time and a bus of their own, checks and calls that do as they are told.
import { setImmediate } from "node:timers/promises";
import { onTestFinished } from "vitest";
import {
  type CallContext,
  eventBus,
  type Health,
  type Probe,
  type ProbeOptions,
  type ProtectOptions,
  probe,
  protect,
} from "../../src/index.ts";
import { record, reset, seams, testClock } from "../../src/testing/index.ts";

export const start = Date.UTC(2026, 10, 25);

export function setup({ random = (): number => 0.5 } = {}) {
  const clock = testClock(start);
  const events = eventBus();
  const restore = seams({ clock, events, random });
  const seen = record(events);
  const probes: Probe[] = [];
  onTestFinished(() => {
    for (const one of probes) one.stop();
    restore[Symbol.dispose]();
    reset();
  });
  return {
    ...{ clock, events, seen },
    /** A probe of the default thresholds that the test's end stops. */
    probed(component: string, check: (context: CallContext) => Promise<unknown>, options?: ProbeOptions): Probe {
      const made = probe(component, check, options);
      probes.push(made);
      return made;
    },
    /** Each change as `from → to`. */
    changes: (component?: string): string[] =>
      seen
        .of("health.changed")
        .filter((event) => component === undefined || event.component === component)
        .map(({ from, to }) => `${from} → ${to}`),
    reasons: (): string[] => seen.of("health.changed").map(({ reason }) => reason),
  };
}

export const down = () => Object.assign(new Error("bad gateway, token=hunter2"), { status: 502 });
export const notFound = () => Object.assign(new Error("no such thing"), { status: 404 });
export const never = () => new Promise<never>(() => {});

/** A call whose operation does each time what `acts` has next, and the last of it from then on. */
export function calling(name: string, options: ProtectOptions<undefined, undefined, void, string> = {}) {
  const acts: Array<() => Promise<string>> = [];
  const call = protect(name, () => (acts.length > 1 ? acts.shift() : acts[0])?.() ?? Promise.resolve("well"), options);
  return {
    call,
    acts,
    async come(act: () => Promise<string>, times = 1): Promise<void> {
      for (let i = 0; i < times; i++) {
        acts.length = 0;
        acts.push(act);
        await call().catch(() => {});
      }
    },
  };
}

export const well = async () => "well";
export const fails = async () => Promise.reject(down());

/** A check that finds what it is told to find. */
export function checking(first: () => Promise<void> = async () => {}) {
  const check = {
    act: first,
    contexts: [] as CallContext[],
    run: (context: CallContext): Promise<void> => {
      check.contexts.push(context);
      return check.act();
    },
  };
  return check;
}

export async function turn(): Promise<void> {
  await setImmediate();
}

export const healths: readonly Health[] = ["healthy", "unknown", "degraded", "unhealthy"];
