// What happened in the run and what it cost, as the bus tells it.
import { addCost, type Cost, events } from "holdfast";

export interface Tally {
  /** Of each call to a worker, as its caller saw it, ms. */
  readonly calls: number[];
  readonly counts: Counts;
  /** How long a provider had held up a call when the next one was asked, ms. */
  readonly failovers: readonly number[];
  /** What each model's answers cost, refused ones too. */
  readonly bill: ReadonlyMap<string, Cost>;
  stop(): void;
}

type Counts = ReturnType<typeof nothing>;
const nothing = () => ({
  retries: 0,
  /** Put right by a rule, and then taken. */
  corrected: 0,
  rejectedIn: 0,
  /** Answers that were refused, and those that were only readable after a repair. */
  rejectedOut: 0,
  repaired: 0,
  /** Asked once more, with what was wrong with the answer. */
  reasked: 0,
});

/** Answers are counted where they come from: at the models of these names. */
export function tallyOf(models: readonly string[]): Tally {
  const counts = nothing();
  const calls: number[] = [];
  const failovers: number[] = [];
  const bill = new Map<string, Cost>(models.map((model) => [model, {}]));
  const since = new Map<string | undefined, number>();
  const undo = [
    events.on("call.started", ({ call, at }) => void since.set(call, at)),
    events.on("call.settled", ({ call, component, cost }) => {
      since.delete(call);
      const sum = bill.get(component);
      if (sum !== undefined) bill.set(component, addCost(sum, cost));
    }),
    events.on("retry.scheduled", ({ component, kind }) => {
      counts.retries++;
      if (bill.has(component) && kind === "quality") counts.reasked++;
    }),
    events.on("input.corrected", () => void counts.corrected++),
    events.on("input.rejected", () => void counts.rejectedIn++),
    events.on("output.repaired", ({ component }) => void (bill.has(component) && counts.repaired++)),
    events.on("output.rejected", ({ component }) => void (bill.has(component) && counts.rejectedOut++)),
    events.on("fallback.used", ({ call, at }) => {
      failovers.push(at - (since.get(call) ?? at));
      since.set(call, at);
    }),
  ];
  return { calls, counts, failovers, bill, stop: () => undo.forEach((off) => void off()) };
}

/** The value that this share of all is at or below. */
export function quantile(values: readonly number[], share: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
}
