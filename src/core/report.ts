// A failed call as text: what was tried, why it did not do, and what now.

import { brief, visible } from "./brief.ts";
import { classify } from "./classify.ts";
import { free, spellCost } from "./cost.ts";
import { spell } from "./duration.ts";
import { HoldfastError } from "./errors.ts";
import { nested } from "./fullError.ts";
import { errorsOf, field, isResponse, nameOf, textField } from "./shapes.ts";
import { sourceOf } from "./source.ts";
import { storyOf } from "./stories.ts";
import type { Story } from "./story.ts";
import type { Failure } from "./verdict.ts";

/** Of a long list, so many from its start and its end are told. */
const most = 10;
/** So long may a message be, and so deep a chain of causes or of calls inside calls. */
const longest = 500;
const deepest = 8;

/**
 * The story of a failed call as text that a person can read at three in the morning: what failed and how, every attempt
 * in order, the calls inside it, what it cost, and what can be done now. Of an error without a story: what it says, and
 * its causes. Each error is told once. No stacks; nothing is redacted. Never throws.
 * @example
 * const call = protect("pay", async () => { throw new Error("no money"); });
 * await call().catch((error) => console.log(report(error)));
 * // → "pay" ended as failed after 1 attempt in … ms (call …, started …)
 * // →   1. tier 0 "pay", attempt 1, … ms: unknown: Error: no money
 */
export function report(error: unknown): string {
  try {
    const told = new Set<unknown>();
    const story = storyOf(error);
    const lines = story === undefined ? said(error, "", told) : [...tell(story, "", told), ...end(error, told)];
    return [...lines, ...cost(story), ...whatNow(error, story)].join("\n");
  } catch {
    return "An error that cannot be read.";
  }
}

function tell(story: Story, indent: string, told: Set<unknown>): string[] {
  const {
    id,
    name,
    component,
    state,
    attempts,
    elapsedMs,
    failures,
    children,
    labels,
    degraded,
    sharedWith,
    startedAt,
  } = story;
  const facts = [
    `call ${id}`,
    ...(component === name ? [] : [`component "${component}"`]),
    ...Object.entries(labels).map(([key, value]) => `${key}=${oneLine(String(value))}`),
    `started ${time(startedAt)}`,
  ];
  const tries = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const inner = `${indent}  `;
  return [
    `${indent}"${name}" ended as ${state} after ${tries} in ${spell(elapsedMs)} (${facts.join(", ")})`,
    ...capped(failures, inner, (failure, index) => attempt(failure, index + 1, inner, told)),
    ...(sharedWith === undefined ? [] : [`${inner}shared what call ${sharedWith} did: the rest is in its story`]),
    ...(degraded === undefined ? [] : [`${inner}${insteadOf(story.tierName, degraded)}`]),
    ...capped(children, inner, (child) =>
      indent.length / 2 >= deepest ? [`${inner}"${child.name}" and more inside`] : tell(child, inner, told),
    ),
  ];
}

function insteadOf(tierName: string, { reason, ageMs }: NonNullable<Story["degraded"]>): string {
  const by = ageMs === undefined ? `by "${tierName}" instead` : `with what was known ${spell(ageMs)} ago`;
  return `answered ${by}: ${oneLine(reason)}`;
}

function attempt(failure: Failure, no: number, indent: string, told: Set<unknown>): string[] {
  const { tier, tierName, attempt, kind, elapsedMs, error, kept, produced, waitedFor } = failure;
  const how =
    kept === undefined
      ? `attempt ${attempt}, ${spell(elapsedMs)}`
      : `not called, the cache keeps what call ${kept.call} failed with ${spell(kept.ageMs)} ago`;
  const head = `${indent}${no}. tier ${tier} "${tierName}", ${how}: ${kind}: `;
  const known = told.has(error);
  const [first = "", ...causes] = said(error, `${indent}   `, told);
  return [
    `${head}${known ? "the same error as above" : first.trimStart()}`,
    ...causes,
    ...(waitedFor === undefined
      ? []
      : [`${indent}   it waited for a place in its bulkhead: ${nested(waitedFor.heldBy)}`]),
    ...(produced === undefined ? [] : [`${indent}   had produced ${oneLine(brief(produced))}`]),
  ];
}

/** What the caller got, where that is not the last thing that was told. */
function end(error: unknown, told: Set<unknown>): string[] {
  return told.has(error) ? [] : said(error, "", told).map((line, i) => (i === 0 ? `The caller got ${line}` : line));
}

/** An error and its causes, a line each; nothing of what has been told before. */
function said(error: unknown, indent: string, told: Set<unknown>): string[] {
  const lines: string[] = [];
  let seen = error;
  for (let depth = 0; depth < deepest && !told.has(seen); depth++) {
    if (typeof seen === "object" && seen !== null) told.add(seen);
    lines.push(`${indent}${depth === 0 ? "" : "  caused by "}${describe(seen)}`);
    const several = errorsOf(seen) ?? [];
    lines.push(
      ...capped(several, `${indent}  `, (one) => (told.has(one) ? [] : [`${indent}  one of them: ${describe(one)}`])),
    );
    for (const one of several) if (typeof one === "object") told.add(one);
    seen = field(seen, "cause");
    if (seen === undefined) break;
  }
  return lines;
}

function describe(seen: unknown): string {
  const source = sourceOf(seen);
  return source === undefined ? words(seen) : `${words(seen)} (thrown by ${oneLine(source)})`;
}

function words(seen: unknown): string {
  if (isResponse(seen)) return `HTTP ${field(seen, "status")}`;
  const message = textField(seen, "message");
  if (message === undefined) return oneLine(brief(seen));
  const name = nameOf(seen);
  const code = textField(seen, "code");
  const coded = code === undefined || message.includes(code) || HoldfastError.is(seen) ? "" : ` [${code}]`;
  return oneLine([name === "Object" ? "" : name, message].filter((part) => part !== "").join(": ") + coded);
}

function cost(story: Story | undefined): string[] {
  const spelt = spellCost(story?.cost ?? free);
  return spelt === undefined ? [] : [`It cost ${spelt}.`];
}

function whatNow(error: unknown, story: Story | undefined): string[] {
  const review = story?.reviewId ?? textField(error, "reviewId");
  if (review !== undefined) return [`Now: a person decides on review ${review}.`];
  const errors = [error, ...(story?.failures ?? []).map((failure) => failure.error)];
  const open = errors.find((one) => HoldfastError.is(one, "BREAKER_OPEN"));
  const again = open === undefined ? classify(errors.at(-1))?.retryAfterMs : field(open, "retryAfterMs");
  if (typeof again === "number")
    return [
      `Now: ${open === undefined ? "it may be tried again" : "the breaker lets a probe through"} in ${spell(again)}.`,
    ];
  return open === undefined ? [] : ["Now: the breaker stays open until it is closed by hand."];
}

function capped<T>(list: readonly T[], indent: string, tell: (one: T, index: number) => string[]): string[] {
  const hidden = list.length - 2 * most;
  return list.flatMap((one, index) => {
    if (index < most || index >= most + hidden) return tell(one, index);
    return index === most ? [`${indent}… and ${hidden} more`] : [];
  });
}

function time(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? "at no known time" : date.toISOString();
}

function oneLine(text: string): string {
  const line = visible(
    text
      .slice(0, 4 * longest)
      .replaceAll(/[\p{Cc}\s]+/gu, " ")
      .trim(),
  );
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
