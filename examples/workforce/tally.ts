// What the run cost, as the bus tells it.
import { events } from "holdfast";

export interface Tally {
  /** Of each call to a worker, as its caller saw it, ms. */
  readonly calls: number[];
  readonly retries: () => number;
  /** How long a provider had held up a call when the next one was asked, ms. */
  readonly failovers: readonly number[];
  stop(): void;
}

export function tallyOf(): Tally {
  const calls: number[] = [];
  const failovers: number[] = [];
  const since = new Map<string | undefined, number>();
  let retries = 0;
  const undo = [
    events.on("call.started", ({ call, at }) => void since.set(call, at)),
    events.on("call.settled", ({ call }) => void since.delete(call)),
    events.on("retry.scheduled", () => void retries++),
    events.on("fallback.used", ({ call, at }) => {
      failovers.push(at - (since.get(call) ?? at));
      since.set(call, at);
    }),
  ];
  return { calls, failovers, retries: () => retries, stop: () => undo.forEach((off) => void off()) };
}

/** The value that this share of all is at or below. */
export function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
}
