// Corrections by declared rules: only where the input was refused, and on a copy.
import { z } from "zod";
import type { Refused } from "../core/checks.ts";
import type { OptionsInvalidError } from "../core/errors.ts";
import { leadsTo, stepsOf } from "../core/paths.ts";
import type { AnySchema } from "../core/schema.ts";
import { type Issue, isZod, vendorOf } from "../core/validate.ts";
import type { Finding } from "../core/verdict.ts";
import { hasDefault } from "./default.ts";
import { draftOf } from "./draft.ts";
import { mayHave } from "./known.ts";
import { type Correction, type Corrections, type Rule, ruleOf, type ZodIssue } from "./rules.ts";

const rule = z.union([
  z.enum(["trim", "coerce", "clamp", "default"]),
  z.strictObject({
    clamp: z
      .tuple([z.number(), z.number()])
      .refine(([min, max]) => min <= max, { error: "[min, max], the smaller first" }),
  }),
  z.strictObject({ default: z.unknown() }).refine((given) => "default" in given),
  z.custom<(value: unknown) => unknown>((given) => typeof given === "function"),
]);

export const correctSchema = z.record(
  z.string(),
  z.union([...rule.options, z.array(rule).min(1)], {
    error:
      '"trim", "coerce", "clamp", "default", { clamp: [min, max] }, { default: value } or a function, or a list of these',
  }),
);

export interface Corrected {
  readonly input: unknown;
  readonly made: ReadonlyArray<{ readonly path: string; readonly rule: string }>;
}

/** Of one call: in how many rounds the rules of a path were asked, and how many of them each place in the input has had. */
export type Used = Map<readonly Rule[], { rounds: number; readonly had: Map<string, number> }>;

/** Corrects what was refused by rules that are not `used` up; `undefined`: there is nothing to correct. */
export type Corrector = (input: unknown, refused: Refused, used: Used) => Corrected | undefined;

/** @throws OptionsInvalidError where a path leads nowhere, or a bare word has no zod issue to read, or no default to take */
export function correctorOf(
  schema: AnySchema | undefined,
  correct: Readonly<Record<string, Corrections>>,
  rejects: (issues: readonly Finding[]) => OptionsInvalidError,
): Corrector {
  const unusable = Object.entries(correct).flatMap(([path, given]) => {
    const wanted = listed(given).map((one) => (typeof one === "string" ? lack(schema, path, one) : undefined));
    const nowhere = isZod(schema) && !mayHave(schema, stepsOf(path)) ? "a path that the schema knows" : undefined;
    const first = nowhere ?? wanted.find((one) => one !== undefined);
    return first === undefined ? [] : [{ path, got: given, wanted: first }];
  });
  if (unusable.length > 0) throw rejects(unusable);
  const rulesAt = byPath(
    Object.fromEntries(
      Object.entries(correct).map(([path, given]) => [path, listed(given).map((one) => ruleOf(one, path))]),
    ),
  );

  return (input, refused, used) => {
    const draft = draftOf(input);
    const made = new Map<string, string>();
    const now = new Set<readonly Rule[]>();
    for (const { keys, issue } of placesOf(refused)) {
      const path = keys.map(String).join(".");
      const rules = rulesAt(keys.map(String));
      if (rules === undefined || made.has(path) || !draft.holds(keys)) continue;
      const { rounds, had } = used.get(rules) ?? { rounds: 0, had: new Map<string, number>() };
      if (rounds >= rules.length) continue;
      const value = draft.get(keys);
      // in their order: what a rule has not changed is for the next
      for (let i = had.get(path) ?? 0; i < rules.length; i++) {
        const { correct, name } = rules[i] as Rule;
        const corrected = correct(value, issue);
        if (Object.is(corrected, value)) continue;
        draft.put(keys, corrected);
        made.set(path, name);
        now.add(rules);
        used.set(rules, { rounds, had: had.set(path, i + 1) });
        break;
      }
    }
    // a round a rule, so that the rounds have an end however little a schema tells at a time
    for (const rules of now) (used.get(rules) as { rounds: number }).rounds++;
    return made.size === 0 ? undefined : { input: draft.root, made: [...made].map(([path, rule]) => ({ path, rule })) };
  };
}

/** What is declared for these keys: the path itself, or else the one with the fewest `*`. */
export function byPath<T>(declared: Readonly<Record<string, T>>): (keys: readonly string[]) => T | undefined {
  const stars = (parts: readonly string[]) => parts.filter((part) => part === "*").length;
  const open = Object.entries(declared)
    .map(([path, it]) => ({ parts: stepsOf(path), it }))
    .filter(({ parts }) => stars(parts) > 0)
    .sort((a, b) => stars(a.parts) - stars(b.parts));
  return (keys) => {
    const path = keys.join(".");
    return Object.hasOwn(declared, path) ? declared[path] : open.find(({ parts }) => leadsTo(parts, keys))?.it;
  };
}

export function listed(given: Corrections): readonly Correction[] {
  return Array.isArray(given) ? (given as readonly Correction[]) : [given as Correction];
}

/** What a bare word would need. */
function lack(schema: AnySchema | undefined, path: string, word: string): string | undefined {
  if (!isZod(schema)) {
    const whose = schema === undefined ? "there is no schema" : `this schema is one of ${vendorOf(schema)}`;
    const instead =
      word === "clamp" ? "{ clamp: [min, max] }" : word === "default" ? "{ default: value }" : "a function";
    return `${instead}: "${word}" reads zod's own issues, and ${whose}`;
  }
  if (word !== "default" || hasDefault(schema, path)) return undefined;
  return "{ default: value }: the schema has no default there";
}

function* placesOf({ issues, findings }: Refused): Generator<{ keys: readonly PropertyKey[]; issue: ZodIssue }> {
  if (issues !== undefined) for (const issue of issues) yield { keys: keysOf(issue), issue: issue as ZodIssue };
  else for (const { path } of findings) if (path !== undefined) yield { keys: path.split("."), issue: {} };
}

export function keysOf({ path = [] }: Issue): PropertyKey[] {
  return path.map((part) => (typeof part === "object" ? part.key : part));
}
