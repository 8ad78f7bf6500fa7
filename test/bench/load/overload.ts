// Ten times what a service can do, for a while: what is answered in time, and how soon what matters is.
import { bulkhead } from "cockatiel";
import type { Library } from "../library.ts";
import { type Call, isAnswered, latency, numbers, openLoop } from "./openLoop.ts";
import { Service } from "./service.ts";

export const slots = 20;
export const serviceMs = 200;
export const capacity = (slots * 1_000) / serviceMs;
/** Whoever calls waits so long, whatever protects the call. */
export const patienceMs = 1_000;

export interface Overload {
  readonly name: string;
  /** Answered in time, as a share of what the service can do. */
  readonly goodput: number;
  /** Of critical calls that were answered. */
  readonly answered: number;
  readonly p99Ms: number;
  /** Of all calls before the load came, at half of what the service can do. */
  readonly calmP99Ms: number;
}

export const unprotected = "no protection";
export const cockatielBulkhead = `cockatiel bulkhead of the service's own ${slots}`;
export const adaptive = "holdfast adaptiveLimit + shed";

type Criticality = "critical" | "normal" | "sheddable" | "background";
type Ask = (signal: AbortSignal) => Promise<void>;
type Work = (criticality: Criticality) => Promise<unknown>;

function subjects(library: Library): [name: string, protect: (ask: Ask) => Work][] {
  const theirs = bulkhead(slots, slots);
  const list: [string, (ask: Ask) => Work][] = [
    [unprotected, (ask) => () => patient(ask)],
    [cockatielBulkhead, (ask) => () => theirs.execute(() => patient(ask))],
  ];
  const limit = { adaptiveLimit: { reserve: { critical: 0.2 } }, deadline: patienceMs } as const;
  const ours = "shed" in library ? { ...limit, shed: {} } : limit;
  if ("adaptiveLimit" in library)
    list.push([
      adaptive,
      (ask) => {
        const call = library.protect("work", (_: void, { signal }) => ask(signal), ours);
        return (criticality) => call(undefined, { criticality });
      },
    ]);
  return list;
}

export async function overloads(library: Library, calmMs: number, loadMs: number): Promise<Overload[]> {
  const all: Overload[] = [];
  // one after the other: each is to have the machine's clients for itself
  for (const [name, protect] of subjects(library)) all.push(await overload(name, protect, calmMs, loadMs));
  return all;
}

async function overload(name: string, protect: (ask: Ask) => Work, calmMs: number, loadMs: number): Promise<Overload> {
  const service = await Service.start({ slots, serviceMs });
  try {
    const work = protect((signal) => service.ask(signal));
    const random = numbers(7);
    const kinds: Criticality[] = [];
    // one in two hundred is critical: a twentieth of what the service can do
    const call = (no: number) => {
      kinds[no] = random() < 0.005 ? "critical" : (others[no % others.length] as Criticality);
      return work(kinds[no] as Criticality);
    };
    const calm = await openLoop({ perSecond: capacity * 0.5, forMs: calmMs, call: () => work("critical") });
    const calls = await openLoop({ perSecond: capacity * 10, forMs: loadMs, call });
    const critical = calls.filter(({ no }: Call) => kinds[no] === "critical");
    return {
      name,
      // the last that come are answered when the load is over
      goodput: (calls.filter(isAnswered).length * 1_000) / (loadMs + serviceMs) / capacity,
      answered: critical.filter(isAnswered).length / critical.length,
      p99Ms: latency(critical, 0.99),
      calmP99Ms: latency(calm, 0.99),
    };
  } finally {
    service.stop();
  }
}

const others: readonly Criticality[] = ["normal", "sheddable", "background"];

async function patient(ask: Ask): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("waited long enough")), patienceMs);
  try {
    await ask(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
