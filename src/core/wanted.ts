// What an option wants, said as what is wanted: zod says what was wrong.
import { z } from "zod";

type Issue = Parameters<z.core.$ZodErrorMap>[0];

/** An option that is a function of the user's. */
export function functionSchema<T>() {
  return z.custom<T>((given) => typeof given === "function", { error: "a function" });
}

/** For zod's `error`: used where an option has no words of its own. */
export function wanted(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return (
        optionsOf(issue.inst) ??
        kinds[issue.expected] ??
        `${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`
      );
    case "too_small":
      return bound(issue.inclusive === false ? "more than" : "at least", issue.minimum, issue.origin);
    case "too_big":
      return bound(issue.inclusive === false ? "less than" : "at most", issue.maximum, issue.origin);
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value) ?? String(value)).join(" or ");
    default:
      return undefined;
  }
}

/** What an options object may have, as it is written: `{ limit, per, burst? }`. */
export function optionsOf(schema: unknown): string | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const options = Object.entries<z.ZodType>(schema.shape);
  const said = options.map(([key, option]) => (option.safeParse(undefined).success ? `${key}?` : key));
  return said.length === 0 ? undefined : `{ ${said.join(", ")} }`;
}

const kinds: Readonly<Record<string, string>> = { int: "a whole number", array: "a list" };

function bound(words: string, limit: number | bigint, origin: string): string {
  const unit = origin === "string" ? " characters" : origin === "array" ? " of them" : "";
  return `${words} ${limit}${unit}`;
}
