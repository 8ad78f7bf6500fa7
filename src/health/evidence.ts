// What is known of a component from one source: its calls, or a probe.
import type { Health } from "../core/events.ts";
import { spellAge, timeOf } from "./words.ts";

export interface Evidence {
  readonly level: Health;
  /** What was seen, in words. */
  readonly text: string;
  /** Since when it is so, epoch ms. */
  readonly since: number;
  /** When it last said anything, epoch ms; `undefined`: never. */
  readonly lastAt: number | undefined;
  /** What was seen in a row and has not yet changed the level, in words. */
  pending(now: number): string | undefined;
  /** How long the last look took, where it was one. */
  readonly elapsedMs?: number | undefined;
}

/** All that is to be said of it. */
export function reasonsOf(evidence: Evidence, now: number): readonly string[] {
  const pending = evidence.pending(now);
  const said = evidence.level === "healthy" ? [] : [reasonOf(evidence, now)];
  if (pending === undefined) return said;
  const told = `${pending}${seenLast(evidence, now)}`;
  return evidence.level === "unknown" ? [told] : [...said, told];
}

/** What was seen, since when, and how old that is. */
export function reasonOf(evidence: Evidence, now: number): string {
  const { level, text, since, lastAt } = evidence;
  const sinceWhen = level === "unknown" || lastAt === undefined ? "" : `, since ${timeOf(since)}`; // what is not known began at no time
  return `${text}${sinceWhen}${seenLast(evidence, now)}`;
}

function seenLast({ lastAt }: Evidence, now: number): string {
  return lastAt === undefined ? "" : `, last seen ${spellAge(now - lastAt)} ago`;
}
