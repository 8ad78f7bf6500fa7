// What happens with a verdict that no call waits for: it goes to the handler of its call's name, at least once.
import { OptionsInvalidError } from "../../core/errors.ts";
import { armUnheld, disarm, Timed } from "../../core/timers.ts";
import type { Decision, Entry, Review } from "./entry.ts";
import { queue } from "./queue.ts";
import type { Decided } from "./saved.ts";

export type Handler = (review: Review, decision: Decision) => unknown;

/** The first wait after a handler failed, and the longest, ms; in between it doubles. */
const base = 1_000;
const cap = 5 * 60_000;

export class Undelivered extends Timed {
  readonly entry: Entry;
  readonly decided: Decided;
  /** As it is handed on: with what the schema makes of an amended output. */
  readonly decision: Decision;
  /** How often it was handed on. */
  tries = 0;
  busy = false;

  constructor(entry: Entry, decided: Decided, decision: Decision) {
    super(entry.seams.clock.monotonic());
    this.entry = entry;
    this.decided = decided;
    this.decision = decision;
  }

  expire(): void {
    handOn(this);
  }
}

export function undelivered(one: Undelivered): void {
  queue().undelivered.set(one.entry.facts.id, one);
  handOn(one);
}

/** To its handler, where there is one; a handler that fails is asked again. */
function handOn(one: Undelivered): void {
  const { undelivered, handlers } = queue();
  const { entry, decision } = one;
  const { id, name } = entry.facts;
  const handler = handlers.get(name);
  if (handler === undefined || one.busy || undelivered.get(id) !== one) return;
  disarm(one);
  one.busy = true;
  one.tries++;
  const handed = async () => handler(entry.review(), decision);
  handed().then(
    () => {
      one.busy = false;
      undelivered.delete(id);
    },
    (error: unknown) => {
      one.busy = false;
      const { clock, events, random } = entry.seams;
      if (!events.quiet) events.emit("listener.failed", { heard: "review.decided", error }, entry.about);
      const longest = Math.min(cap, base * 2 ** (one.tries - 1));
      if (undelivered.get(id) === one) armUnheld(clock, longest * (1 - random() / 2), one);
    },
  );
}

/** One for a name, as what it does is to happen once; it gets what is there at once. */
export function handle(name: string, handler: Handler): () => void {
  const { handlers, undelivered } = queue();
  const issues = [
    ...(typeof name === "string" && name !== "" ? [] : [{ path: "name", got: name, wanted: "the name of a call" }]),
    ...(typeof handler === "function" ? [] : [{ path: "handler", got: handler, wanted: "a function" }]),
    ...(handlers.has(name) ? [{ path: "name", got: name, wanted: "a name without a handler: undo the first" }] : []),
  ];
  if (issues.length > 0) throw new OptionsInvalidError("reviews.onDecision", issues);
  handlers.set(name, handler);
  for (const one of [...undelivered.values()]) handOn(one);
  return () => {
    if (handlers.get(name) === handler) handlers.delete(name);
  };
}
