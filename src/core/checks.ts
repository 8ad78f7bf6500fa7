// What a schema and checks of one's own find in a value: guard asks it of the input, gate of the output.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import type { CallContext } from "./operation.ts";
import { type AnySchema, findingsOf } from "./schema.ts";
import type { Finding } from "./verdict.ts";

/** Gives what is wrong, a finding or a sentence saying what is wanted; nothing where all is well. */
export type Check<T> = (
  value: T,
  context: CallContext,
) => Finding | string | undefined | Promise<Finding | string | undefined>;

export const checksSchema = z
  .array(z.custom<Check<unknown>>((given) => typeof given === "function", { error: "a function" }))
  .optional();

/** The value as the schema gives it, or what was found. */
export type Checked = { readonly value: unknown } | { readonly findings: readonly Finding[] };

/** A promise only where the schema or a check is asynchronous. */
export function checker(schema: AnySchema | undefined, checks: readonly Check<unknown>[] = []) {
  return (given: unknown, context: CallContext): Checked | Promise<Checked> => {
    if (schema === undefined) return inspect(given, checks, context);
    const result = schema["~standard"].validate(given) as
      | StandardSchemaV1.Result<unknown>
      | Promise<StandardSchemaV1.Result<unknown>>;
    const next = (parsed: StandardSchemaV1.Result<unknown>) =>
      parsed.issues === undefined
        ? inspect(parsed.value, checks, context)
        : { findings: findingsOf(parsed.issues, given) };
    return result instanceof Promise ? result.then(next) : next(result);
  };
}

function inspect(value: unknown, checks: readonly Check<unknown>[], context: CallContext): Checked | Promise<Checked> {
  if (checks.length === 0) return { value };
  const found = checks.map((check) => check(value, context));
  return found.some((one) => one instanceof Promise)
    ? Promise.all(found).then((all) => verdict(value, all))
    : verdict(value, found as (Finding | string | undefined)[]);
}

function verdict(value: unknown, found: readonly (Finding | string | undefined)[]): Checked {
  const findings = found.flatMap((one) => (one === undefined ? [] : [typeof one === "string" ? { wanted: one } : one]));
  return findings.length === 0 ? { value } : { findings };
}
