// Events, time and chance: what a test puts its own in place of. Read at each use, so that it also acts on calls made before.
import { type EventBus, events } from "./bus.ts";
import { type Clock, inForce, systemClock } from "./clock.ts";
import { shared } from "./shared.ts";

export interface Seams {
  readonly events: EventBus;
  readonly clock: Clock;
  /** From 0 to just below 1. */
  readonly random: () => number;
  /** Named in events, errors and `explain`. */
  readonly name?: string | undefined;
}

/** Of calls that were given none; `generation` grows when everything is to be as new. */
const common = shared("seams", () => ({ events, random: Math.random, generation: 0 }));

/** What is in force for one wrapper or call, now. */
export class LiveSeams implements Seams {
  private readonly given: Partial<Seams>;
  constructor(given: Partial<Seams> = {}) {
    this.given = given;
  }
  /** These with others in place of some. */
  with(others: Partial<Seams>): LiveSeams {
    return new LiveSeams({ ...this.given, ...others });
  }
  get events(): EventBus {
    return this.given.events ?? common.events;
  }
  get clock(): Clock {
    return this.given.clock ?? inForce.clock;
  }
  get random(): () => number {
    return this.given.random ?? common.random;
  }
  get name(): string | undefined {
    return this.given.name;
  }
}

/** Puts others in place for all that were given none; gives back what was there. */
export function replaceSeams(by: Partial<Pick<Seams, "events" | "clock" | "random">>): () => void {
  const before = { events: common.events, random: common.random, clock: inForce.clock };
  common.events = by.events ?? before.events;
  common.random = by.random ?? before.random;
  inForce.clock = by.clock ?? before.clock;
  return () => {
    common.events = before.events;
    common.random = before.random;
    inForce.clock = before.clock;
  };
}

/** Grows with each `reset()`: state made under an earlier one is to be forgotten. */
export function generation(): number {
  return common.generation;
}

/** Every breaker, limit, cache and registry as new. */
export function nextGeneration(): void {
  common.generation++;
  replaceSeams({ events, random: Math.random, clock: systemClock });
}

/** Apart from the ids of other processes and of another copy in this one. */
const prefix = `${Math.floor(Math.random() * 36 ** 6).toString(36)}-`;

/** The id of a story. */
export function idOf(no: number): string {
  return prefix + no;
}
