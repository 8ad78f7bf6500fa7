// A dependency that is gone for a while and comes back: what reaches it meanwhile, and how soon all is well again.
import { ExponentialBackoff, handleAll, retry } from "cockatiel";
import type { Library } from "../library.ts";
import { type Call, isAnswered, openLoop } from "./openLoop.ts";
import { partMs } from "./protocol.ts";
import { Service } from "./service.ts";

export interface Phases {
  readonly beforeMs: number;
  readonly outageMs: number;
  readonly afterMs: number;
}

export interface Outage {
  readonly name: string;
  /** Requests that reached the dependency while it was gone, by calls that were made meanwhile. */
  readonly attemptsPerCall: number;
  /** From its return until calls are answered as before, and stay so. */
  readonly recoveryMs: number;
  /** The most requests within half a second after its return, by what comes in half a second at other times. */
  readonly herd: number;
  /** Requests that reached it, by part of time. */
  readonly arrivals: readonly number[];
}

export const callsPerSecond = 200;
export const unprotected = "no protection";
export const cockatielRetry = "cockatiel retry";
export const withBudget = "holdfast retry + budget";
export const withBreaker = "holdfast retry + budget + breaker";
export const impatient = `${withBreaker}, patience 0`;

type Ask = (signal: AbortSignal) => Promise<void>;
const never = new AbortController().signal;

function subjects({ protect }: Library): [name: string, protect: (ask: Ask) => () => Promise<unknown>][] {
  const three = { retry: { attempts: 3 }, budget: {}, deadline: "5s" } as const;
  const now = { ...three.retry, patience: 0 };
  const breaker = { breakTime: "500ms", maxBreakTime: "1s" } as const;
  const theirs = retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }); // two after the first
  return [
    [unprotected, (ask) => () => ask(never)],
    [cockatielRetry, (ask) => () => theirs.execute(({ signal }) => ask(signal))],
    [withBudget, (ask) => protect("ask", (_: void, { signal }) => ask(signal), three)],
    [withBreaker, (ask) => protect("ask", (_: void, { signal }) => ask(signal), { ...three, breaker })],
    [impatient, (ask) => protect("ask", (_: void, { signal }) => ask(signal), { ...three, breaker, retry: now })],
  ];
}

/** All of them at the same time, each with a server of its own. */
export function outages(library: Library, phases: Phases): Promise<Outage[]> {
  return Promise.all(subjects(library).map(([name, protect]) => outage(name, protect, phases)));
}

async function outage(
  name: string,
  protect: (ask: Ask) => () => Promise<unknown>,
  { beforeMs, outageMs, afterMs }: Phases,
): Promise<Outage> {
  const service = await Service.start({ slots: 1_000, serviceMs: 20 });
  try {
    const call = protect((signal) => service.ask(signal));
    const begun = Date.now();
    const [goneAt, backAt, endsAt] = [
      begun + beforeMs,
      begun + beforeMs + outageMs,
      begun + beforeMs + outageMs + afterMs,
    ];
    setTimeout(() => service.conduct({ mode: "closed" }), goneAt - begun);
    setTimeout(() => service.conduct({ mode: "up" }), backAt - begun);
    const calls = await openLoop({ perSecond: callsPerSecond, forMs: endsAt - begun, call: () => call() });
    const seen = await service.arrivals();
    const first = Math.floor(begun / partMs);
    const parts = Array.from({ length: Math.floor((endsAt - begun) / partMs) }, (_, i) => seen.get(first + i) ?? 0);
    const at = (ms: number) => Math.round((ms - begun) / partMs);
    const meanwhile = calls.filter(({ at }) => at >= goneAt && at < backAt).length;
    return {
      name,
      attemptsPerCall: sum(parts.slice(at(goneAt), at(backAt))) / meanwhile,
      recoveryMs: recovery(calls, backAt, endsAt),
      herd: busiest(parts.slice(at(backAt))) / (callsPerSecond / 2),
      arrivals: parts,
    };
  } finally {
    service.stop();
  }
}

/** From the return until the first quarter of a second from which on 95 % of calls, and of each later quarter, are answered. */
function recovery(calls: readonly Call[], backAt: number, endsAt: number): number {
  const stepMs = 250;
  for (let from = Math.floor((endsAt - backAt) / stepMs) - 1; from >= 0; from--) {
    const due = calls.filter(({ at }) => at >= backAt + from * stepMs && at < backAt + (from + 1) * stepMs);
    if (due.filter(isAnswered).length < due.length * 0.95) return (from + 1) * stepMs;
  }
  return 0;
}

function busiest(parts: readonly number[]): number {
  return Math.max(...parts.map((_, i) => sum(parts.slice(i, i + 500 / partMs))));
}

export function sum(figures: readonly number[]): number {
  return figures.reduce((all, figure) => all + figure, 0);
}
