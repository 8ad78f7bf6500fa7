// Values that are shown nowhere.
import { hidden } from "../core/brief.ts";
import { leadsTo, stepsOf, touches } from "../core/paths.ts";
import type { Issue } from "../core/validate.ts";
import type { Finding } from "../core/verdict.ts";

const other = "something else";
/** Texts that are searched for: a message can hold no more of them than it has words. */
const most = 1_000;
/** A shorter one stands in too many sentences by chance; where the path itself is secret, each counts. */
const shortest = 3;

/** Of a finding of the schema's: its issue, and whether zod made its words of the schema, and not of the value. */
export interface Source {
  readonly issue: Issue;
  readonly keys: readonly string[];
  readonly ownWords: boolean;
}

/** Makes findings fit to be shown: `values` is the input in each form in which a schema or a check had it. */
export function veil(
  secret: readonly string[],
  values: readonly unknown[],
): (finding: Finding, source?: Source) => Finding {
  if (secret.length === 0) return (finding) => finding;
  const patterns = secret.map(stepsOf);
  let known: Set<string> | undefined;

  return (finding, source) => {
    const keys = source?.keys ?? keysAt(values, stepsOf(finding.path ?? ""));
    const covered = patterns.some((pattern) => touches(pattern, keys));
    if (!covered && source?.ownWords) return finding;
    known ??= textsAt(values, patterns);
    const told = new Set<string>();
    if (covered) {
      collect(finding.got, told);
      for (const value of values) collect(at(value, keys), told);
    }
    const repeats = (text: string) => holds(text, known as Set<string>, shortest) || holds(text, told, 1);
    const { wanted, fix } = finding;
    const expected = source && expectedBy(source.issue);
    const foreign = covered && source !== undefined && !source.ownWords && !isCustom(source.issue);
    const words = foreign ? [expected] : [wanted, covered ? expected : undefined];
    return {
      ...finding,
      wanted: words.find((one) => one !== undefined && !repeats(one)) ?? other,
      ...(fix !== undefined && { fix: repeats(fix) ? other : fix }),
      ...(covered && "got" in finding && { got: hidden }),
    };
  };
}

/** Messages of other vendors repeat the value ("… but received 4711"): of those only what was expected is told. */
function expectedBy(issue: Issue): string | undefined {
  const { expected } = issue as { readonly expected?: unknown };
  return typeof expected === "string" ? expected : undefined;
}

/** Of zod: the words are of whoever wrote the rule. */
function isCustom(issue: Issue): boolean {
  return (issue as { readonly code?: unknown }).code === "custom" && !("data" in issue);
}

function holds(text: string, secrets: ReadonlySet<string>, least: number): boolean {
  if (secrets.size >= most) return true; // more than can be looked for
  const low = text.toLowerCase();
  for (const secret of secrets) if (secret.length >= least && low.includes(secret)) return true;
  return false;
}

function textsAt(values: readonly unknown[], patterns: ReadonlyArray<readonly string[]>): Set<string> {
  const texts = new Set<string>();
  for (const value of values) search(value, [], patterns, texts);
  return texts;
}

function search(seen: unknown, keys: string[], patterns: ReadonlyArray<readonly string[]>, texts: Set<string>): void {
  if (patterns.some((pattern) => leadsTo(pattern, keys))) collect(seen, texts);
  else if (patterns.some((pattern) => touches(pattern, keys)))
    for (const [key, value] of inside(seen)) if (texts.size < most) search(value, [...keys, key], patterns, texts);
}

/** Every text and number in it, as a sentence would have it. */
function collect(seen: unknown, texts: Set<string>, depth = 0): void {
  if (texts.size >= most || depth > 20) return;
  if (typeof seen === "string" || typeof seen === "number" || typeof seen === "bigint") {
    const text = String(seen).trim().toLowerCase();
    if (text !== "") texts.add(text).add(JSON.stringify(text).slice(1, -1));
  } else for (const [, value] of inside(seen)) collect(value, texts, depth + 1);
}

/** What cannot be read holds nothing that a message could repeat. */
function inside(seen: unknown): ReadonlyArray<readonly [string, unknown]> {
  if (typeof seen !== "object" || seen === null) return [];
  try {
    if (seen instanceof Map) return [...seen].map(([key, value]) => [String(key), value]);
    return seen instanceof Set ? [...seen].map((one, i) => [String(i), one]) : Object.entries(seen);
  } catch {
    return [];
  }
}

function at(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((seen, key) => entry(seen, key)?.[0], value);
}

/** Not by way of all entries: a list of many findings is as long itself. */
function entry(seen: unknown, key: string): [unknown] | undefined {
  if (typeof seen !== "object" || seen === null) return undefined;
  try {
    if (seen instanceof Map || seen instanceof Set) {
      const found = inside(seen).find(([one]) => one === key);
      return found && [found[1]];
    }
    return Object.hasOwn(seen, key) ? [(seen as Record<string, unknown>)[key]] : undefined;
  } catch {
    return undefined;
  }
}

/** The keys that a path written with dots has in the input, where some have dots of their own. */
function keysAt(values: readonly unknown[], parts: readonly string[]): readonly string[] {
  return values.map((value) => keysIn(value, parts)).find((keys) => keys !== undefined) ?? parts;
}

function keysIn(value: unknown, parts: readonly string[]): string[] | undefined {
  if (parts.length === 0) return [];
  for (let taken = 1; taken <= parts.length; taken++) {
    const key = parts.slice(0, taken).join(".");
    const found = entry(value, key);
    const rest = found && keysIn(found[0], parts.slice(taken));
    if (rest !== undefined) return [key, ...rest];
  }
  return undefined;
}
