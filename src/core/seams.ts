// Events, time and chance: what a test puts its own in place of. Read at each use, so that it also acts on calls made before.
import { type EventBus, events } from "./bus.ts";
import { type Clock, inForce, systemClock } from "./clock.ts";
import { lastSerial } from "./serial.ts";
import { shared } from "./shared.ts";

export interface Seams {
  readonly events: EventBus;
  readonly clock: Clock;
  /** From 0 to just below 1. */
  readonly random: () => number;
  /** Named in events, errors and `explain`. */
  readonly name?: string | undefined;
}

/** What can be put in place for all calls at once: a name is one call's own. */
interface Replaceable {
  readonly events?: EventBus | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** Of calls that were given none; `generation` grows when everything is to be as new, `since` the last attempt begun before that. */
const common = shared("seams", () => {
  const replaced: readonly Replaceable[] = [];
  return { events, random: Math.random, generation: 0, since: 0, replaced };
});

/** What is in force for one wrapper or call, now. */
export class LiveSeams implements Seams {
  readonly name: string | undefined;
  // as fields of their own: to look for what is not there is what costs most on the way of a call
  private readonly ownEvents: EventBus | undefined;
  private readonly ownClock: Clock | undefined;
  private readonly ownRandom: (() => number) | undefined;

  constructor({ name, events, clock, random }: Partial<Seams> = {}) {
    this.name = name;
    this.ownEvents = events;
    this.ownClock = clock;
    this.ownRandom = random;
  }

  /** These with others in place of some. */
  with({ name, events, clock, random }: Partial<Seams>): LiveSeams {
    return new LiveSeams({
      name: name ?? this.name,
      events: events ?? this.ownEvents,
      clock: clock ?? this.ownClock,
      random: random ?? this.ownRandom,
    } as Partial<Seams>);
  }

  get events(): EventBus {
    return this.ownEvents ?? common.events;
  }
  get clock(): Clock {
    return this.ownClock ?? inForce.clock;
  }
  get random(): () => number {
    return this.ownRandom ?? common.random;
  }
}

/** One for all that were given none: of wrappers there may be thousands. */
const ofAll = new LiveSeams();

export function liveSeams(given: Partial<Seams> | undefined): LiveSeams {
  return given === undefined ? ofAll : new LiveSeams(given);
}

/** Puts others in place for all that were given none; gives its undo, which leaves what others have put in place since. */
export function replaceSeams(by: Replaceable): () => void {
  const own = { ...by };
  put([...common.replaced, own]);
  return () => put(common.replaced.filter((one) => one !== own));
}

/** Of each seam the latest holds. */
function put(replaced: readonly Replaceable[]): void {
  const latest = <K extends keyof Replaceable>(key: K) => replaced.findLast((one) => one[key] !== undefined)?.[key];
  common.replaced = replaced;
  common.events = latest("events") ?? events;
  common.random = latest("random") ?? Math.random;
  inForce.clock = latest("clock") ?? systemClock;
}

/** Grows with each `reset()`: state made under an earlier one is to be forgotten. */
export function generation(): number {
  return common.generation;
}

/** Attempts up to this serial were begun before the last `reset()`. */
export function generationSince(): number {
  return common.since;
}

/** Every breaker, limit, cache and registry as new. What was put in place stays there until its own undo. */
export function nextGeneration(): void {
  common.generation++;
  common.since = lastSerial();
}

/** Apart from the ids of other processes and of another copy in this one. */
const prefix = `${Math.floor(Math.random() * 36 ** 6).toString(36)}-`;

/** Ends of ids, made once: a number becomes text only once in so many calls. */
const ends = Array.from({ length: 1_296 }, (_, n) => n.toString(36).padStart(2, "0"));
let block = -1;
let begins = "";

/** The id of a story. */
export function idOf(no: number): string {
  const of = Math.floor(no / ends.length);
  if (of !== block) {
    block = of;
    begins = prefix + (of === 0 ? "" : of.toString(36));
  }
  return begins + ends[no - of * ends.length];
}
