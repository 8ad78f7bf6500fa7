// Events, story and what the caller got tell of the same.
import type { AnyEvent } from "../../../core/events.ts";
import type { Story } from "../../../core/story.ts";
import type { CallerLog, Run } from "../ledger.ts";
import { type Found, nameOf, type Rule } from "../rule.ts";

const delivered: ReadonlySet<string> = new Set(["succeeded", "degraded", "flagged"]);

export const sameStory: Rule = {
  name: "same story",
  says: "Events tell the same as `settled` does, and both tell what happened.",
  ended(world, found) {
    const told = byCall(world.events);
    const made = madeIn(world.events);
    for (const caller of world.callers) {
      const { result, runs } = caller;
      if (result === undefined) continue;
      const { story } = result;
      const say: Found = (what) => found(`${nameOf(caller)}: ${what}`);
      ofTheCaller(caller, story, result.ok, say);
      compare(story, { told, made, ran: runsByCall(runs), watched: world.watched, shares: world.shares }, say);
    }
  },
};

function ofTheCaller({ startedAt, settledAt }: CallerLog, story: Story, ok: boolean, say: Found): void {
  if (ok !== delivered.has(story.state) && !(ok && story.state === "failed"))
    say(`it ${ok ? "has delivered" : "has rejected"}, and the story says ${story.state}`);
  const took = (settledAt ?? startedAt) - startedAt;
  if (Math.abs(story.elapsedMs - took) > 1e-6) say(`it took ${took} ms, and the story says ${story.elapsedMs} ms`);
}

interface Seen {
  /** Events by the call that they are of, */
  readonly told: ReadonlyMap<string, readonly AnyEvent[]>;
  /** calls by the one they were made in, */
  readonly made: ReadonlyMap<string, readonly string[]>;
  /** and runs by what their context said. */
  readonly ran: ReadonlyMap<string, readonly Run[]>;
  readonly watched: boolean;
  /** A run that is shared is told of in the name of one of those who share it, and later perhaps of another. */
  readonly shares: boolean;
}

/** One call, and the calls made in it. */
function compare(story: Story, seen: Seen, say: Found): void {
  const { told, made, ran, watched, shares } = seen;
  const runs = ran.get(story.id) ?? [];
  const { failures } = story;
  const children = new Set(story.children.map(({ id }) => id));
  const attempts = new Set(runs.map((run) => `${run.told?.tier}/${run.told?.attempt}`)).size;
  if (attempts > story.attempts)
    say(`services ran in ${attempts} attempts, and the story of ${story.name} says ${story.attempts}`);
  // of those beside each other one may wait where another does not
  const isHedged = !watched || (told.get(story.id) ?? []).some(({ type }) => type === "hedge.started");
  if (!shares) numbers(runs, story.name, isHedged, say);
  if (watched) {
    const events = told.get(story.id) ?? [];
    const settlings = events.filter((event) => event.type === "call.settled");
    const [settling] = settlings;
    if (settlings.length !== 1 || settling === undefined)
      return say(`${story.name} has ${settlings.length} events call.settled`);
    if (count(events, "call.started") !== 1)
      say(`${story.name} has ${count(events, "call.started")} events call.started`);
    for (const fact of ["state", "attempts", "tier", "elapsedMs"] as const)
      if (settling[fact] !== story[fact])
        say(`${fact} is ${settling[fact]} in call.settled and ${story[fact]} in the story of ${story.name}`);
    const started = count(events, "attempt.started");
    if (started !== story.attempts) say(`${started} events attempt.started, ${story.attempts} attempts in the story`);
    const failed = events.filter((event) => event.type === "attempt.failed");
    if (failed.length > failures.length)
      say(`${failed.length} events attempt.failed, ${failures.length} failures in the story`);
    for (const { error, kind, attempt, tier } of failed)
      if (
        !failures.some(
          (one) => one.error === error && one.kind === kind && one.attempt === attempt && one.tier === tier,
        )
      )
        say(`attempt.failed of attempt ${attempt} of tier ${tier} (${kind}) is not in the story`);
    if (!shares) ofAbandoned(events, say);
    for (const id of made.get(story.id) ?? []) {
      const end = told.get(id)?.find(({ type }) => type === "call.settled");
      if (end !== undefined && end.at < settling.at && !children.has(id))
        say(`a call made in ${story.name} is not in its story`);
    }
  }
  for (const child of story.children) compare(child, seen, say);
}

/** Attempts of a tier are numbered as they come, from 1. */
function numbers(runs: readonly Run[], name: string, isHedged: boolean, say: Found): void {
  const latest = new Map<number, number>();
  for (const { told } of runs) {
    if (told === undefined) continue;
    const before = isHedged ? 1 : (latest.get(told.tier) ?? 1);
    if (told.attempt < before) say(`attempt ${told.attempt} of tier ${told.tier} of ${name} comes after ${before}`);
    latest.set(told.tier, told.attempt);
  }
}

/** Each attempt that was left while it ran has an end told of, once, when it has one. */
function ofAbandoned(events: readonly AnyEvent[], say: Found): void {
  for (const left of events) {
    if (left.type !== "attempt.abandoned") continue;
    const same = (event: AnyEvent) =>
      event.type === "attempt.ended" && event.attempt === left.attempt && event.tier === left.tier;
    const ends = events.filter(same).length;
    if (left.stillRunning && ends !== 1)
      say(`attempt ${left.attempt} of tier ${left.tier} was left running, and its end was told ${ends} times`);
  }
}

function madeIn(events: readonly AnyEvent[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const event of events) {
    if (event.type !== "call.started" || event.parent === undefined || event.call === undefined) continue;
    const those = found.get(event.parent);
    if (those === undefined) found.set(event.parent, [event.call]);
    else those.push(event.call);
  }
  return found;
}

function count(events: readonly AnyEvent[], type: AnyEvent["type"]): number {
  let seen = 0;
  for (const event of events) if (event.type === type) seen++;
  return seen;
}

function byCall(events: readonly AnyEvent[]): Map<string, AnyEvent[]> {
  const found = new Map<string, AnyEvent[]>();
  for (const event of events) {
    if (event.call === undefined) continue;
    const those = found.get(event.call);
    if (those === undefined) found.set(event.call, [event]);
    else those.push(event);
  }
  return found;
}

function runsByCall(runs: readonly Run[]): Map<string, Run[]> {
  const found = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.told === undefined) continue;
    const those = found.get(run.told.call);
    if (those === undefined) found.set(run.told.call, [run]);
    else those.push(run);
  }
  return found;
}
