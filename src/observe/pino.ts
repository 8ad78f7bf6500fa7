// Every event as a structured line of a log, and the errors in it as facts.
import { z } from "zod";
import type { EventBus } from "../core/bus.ts";
import { spellMoney } from "../core/cost.ts";
import type { AnyEvent } from "../core/events.ts";
import { stories } from "../core/stories.ts";
import type { Story } from "../core/story.ts";
import { parseOptions } from "../core/wrapper.ts";
import { Course, type Heard } from "./course.ts";
import { Telling } from "./errorFacts.ts";
import { copying, HIDDEN, type Paths, pathsOf, plain, record, step } from "./plain.ts";

export { err } from "./errorFacts.ts";

/** Pino, or whatever takes the facts first and a message second. */
export interface Logger {
  info(facts: object, message?: string): void;
  warn(facts: object, message?: string): void;
  error(facts: object, message?: string): void;
}

export interface LogOptions {
  /** Paths of an event, never written: `labels.tenant`, `error.config.headers.authorization`, `issues.*.got`; `*` is any key. Those of headers that carry credentials never are. */
  readonly secret?: readonly string[] | undefined;
}

/** In every line, and mostly empty. */
const often = new Set(["labels", "cost"]);

const optionsSchema = z.strictObject({
  secret: z.array(z.string().regex(/^[^.]+(?:\.[^.]+)*$/, { error: "keys with dots between" })).default([]),
});
const loggerSchema = z.custom<Logger>(isLogger, { error: "a logger with info, warn and error" });

/**
 * Logs every event of the bus as a line; gives its undo. A call that failed is one error, one that recovered (after a
 * retry, by another tier) one warning, all on the way there is info; of a call inside another the outer one tells. What
 * is no part of a call's course, such as `breaker.opened`, has the level of its severity.
 * @throws OptionsInvalidError for paths that are none, and for what is no logger
 * @example
 * import { events, protect } from "holdfast";
 * import { log } from "holdfast/pino";
 * import { script } from "holdfast/testing";
 *
 * const stop = log(events, { info() {}, warn: (facts, message) => console.log(message), error() {} });
 * await protect("price", script({ error: new Error("once") }, { value: 42 }), { retry: { base: 1 } })(undefined);
 * stop(); // → price succeeded after 2 attempts
 */
export function log(bus: EventBus, logger: Logger, options: LogOptions = {}): () => void {
  const { secret } = parseOptions("log", optionsSchema, options);
  const to = parseOptions("log", loggerSchema, logger);
  const paths = pathsOf(secret);
  const course = new Course();
  return bus.onAny((event) => {
    const heard = course.hear(event);
    to[heard.level](lineOf(event, heard, paths), messageOf(event));
  });
}

/** The event's facts under their own names; its call's name, which pino has another use for, as `operation`. */
function lineOf(event: AnyEvent, heard: Heard, paths: Paths): object {
  const { type, name: operation, severity: _, ...rest } = event;
  const { error, ...facts } = rest as typeof rest & { readonly error?: unknown };
  const errors = step(paths, "error");
  const written = step(paths, "err");
  const telling = new Telling([...errors.inside, ...written.inside].map(ofEveryError));
  const state = copying();
  const copy = (of: object) =>
    record(Object.entries(of), (key, value) => {
      const { hidden, inside } = step(paths, key);
      if (hidden) return HIDDEN;
      const copied = plain(value, inside, state, (one) => telling.brief(one, key));
      return often.has(key) && isEmpty(copied) ? undefined : copied;
    });
  const line = { type, operation, ...copy(facts) };
  const issues = heard.trouble?.issues;
  if (issues !== undefined) return { ...line, ...copy({ issues }) };
  const told = toldOf(event, heard, error);
  if (told === undefined) return line;
  if (errors.hidden || written.hidden) return { ...line, err: HIDDEN };
  const err = type === "attempt.failed" ? telling.brief(told.error) : telling.error(told.error);
  return { ...line, err, ...(told.story !== undefined && { story: telling.story(told.story, "story") }) };
}

/** What is secret in an error is secret in each of its causes. */
function ofEveryError(path: Paths[number]): Paths[number] {
  const [first, ...inside] = path;
  if (inside.length === 0) return path;
  if (first === "cause") return ofEveryError(inside);
  return first === "causes" && inside.length > 1 ? ofEveryError(inside.slice(1)) : path;
}

/** The error an event tells of; of the end of a call, what went wrong last, and the story where it failed. */
function toldOf(
  event: AnyEvent,
  heard: Heard,
  error: unknown,
): { error: unknown; story?: Story | undefined } | undefined {
  if (event.type !== "call.settled") return error === undefined ? undefined : { error };
  if (heard.level === "info") return undefined;
  const story = stories.get(event.call ?? "");
  const last = heard.trouble?.error ?? story?.failures.at(-1)?.error;
  return last === undefined ? undefined : { error: last, story };
}

function messageOf(event: AnyEvent): string {
  if (event.type !== "call.settled") return `${event.name}: ${event.type}`;
  const money = spellMoney(event.cost);
  const ended = `${event.name} ${event.state} after ${event.attempts} ${event.attempts === 1 ? "attempt" : "attempts"}`;
  return money === undefined ? ended : `${ended}, ${money}`;
}

function isEmpty(copied: unknown): boolean {
  return typeof copied === "object" && copied !== null && Object.keys(copied).length === 0;
}

function isLogger(given: unknown): boolean {
  const methods = (given ?? {}) as Readonly<Record<string, unknown>>;
  return ["info", "warn", "error"].every((level) => typeof methods[level] === "function");
}
