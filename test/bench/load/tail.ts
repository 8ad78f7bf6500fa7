// A service that is slow now and then: two of a hundred answers take fifty times as long.
import type { Library } from "../library.ts";
import { latency, openLoop } from "./openLoop.ts";
import { Service } from "./service.ts";

export interface Tail {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that reached the service, by call, less the one that each needs. */
  readonly extra: number;
}

export const serviceMs = 20;
export const slowPercent = 2;
export const slowFactor = 50;
const callsPerSecond = 100;

export const unhedged = "no protection";
export const hedged = "holdfast hedge";

type Ask = (signal: AbortSignal) => Promise<void>;
const never = new AbortController().signal;

function subjects(library: Library): [name: string, protect: (ask: Ask) => () => Promise<unknown>][] {
  const list: [string, (ask: Ask) => () => Promise<unknown>][] = [[unhedged, (ask) => () => ask(never)]];
  const ours = { hedge: {}, budget: {} };
  if ("hedge" in library)
    list.push([hedged, (ask) => library.protect("ask", (_: void, { signal }) => ask(signal), ours)]);
  return list;
}

/** Those beside each other, each with a server of its own. Some calls before, so that what is to be learned is learned. */
export function tails(library: Library, forMs: number): Promise<Tail[]> {
  return Promise.all(subjects(library).map(([name, protect]) => tail(name, protect, forMs)));
}

async function tail(name: string, protect: (ask: Ask) => () => Promise<unknown>, forMs: number): Promise<Tail> {
  const service = await Service.start({ slots: 1_000, serviceMs });
  try {
    service.conduct({ slowPercent, slowFactor });
    const call = protect((signal) => service.ask(signal));
    const load = { perSecond: callsPerSecond, call: () => call() };
    await openLoop({ ...load, forMs: 2_000 });
    const before = await requests(service);
    const calls = await openLoop({ ...load, forMs });
    const extra = ((await requests(service)) - before) / calls.length - 1;
    return { name, p50Ms: latency(calls, 0.5), p99Ms: latency(calls, 0.99), extra };
  } finally {
    service.stop();
  }
}

async function requests(service: Service): Promise<number> {
  return [...(await service.arrivals()).values()].reduce((all, count) => all + count, 0);
}
