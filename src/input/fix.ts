// What the caller can do about a finding, as far as schema and rules tell it.
import type { Issue } from "../core/validate.ts";
import type { Correction, ZodIssue } from "./rules.ts";

/** Reads what zod says; of another vendor's issue only the rule that is declared for the path tells something. */
export function fixOf(issue: Issue, rules: readonly Correction[]): string | undefined {
  const said = zodFix(issue);
  if (said !== undefined) return said;
  for (const rule of rules) if (typeof rule === "object" && "clamp" in rule) return `from ${rule.clamp.join(" to ")}`;
  return undefined;
}

function zodFix(issue: Issue & ZodIssue & { values?: readonly unknown[]; divisor?: unknown }): string | undefined {
  switch (issue.code) {
    case "too_big":
      return bound(issue, issue.maximum, issue.inclusive ? "at most" : "below");
    case "too_small":
      return bound(issue, issue.minimum, issue.inclusive ? "at least" : "above");
    case "invalid_type":
      return typeof issue.expected === "string" ? (kinds[issue.expected] ?? issue.expected) : undefined;
    case "invalid_value":
      return issue.values
        ?.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value)))
        .join(" or ");
    case "not_multiple_of":
      return `a multiple of ${String(issue.divisor)}`;
    case "unrecognized_keys":
      return "leave it out";
    default:
      return undefined;
  }
}

function bound(issue: ZodIssue, value: unknown, words: string): string | undefined {
  if (value === undefined) return undefined;
  if (issue.origin === "date") return `${words} ${new Date(Number(value)).toISOString()}`;
  const unit = units[issue.origin ?? ""];
  if (unit === undefined) return `${words} ${String(value)}`;
  return `${words} ${String(value)} ${Number(value) === 1 ? unit : `${unit}s`}`;
}

const units: Readonly<Record<string, string>> = {
  string: "character",
  array: "item",
  set: "item",
  file: "byte",
};

const kinds: Readonly<Record<string, string>> = {
  ...{ string: "a text", number: "a number", int: "a whole number", bigint: "a bigint", boolean: "true or false" },
  ...{ date: "a date", object: "an object", array: "a list", record: "an object", tuple: "a list" },
};
