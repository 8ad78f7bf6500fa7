// What these tests share: time and a bus of their own, layers that note every moment, and what holds when a test is over.
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { z } from "zod";
import {
  type Bracket,
  defineWrapper,
  eventBus,
  HoldfastError,
  type PromiseStyle,
  type Recovery,
  type Tools,
  type Wrapper,
} from "../../src/index.ts";
import { record, seams, testClock } from "../../src/testing/index.ts";

/**
 * In the end no timer is left, no listener on any signal that `caller()` gave, and no rejection that nobody heard.
 * Unwatched, nobody listens to the bus: calls then go a shorter way.
 */
export function setup({ watched = true } = {}) {
  const clock = testClock();
  const events = eventBus();
  const restore = seams({ clock, events, random: () => 0.5 });
  const callers: AbortController[] = [];
  const unheard = unhandled();
  onTestFinished(async () => {
    restore[Symbol.dispose]();
    await setImmediate();
    const listeners = callers.flatMap(({ signal }) => getEventListeners(signal, "abort"));
    expect({ sleepers: clock.sleepers, listeners, unheard }).toEqual({ sleepers: 0, listeners: [], unheard: [] });
  });
  return {
    clock,
    events,
    seen: watched ? record(events) : record(eventBus()),
    caller() {
      const controller = new AbortController();
      callers.push(controller);
      return controller;
    },
  };
}

function unhandled(): unknown[] {
  const seen: unknown[] = [];
  const note = (error: unknown) => void seen.push(error);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  return seen;
}

/** Lets every promise step happen that needs no time. */
export async function turn(): Promise<void> {
  await setImmediate();
}

/** How it ended. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
}

/** Whether it has ended, and how; undefined while it has not. */
export function watch(promise: Promise<unknown>) {
  const seen: { at?: { value: unknown } | { error: unknown } } = {};
  promise.then(
    (value) => {
      seen.at = { value };
    },
    (error) => {
      seen.at = { error };
    },
  );
  return seen;
}

/** A log, and brackets that write into it at each of their moments: `name.before`, `name.after ok` … */
export function moments() {
  const log: string[] = [];
  const bracket = (name: string, own: Bracket = {}): Wrapper =>
    defineWrapper(name, z.undefined(), undefined, () => ({
      bracket: {
        before(attempt) {
          log.push(`${name}.before`);
          return own.before === undefined ? attempt.input : own.before(attempt);
        },
        started(attempt) {
          log.push(`${name}.started`);
          own.started?.(attempt);
        },
        after(attempt, outcome, verdict) {
          log.push(`${name}.after ${outcome.ok ? "ok" : (verdict?.kind ?? "?")}`);
          own.after?.(attempt, outcome, verdict);
        },
        ...(own.judge && { judge: own.judge }),
        ended(attempt) {
          log.push(`${name}.ended`);
          own.ended?.(attempt);
        },
        ...(own.ready && { ready: own.ready }),
      },
    }));
  return {
    log,
    bracket,
    of: (name: string) => log.filter((line) => line.startsWith(`${name}.`)).map((line) => line.slice(name.length + 1)),
  };
}

/** A promise-style layer, as a user makes one. */
export function around(style: PromiseStyle): Wrapper {
  return defineWrapper("own", z.undefined(), undefined, () => ({ around: style }));
}

/** A recovery, as a user makes one. */
export function recovering(recover: Recovery["recover"]): Wrapper {
  return defineWrapper("own", z.undefined(), undefined, () => ({ recovery: { recover } }));
}

/** What a moment says to turn an attempt away. */
export function refuse(error = new HoldfastError("no place")): never {
  return tools().refuse(error);
}

function tools(): Tools {
  const given: Tools[] = [];
  defineWrapper("tools", z.undefined(), undefined, (_, tools) => {
    given.push(tools);
    return { bracket: {} };
  });
  return given[0] as Tools;
}

/** A queue: every attempt waits until its turn is called, by `grant` or `deny`. */
export function queue() {
  const waiting: { grant(): void; deny(error: unknown): void }[] = [];
  const layer = moments();
  return {
    waiting,
    log: layer.log,
    wrapper: layer.bracket("queue", {
      before: ({ input }) =>
        new Promise((resolve, reject) => waiting.push({ grant: () => resolve(input), deny: reject })),
    }),
  };
}
