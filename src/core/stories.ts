// Recent stories by their id, and the story of a failed call from its error alone.
import { type HoldfastError, isOwn, OptionsInvalidError, tellerOn, tellOn } from "./errors.ts";
import { shared } from "./shared.ts";
import type { Story } from "./story.ts";

/** What can tell its story when somebody asks. */
export interface StoryTeller {
  readonly id: string;
  story(): Story;
}

interface Ring {
  readonly held: StoryTeller[];
  next: number;
  max: number;
}

const kept = shared("stories", () => ({
  byError: new WeakMap<WeakKey, StoryTeller>(),
  // each copy of the package can look into the errors that it made
  ofOwn: [] as ((error: unknown) => StoryTeller | undefined)[],
  failures: ring(100),
  successes: ring(0),
}));

kept.ofOwn.push((error) => (isOwn(error) ? (tellerOn(error) as StoryTeller | undefined) : undefined));

/** Keeps it for `stories.get` and `storyOf`; of one error the outermost call that settled is told. */
export function keepFailure(teller: StoryTeller, error: unknown): void {
  if (isOwn(error)) tellOn(error, teller);
  else if (isKey(error)) kept.byError.set(error, teller);
  put(kept.failures, teller);
}

export function keepSuccess(teller: StoryTeller): void {
  if (kept.successes.max > 0) put(kept.successes, teller);
}

/** Whether successes are asked for at all. */
export function keepsSuccesses(): boolean {
  return kept.successes.max > 0;
}

/** Recent ones are none; as many as before will be kept. Whoever holds an error still has its story. */
export function forgetStories(): void {
  for (const ring of [kept.failures, kept.successes]) {
    ring.held.length = 0;
    ring.next = 0;
  }
}

/** Whether a call has settled with this very error: then it is no fresh refusal of a layer. */
export function hasStory(error: HoldfastError): boolean {
  return isOwn(error) ? tellerOn(error) !== undefined : kept.byError.has(error);
}

/** The story of the outermost call that settled with this error; not for primitives, which cannot be told apart. */
export function storyOf(error: unknown): Story | undefined {
  for (const look of kept.ofOwn) {
    const teller = look(error);
    if (teller !== undefined) return teller.story();
  }
  return isKey(error) ? kept.byError.get(error)?.story() : undefined;
}

/** Recent stories: the last 100 failures by default; successes when `keep` asks for them. */
export const stories = {
  get(id: string): Story | undefined {
    const known = (teller: StoryTeller) => teller.id === id;
    return (kept.failures.held.find(known) ?? kept.successes.held.find(known))?.story();
  },
  /** The oldest first. */
  recent(): readonly Story[] {
    const told = [...oldestFirst(kept.failures), ...oldestFirst(kept.successes)].map((teller) => teller.story());
    return told.sort((a, b) => a.startedAt - b.startedAt);
  },
  /** How many of each are kept; what is more than that is let go, the oldest first. Throws OptionsInvalidError for what is no count. */
  keep({ failures, successes }: { failures?: number | undefined; successes?: number | undefined }): void {
    checkCounts({ failures, successes });
    if (failures !== undefined) resize(kept.failures, failures);
    if (successes !== undefined) resize(kept.successes, successes);
  },
};

function ring(max: number): Ring {
  return { held: [], next: 0, max };
}

function put(into: Ring, teller: StoryTeller): void {
  if (into.max === 0) return;
  into.held[into.next] = teller;
  into.next = (into.next + 1) % into.max;
}

function oldestFirst({ held, next }: Ring): readonly StoryTeller[] {
  return [...held.slice(next), ...held.slice(0, next)];
}

function resize(ring: Ring, max: number): void {
  const kept = max === 0 ? [] : oldestFirst(ring).slice(-max);
  ring.held.length = 0;
  for (const teller of kept) ring.held.push(teller);
  ring.max = max;
  ring.next = max === 0 ? 0 : kept.length % max;
}

function checkCounts(counts: Readonly<Record<string, unknown>>): void {
  const wrong = Object.entries(counts).filter(([, count]) => count !== undefined && !isCount(count));
  if (wrong.length === 0) return;
  const issues = wrong.map(([path, got]) => ({ path, got, wanted: "a whole number, 0 for none" }));
  throw new OptionsInvalidError("stories.keep", issues);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isKey(seen: unknown): seen is WeakKey {
  return (typeof seen === "object" && seen !== null) || typeof seen === "function";
}
