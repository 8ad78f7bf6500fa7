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
  /** How long the last look took, where it was one. */
  readonly elapsedMs?: number | undefined;
}

/** What was seen, since when, and how old that is. */
export function reasonOf({ level, text, since, lastAt }: Evidence, now: number): string {
  if (lastAt === undefined) return text;
  const sinceWhen = level === "unknown" ? "" : `, since ${timeOf(since)}`; // what is not known began at no time
  return `${text}${sinceWhen}, last seen ${spellAge(now - lastAt)} ago`;
}
