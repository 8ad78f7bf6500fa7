// What the tests of the breaker share: one on a clock, a bus and a chance of its own, and a call whose operation does what it is given.
import { eventBus, named } from "holdfast";
import { record, testClock } from "holdfast/testing";
import { type BreakerOptions, breaker } from "../../src/call/breaker.ts";

export const start = 1_000_000;

export function setup(options: BreakerOptions & { key?: undefined } = {}, random: () => number = () => 0.5) {
  const clock = testClock(start);
  const bus = eventBus();
  const seen = record(bus);
  const circuit = breaker(options, { clock, events: bus, random, name: "ledger" });
  const call = circuit(named("pay", (act: () => unknown) => act() as Promise<unknown>));
  return {
    clock,
    seen,
    circuit,
    call,
    told: () => seen.events.map(({ type }) => type).filter((type) => type.startsWith("breaker.")),
    /** Calls in turn, and gives what each came to. */
    async come(act: () => unknown, times = 1): Promise<unknown> {
      let came: unknown;
      for (let i = 0; i < times; i++) came = await call(act).catch((error: unknown) => error);
      return came;
    },
  };
}

export const well = async () => "well";
export const down = () => Promise.reject(new Error("down"));
export const notFound = () => Promise.reject(Object.assign(new Error("not found"), { status: 404 }));
export const never = () => new Promise(() => {});

/** A call that settles when the test says. */
export function later() {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  return { act: () => promise, succeed: () => resolve("late"), fail: () => reject(new Error("late")) };
}

/** One settled, whatever it came to. */
export async function settledWith(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
