// Corrections by declared rules: only where the input was refused, and on a copy.
import { z } from "zod";
import type { Refused } from "../core/checks.ts";
import type { OptionsInvalidError } from "../core/errors.ts";
import type { AnySchema } from "../core/schema.ts";
import { type Issue, isZod, vendorOf } from "../core/validate.ts";
import type { Finding } from "../core/verdict.ts";
import { hasDefault } from "./default.ts";
import { draftOf } from "./draft.ts";
import { type Correction, type Rule, ruleOf, type ZodIssue } from "./rules.ts";

export const correctSchema = z.record(
  z.string(),
  z.union(
    [
      z.enum(["trim", "coerce", "clamp", "default"]),
      z.strictObject({
        clamp: z
          .tuple([z.number(), z.number()])
          .refine(([min, max]) => min <= max, { error: "[min, max], the smaller first" }),
      }),
      z.strictObject({ default: z.unknown() }).refine((given) => "default" in given),
      z.custom<(value: unknown) => unknown>((given) => typeof given === "function"),
    ],
    { error: '"trim", "coerce", "clamp", "default", { clamp: [min, max] }, { default: value } or a function' },
  ),
);

export interface Corrected {
  readonly input: unknown;
  readonly made: ReadonlyArray<{ readonly path: string; readonly rule: string }>;
}

/** Corrects what was refused by rules that are not `used` up; `undefined`: there is nothing to correct. */
export type Corrector = (input: unknown, refused: Refused, used: Set<Rule>) => Corrected | undefined;

/** @throws OptionsInvalidError where a bare word has no zod issue to read, or no default to take */
export function correctorOf(
  schema: AnySchema | undefined,
  correct: Readonly<Record<string, Correction>>,
  rejects: (issues: readonly Finding[]) => OptionsInvalidError,
): Corrector {
  const unusable = Object.entries(correct).flatMap(([path, correction]) => {
    const wanted = typeof correction === "string" ? lack(schema, path, correction) : undefined;
    return wanted === undefined ? [] : [{ path, got: correction, wanted }];
  });
  if (unusable.length > 0) throw rejects(unusable);
  const rules = new Map(Object.entries(correct).map(([path, correction]) => [path, ruleOf(correction, path)]));

  return (input, refused, used) => {
    const draft = draftOf(input);
    const made = new Map<string, string>();
    const now = new Set<Rule>();
    for (const { keys, issue } of placesOf(refused)) {
      const path = keys.map(String).join(".");
      const rule = rules.get(path) ?? rules.get(keys.map((key) => (isIndex(key) ? "*" : String(key))).join("."));
      if (rule === undefined || used.has(rule) || made.has(path) || !draft.holds(keys)) continue;
      const value = draft.get(keys);
      const corrected = rule.correct(value, issue);
      if (Object.is(corrected, value)) continue;
      draft.put(keys, corrected);
      made.set(path, rule.name);
      now.add(rule);
    }
    // once a call each, so that the rounds have an end however little a schema tells at a time
    for (const rule of now) used.add(rule);
    return made.size === 0 ? undefined : { input: draft.root, made: [...made].map(([path, rule]) => ({ path, rule })) };
  };
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

function isIndex(key: PropertyKey): boolean {
  return typeof key === "number" || (typeof key === "string" && /^\d{1,10}$/.test(key));
}
