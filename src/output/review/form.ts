// The form that an output needs to be delivered, also by a person: the schema of the gate that refused it, and of those outside it.
import { type AttemptRecord, RECOVERING } from "../../core/attempt.ts";
import { type AnySchema, findingsOf } from "../../core/schema.ts";
import { type Result, validatorOf } from "../../core/validate.ts";
import type { Finding } from "../../core/verdict.ts";

/** What is delivered, or what keeps it from being so. */
export type Fit = { readonly value: unknown } | { readonly findings: readonly Finding[] };

/** Schemas, the innermost first. */
export type Form = readonly AnySchema[];

/** A promise only where a schema gives one. */
export function fitted(form: Form, given: unknown): Fit | Promise<Fit> {
  const [schema, ...outer] = form;
  if (schema === undefined) return { value: given };
  const conclude = (parsed: Result) =>
    parsed.issues === undefined ? fitted(outer, parsed.value) : { findings: findingsOf(parsed.issues, given) };
  const parsed = validatorOf(schema)(given);
  return parsed instanceof Promise ? parsed.then(conclude) : conclude(parsed);
}

/** Of the gates that an output has yet to pass after the layer that is being asked, on its way to the caller. */
export function formsOutside(attempt: AttemptRecord): Form {
  const forms: AnySchema[] = [];
  let from = attempt.at + 1;
  for (let one: AttemptRecord | null = attempt; one !== null; one = one.outer) {
    for (let i = from; i < one.top; i++) {
      const layer = one.segment.layers[i];
      const { schema } = (layer?.spec?.options ?? {}) as { readonly schema?: AnySchema };
      if (layer?.kind === "gate" && schema !== undefined) forms.push(schema);
    }
    // what recovers is asked on the way out; what stands in the operation's place has the way out before it
    if (one.outer !== null) from = one.outer.is(RECOVERING) ? one.outer.at + 1 : one.outer.at;
  }
  return forms;
}
