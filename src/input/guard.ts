// What goes in: a schema and checks, before anything is called.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { type Check, type Checked, checker, checksSchema, type Refused } from "../core/checks.ts";
import { ATTEMPT, type Context } from "../core/context.ts";
import { InputRejectedError, OptionsInvalidError, stackless } from "../core/errors.ts";
import type { Attempt } from "../core/layer.ts";
import type { CallContext, Operation, Protected } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { type AnySchema, findingsOf, type In, isSchema, type Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { unreadable } from "../core/unreadable.ts";
import type { Finding } from "../core/verdict.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";
import { correctorOf, correctSchema } from "./correct.ts";
import { fixOf } from "./fix.ts";
import type { Correction, Rule } from "./rules.ts";
import { veiled } from "./secret.ts";

export interface GuardOptions<T> {
  /** What the schema cannot say: cross-field rules, look-ups; all are asked, all findings are told. */
  checks?: ReadonlyArray<Check<T>> | undefined;
  /**
   * By path (`"words"`, `"lines.0.price"`, `"lines.*.price"` for every item, `""` for the input itself): how a value that
   * was refused is put right. Runs only where the input was refused, on a copy, and then all is checked again.
   * `"trim"`, `"coerce"`, `"clamp"` (numbers, bigints and dates, to the bound) and `"default"` read zod's own issues and
   * schema; with another vendor's schema give the value: `{ clamp: [min, max] }`, `{ default: value }`, or a function.
   */
  correct?: Readonly<Record<string, Correction>> | undefined;
  /** Paths whose values are shown nowhere: not in errors, events or story. */
  secret?: readonly string[] | undefined;
}

export interface Guard<I, I2> {
  <O>(operation: Operation<I2, O>): Protected<I, O>;
  readonly kind: "guard";
}

export const guardSchema = z.strictObject({
  checks: checksSchema,
  correct: correctSchema.optional(),
  secret: z.array(z.string()).optional(),
});

/**
 * Checks the input once a call, and gives the operation what the schema makes of it.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @throws InputRejectedError when called with an input that is refused: every finding at once, nothing called
 * @example
 * const greet = guard(z.object({ name: z.string() }))(async ({ name }) => `Hello ${name}`);
 * console.log(await greet({ name: "Ada" })); // → Hello Ada
 */
export function guard<S extends AnySchema>(
  schema: S,
  options: GuardOptions<Out<S>> = {},
  seams?: Partial<Seams>,
): Guard<In<S>, Out<S>> {
  if (!isSchema(schema))
    throw new OptionsInvalidError("guard", [{ path: "schema", got: schema, wanted: "a Standard Schema" }]);
  const given = parseOptions("guard", guardSchema, options);
  return wrapperOf(guardSpec(schema, given, toolsOf(seams)), seams) as unknown as Guard<In<S>, Out<S>>;
}

export function guardSpec(
  schema: AnySchema | undefined,
  given: z.output<typeof guardSchema>,
  tools: Tools,
  at = "",
): LayerSpec {
  const live = new LiveOptions((written) => parseOptions("guard", guardSchema, written), given);
  let { check, correct, options } = partsOf(schema, live.now, tools.name, at);
  live.changedBy((changed) => {
    const next = partsOf(schema, changed, tools.name, "");
    return () => {
      ({ check, correct, options } = next);
    };
  });

  /** `given` is the caller's, `input` what corrections have made of it. */
  function ask(attempt: Attempt, given: unknown, input: unknown, used: Set<Rule> | undefined): unknown {
    let checked: Checked | Promise<Checked>;
    try {
      checked = check(input, attempt.context, given);
    } catch (error) {
      return failed(attempt.context, given, error);
    }
    if (!(checked instanceof Promise)) return conclude(attempt, given, input, checked, used);
    return checked.then(
      // of a call that has ended meanwhile nothing more is told
      (done) => (attempt.context.signal.aborted ? input : conclude(attempt, given, input, done, used)),
      (error) => failed(attempt.context, given, error),
    );
  }

  function conclude(
    attempt: Attempt,
    given: unknown,
    input: unknown,
    checked: Checked,
    already: Set<Rule> | undefined,
  ): unknown {
    if (checked.findings === undefined) return checked.value;
    const { context } = attempt;
    const used = already ?? new Set<Rule>();
    const corrected = correct?.(input, checked, used);
    if (corrected === undefined) return reject(context, findingsIn(given, checked, options));
    for (const { path, rule } of corrected.made) {
      (context as Context<AttemptRecord>)[ATTEMPT].call.more.correct(path, rule);
      tools.emit(context, "input.corrected", { path, rule });
    }
    return ask(attempt, given, corrected.input, used);
  }

  /** A function of the user's threw, and that is what the caller hears; unless the input could not even be read. */
  function failed(context: CallContext, given: unknown, error: unknown): never {
    const finding = unreadable(given, error);
    if (finding === undefined) throw error;
    return reject(context, [veiled(finding, options.secret ?? [])]);
  }

  function reject(context: CallContext, issues: readonly Finding[]): never {
    tools.emit(context, "input.rejected", { issues });
    return tools.refuse(stackless(() => new InputRejectedError(context.name, issues)));
  }

  return {
    kind: "guard",
    get options() {
      return { ...live.now, ...(schema !== undefined && { schema }) };
    },
    live,
    layer: {
      bracket: {
        before(attempt) {
          const { secret } = live.now;
          if (secret !== undefined) veil(attempt as AttemptRecord, secret);
          return ask(attempt, attempt.input, attempt.input, undefined);
        },
      },
    },
  };
}

/** What it works with, made of its options. */
function partsOf(
  schema: AnySchema | undefined,
  options: z.output<typeof guardSchema>,
  name: string | undefined,
  at: string,
) {
  const rejects = (issues: readonly Finding[]) => new OptionsInvalidError(name ?? "guard", under(at, issues));
  const correct = options.correct && correctorOf(schema, options.correct, rejects);
  return { check: checker(schema, options.checks), correct, options };
}

/** Where an output may be kept for a person, so is what may be shown of the input: as it came, for that is what the paths are of. */
function veil({ call, input }: AttemptRecord, secret: readonly string[]): void {
  if (!call.stack.keepers.some(({ keeps }) => keeps)) return;
  const outer = call.rare?.veiled;
  call.more.veiled = outer ? { ...outer, secret: [...outer.secret, ...secret] } : { input, secret };
}

/** All findings, each with what the caller gave, what is wanted, and what would do. */
function findingsIn(given: unknown, { issues, findings }: Refused, options: z.output<typeof guardSchema>): Finding[] {
  const { secret = [], correct = {} } = options;
  if (issues === undefined) return findings.map((finding) => veiled(finding, secret));
  return issues.flatMap((issue) =>
    findingsOf([issue], given).map((finding) => {
      const path = finding.path ?? "";
      const fix = fixOf(issue, Object.hasOwn(correct, path) ? correct[path] : undefined);
      return veiled(fix === undefined ? finding : { ...finding, fix }, secret, issue);
    }),
  );
}

function under(at: string, issues: readonly Finding[]): Finding[] {
  return issues.map((issue) => ({ ...issue, path: `${at}correct.${issue.path}` }));
}
