// What the tests of load shedding share: a declared call before a service of known capacity.
import { type CallOptions, eventBus, protect } from "holdfast";
import { record, seededRandom, testClock } from "holdfast/testing";
import type { PolicyOptions } from "../../src/index.ts";
import { service } from "./adaptive-setup.ts";

export function world(seed = 1) {
  const clock = testClock();
  const events = eventBus();
  return { clock, events, seen: record(events), random: seededRandom(seed) };
}

/** A call so declared, before a service with ten slots of 50 ms: 200 a second. */
export function declared(options: PolicyOptions<Tenant, void>, seed?: number) {
  const { clock, events, seen, random } = world(seed);
  const other = service({ clock, random }, 10, 50);
  const call = protect("search", (_: Tenant) => other.operation(), { ...options, seams: { clock, events, random } });
  return { clock, events, seen, random, other, call };
}

export interface Tenant {
  readonly tenant: string;
}

export const of = (tenant: string): Tenant => ({ tenant });

export async function ends(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "served",
    (error) => error.why ?? error.code,
  );
}

export type Said = CallOptions;
