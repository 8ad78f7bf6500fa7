// An error as facts for a log: each of its causes once, and the story of its call.
import { errorsOf, field, isResponse, nameOf, textField } from "../core/shapes.ts";
import { storyOf } from "../core/stories.ts";
import type { Story } from "../core/story.ts";
import type { Failure } from "../core/verdict.ts";
import { copying, HIDDEN, isError, ownOf, type Paths, plain, record, short, step } from "./plain.ts";

/** So deep a chain of causes, or calls inside calls, and so many of a list of attempts or calls, are told. */
const deepest = 8;
const longest = 20;

/** What is told elsewhere, or says nothing that the other facts do not. */
const known = new Set(["name", "type", "message", "stack", "code", "cause", "causes", "errors", "story", "failures"]);

/**
 * An error for pino, as `serializers: { err }`: type, message, code, stack and its own facts; the story of its call;
 * its causes, each once however they are nested. A failing `Response` is told too. What is no error stays as it is.
 * @example
 * import { protect } from "holdfast";
 * import { err } from "holdfast/pino";
 *
 * const failed = await protect("pay", async () => { throw new Error("no money"); })().catch((error) => error);
 * const { message, story } = err(failed) as { message: string; story: { state: string } };
 * console.log(message, story.state); // → no money failed
 */
export function err(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return error;
  return isError(error) || isResponse(error) ? new Telling([]).error(error, storyOf(error)) : error;
}

/** One line's telling: what it has told once it only points to. */
export class Telling {
  /** Of an error, its path in the line. */
  private readonly where = new Map<unknown, string>();
  private readonly state = copying();
  /** Of what is inside an error. */
  private readonly paths: Paths;

  constructor(paths: Paths) {
    this.paths = paths;
  }

  /** In full: with stack, own facts, causes and story. */
  error(error: unknown, story?: Story): object {
    const facts = this.facts(error, "err");
    const causes: object[] = [];
    let cause = this.causeOf(error);
    while (cause !== undefined && !this.where.has(cause) && causes.length < deepest) {
      causes.push(this.facts(cause, `err.causes.${causes.length}`));
      cause = this.causeOf(cause);
    }
    if (causes.length > 0) facts.causes = causes;
    if (story !== undefined) facts.story = this.story(story, "err.story");
    return facts;
  }

  /** In a few words, for what is told in full when its call ends. */
  brief(error: unknown, at = "err"): object {
    const before = this.where.get(error);
    if (before !== undefined) return { see: before };
    const facts = this.head(error, at);
    facts.message = this.chain(error, at);
    return facts;
  }

  story(story: Story, at: string, depth = 0): object {
    const { id, name, state, attempts, elapsedMs, failures, children } = story;
    const tried = failures.slice(0, longest).map((failure, index) => this.failure(failure, `${at}.failures.${index}`));
    const inside = depth < deepest ? children.slice(0, longest) : [];
    const calls = inside.map((child, index) => this.story(child, `${at}.children.${index}`, depth + 1));
    return {
      ...{ id, name, state, attempts, elapsedMs, failures: tried },
      ...(failures.length > tried.length && { moreFailures: failures.length - tried.length }),
      ...(calls.length > 0 && { children: calls }),
      ...(children.length > calls.length && { moreChildren: children.length - calls.length }),
    };
  }

  private failure({ error, tier, tierName, attempt, kind, elapsedMs }: Failure, at: string): object {
    const before = this.where.get(error);
    const words = before === undefined ? { message: this.chain(error, at) } : { see: before };
    return { tier, tierName, attempt, kind, elapsedMs, ...words };
  }

  private facts(error: unknown, at: string): Record<string, unknown> {
    const facts = this.head(error, at);
    if (typeof error !== "object" || error === null) return facts;
    const stack = this.stack(error);
    if (stack !== undefined) facts.stack = step(this.paths, "stack").hidden ? HIDDEN : stack;
    if (isResponse(error)) return Object.assign(facts, { status: field(error, "status") });
    const several = errorsOf(error)?.slice(0, longest);
    if (several !== undefined) facts.inside = several.map((one, index) => this.brief(one, `${at}.inside.${index}`));
    const own = ownOf(error).filter(([key]) => !known.has(key));
    return Object.assign(
      facts,
      record(own, (key, value) => this.own(key, value, at)),
    );
  }

  private head(error: unknown, at: string): Record<string, unknown> {
    // without a prototype: pino's own serializer takes them for an error, and would name them after their class
    const facts: Record<string, unknown> = Object.create(null);
    if (typeof error === "object" && error !== null) this.where.set(error, at);
    facts.type = typeOf(error);
    facts.message = this.words(error);
    const code = field(error, "code");
    if (typeof code === "string" || typeof code === "number")
      facts.code = step(this.paths, "code").hidden ? HIDDEN : code;
    return facts;
  }

  private own(key: string, value: unknown, at: string): unknown {
    const { hidden, inside } = step(this.paths, key);
    return hidden ? HIDDEN : plain(value, inside, this.state, (error) => this.brief(error, `${at}.${key}`));
  }

  /** What it says, and what its causes say, as far as that has not been told. */
  private chain(error: unknown, at: string): string {
    const said: string[] = [];
    let seen = error;
    do {
      if (typeof seen === "object" && seen !== null) this.where.set(seen, at);
      said.push(this.words(seen));
      seen = this.causeOf(seen);
    } while (seen !== undefined && !this.where.has(seen) && said.length < deepest);
    return said.join(": ");
  }

  private causeOf(error: unknown): unknown {
    const secret = step(this.paths, "cause").hidden || step(this.paths, "causes").hidden;
    return secret ? undefined : field(error, "cause");
  }

  private words(error: unknown): string {
    return step(this.paths, "message").hidden ? HIDDEN : short(wordsOf(error));
  }

  private stack(error: object): string | undefined {
    const stack = textField(error, "stack");
    const message = textField(error, "message") ?? "";
    // what was made without a stack has there only what the other facts say
    if (stack === undefined || !stack.includes("\n", message.length)) return undefined;
    return short(step(this.paths, "message").hidden && message !== "" ? stack.replaceAll(message, HIDDEN) : stack);
  }
}

function typeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return typeof error;
  return isResponse(error) ? "Response" : nameOf(error) || "Object";
}

function wordsOf(error: unknown): string {
  if (isResponse(error)) return `HTTP ${field(error, "status")}`;
  if (typeof error !== "object" || error === null) return String(error);
  // of a body that tells of a failure, what it says of it
  const said = textField(error, "message") ?? textField(field(error, "error"), "message");
  return said ?? "a value that tells of a failure";
}
