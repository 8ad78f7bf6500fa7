// What the tests of the bulkhead share: one on a clock and a bus of its own, and operations that end when a test says.
import { setImmediate } from "node:timers/promises";
import { type CallContext, type CallOptions, eventBus, named } from "holdfast";
import { record, testClock } from "holdfast/testing";
import { expect } from "vitest";
import { type BulkheadOptions, bulkhead } from "../../src/call/bulkhead.ts";

export function setup(options: number | BulkheadOptions) {
  const clock = testClock(1_000_000);
  const events = eventBus();
  const seen = record(events);
  const places = bulkhead(options, { clock, events, name: "db" });
  const started: string[] = [];
  const call = places(
    named("query", (work: Work, context: CallContext) => {
      started.push(work.name);
      return work.run(context);
    }),
  );
  return {
    ...{ clock, events, seen, places, call, started },
    /** Names and facts of the bulkhead's own events. */
    told: () =>
      seen.events
        .filter(({ type }) => type.startsWith("bulkhead."))
        .map(({ type, at, call, component, labels, name, severity, ...facts }) => ({ type, ...facts })),
    /** Begins a call, and notes how it ends. */
    begin(name: string, said?: CallOptions) {
      const work = workOf(name);
      const ended: { at?: { value: unknown } | { error: unknown } } = {};
      call(work, said).then(
        (value) => {
          ended.at = { value };
        },
        (error) => {
          ended.at = { error };
        },
      );
      return { ...work, ended };
    },
  };
}

export interface Work {
  readonly name: string;
  readonly run: (context: CallContext) => Promise<unknown>;
}

/** An operation that ends by hand, whatever becomes of its signal. */
export function workOf(name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => {});
  return { name, run: () => promise, end: () => resolve(name), give: resolve, fail: reject };
}

/** Lets every promise step happen that needs no time. */
export async function turn(): Promise<void> {
  await setImmediate();
}

export const full = (facts: object = {}) => ({ error: expect.objectContaining({ code: "BULKHEAD_FULL", ...facts }) });
