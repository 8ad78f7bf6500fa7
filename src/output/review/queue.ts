// Everything that waits for a person, and the verdicts that nobody has taken yet: one queue for all copies of the package.
import type { AnySchema } from "../../core/schema.ts";
import { generation } from "../../core/seams.ts";
import { shared } from "../../core/shared.ts";
import { disarm } from "../../core/timers.ts";
import type { Handler, Undelivered } from "./delivery.ts";
import type { Entry } from "./entry.ts";
import type { Form } from "./form.ts";

/** How many of those that are behind us are remembered, to tell who comes late what became of them. */
const mostPast = 1_000;

interface Past {
  readonly name: string;
  readonly expired: boolean;
}

export interface Queue {
  readonly pending: Map<string, Entry>;
  /** Decided, and not taken by a call or a handler. */
  readonly undelivered: Map<string, Undelivered>;
  /** By the call's name. */
  readonly handlers: Map<string, Handler>;
  /** What is behind us, by id. */
  readonly past: Map<string, Past>;
}

const home = shared("reviews", () => ({
  generation: -1,
  queue: empty(),
  /** Ms, and how many. */
  keep: { for: 24 * 3_600_000, max: 1_000, claim: 15 * 60_000 },
  /** Of declared calls, by their name: what a process has only read of is held to them too. */
  forms: new Map<string, Form>(),
}));

export const { forms, keep } = home;

/** A declared call of this name keeps what it refuses. */
export function declareForm(name: string, schema: AnySchema | undefined): void {
  forms.set(name, schema === undefined ? [] : [schema]);
}

function empty(): Queue {
  return { pending: new Map(), undelivered: new Map(), handlers: new Map(), past: new Map() };
}

/** That of the present generation: after a `reset()` it is as new. */
export function queue(): Queue {
  const now = generation();
  if (home.generation !== now) {
    for (const timed of [...home.queue.pending.values(), ...home.queue.undelivered.values()]) disarm(timed);
    home.generation = now;
    home.queue = empty();
  }
  return home.queue;
}

/** Whether one more would be more than are kept. */
export function isFull(): boolean {
  const { pending, undelivered } = queue();
  return pending.size + undelivered.size >= keep.max;
}

export function put(entry: Entry): void {
  queue().pending.set(entry.facts.id, entry);
  entry.watch();
}

/** It is behind us; gives whether it was not so before. */
export function leave(entry: Entry, expired: boolean): boolean {
  const { pending, past } = queue();
  const { id, name } = entry.facts;
  if (pending.get(id) !== entry) return false;
  pending.delete(id);
  disarm(entry);
  past.set(id, { name, expired });
  const [first] = past.keys();
  if (past.size > mostPast && first !== undefined) past.delete(first);
  return true;
}

/** Nobody decided in time. */
export function overdue(entry: Entry): void {
  if (entry.deciding || !leave(entry, true)) return;
  tellDecided(entry, "expired", undefined);
  entry.waiter?.expired();
}

const words = { approve: "approved", amend: "amended", reject: "rejected", expired: "expired" } as const;

export function tellDecided(entry: Entry, verdict: keyof typeof words, by: string | undefined): void {
  const { events } = entry.seams;
  if (!events.quiet)
    events.emit("review.decided", { reviewId: entry.facts.id, verdict: words[verdict], by }, entry.about);
}
