// What goes in: a schema and checks, before anything is called.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { type Check, type Checked, checker, checksSchema, type Refused } from "../core/checks.ts";
import { ATTEMPT, type Context } from "../core/context.ts";
import { InputRejectedError, OptionsInvalidError, stackless } from "../core/errors.ts";
import type { Attempt } from "../core/layer.ts";
import type { CallContext, Operation, Protected } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { stepsOf } from "../core/paths.ts";
import { type AnySchema, findingsOf, type In, isSchema, type Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { unreadable } from "../core/unreadable.ts";
import { isZod } from "../core/validate.ts";
import type { Finding } from "../core/verdict.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";
import { byPath, correctorOf, correctSchema, keysOf, listed, type Used } from "./correct.ts";
import { fixOf } from "./fix.ts";
import { mayHave } from "./known.ts";
import type { Corrections, ZodIssue } from "./rules.ts";
import { veil } from "./secret.ts";

export interface GuardOptions<T> {
  /** What the schema cannot say: cross-field rules, look-ups; all are asked, all findings are told. They must not write to the value: it is what the operation gets. */
  checks?: ReadonlyArray<Check<T>> | undefined;
  /**
   * By path (`"words"`, `"lines.0.price"`, `"lines.*.price"` for every item or key, `""` for the input itself): how a value
   * that was refused is put right, by a rule or a list of them. Runs only where the input was refused, on a copy, and then
   * all is checked again.
   * `"trim"`, `"coerce"`, `"clamp"` (numbers, bigints and dates, to the bound) and `"default"` read zod's own issues and
   * schema; with another vendor's schema give the value: `{ clamp: [min, max] }`, `{ default: value }`, or a function.
   */
  correct?: Readonly<Record<string, Corrections>> | undefined;
  /** Paths, written like those of `correct`, whose values are shown nowhere: not in errors, events, story or review. */
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
 * Checks the input once a call, after corrections anew (a schema's own transforms run then once more), and gives the
 * operation what the schema makes of it.
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
  live.changedBy({
    change: (changed) => {
      const next = partsOf(schema, changed, tools.name, "");
      return () => {
        ({ check, correct, options } = next);
      };
    },
  });

  /** `given` is the caller's, `input` what corrections have made of it. */
  function ask(attempt: Attempt, given: unknown, input: unknown, used: Used | undefined): unknown {
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
    already: Used | undefined,
  ): unknown {
    if (checked.findings === undefined) return checked.value;
    const { context } = attempt;
    const used = already ?? new Map();
    const corrected = correct?.(input, checked, used);
    if (corrected === undefined) return reject(context, findingsIn(schema, given, checked, options));
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
    // what a getter of a secret value throws may repeat it
    const issue = { message: "", expected: "something that can be read" };
    const source = { issue, keys: stepsOf(finding.path ?? ""), ownWords: false };
    return reject(context, [veil(options.secret ?? [], [])(finding, source)]);
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
    schema,
    layer: {
      bracket: {
        before(attempt) {
          const { secret } = live.now;
          if (secret !== undefined) hideInReview(attempt as AttemptRecord, secret);
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
  const rejects = (issues: readonly Finding[]) => new OptionsInvalidError(name ?? "guard", issues);
  const nowhere = (options.secret ?? []).flatMap((path, i) => {
    if (!isZod(schema) || mayHave(schema, stepsOf(path))) return [];
    return [{ path: `${at}secret.${i}`, got: path, wanted: "a path that the schema knows" }];
  });
  if (nowhere.length > 0) throw rejects(nowhere);
  const correct = options.correct && correctorOf(schema, options.correct, (issues) => rejects(under(at, issues)));
  return { check: checker(schema, options.checks, "guard.checks"), correct, options };
}

/** Where the input may be shown to a person or a judge, so is what may be shown of it: as it came, for that is what the paths are of. */
function hideInReview({ call, input }: AttemptRecord, secret: readonly string[]): void {
  if (!call.stack.keepers.some(({ keeps }) => keeps)) return;
  const outer = call.rare?.veiled;
  call.more.veiled = outer ? { ...outer, secret: [...outer.secret, ...secret] } : { input, secret };
}

/** All findings, each with what the caller gave, what is wanted, and what would do. */
function findingsIn(
  schema: AnySchema | undefined,
  given: unknown,
  { issues, findings, made }: Refused,
  { secret = [], correct = {} }: z.output<typeof guardSchema>,
): Finding[] {
  const hide = veil(secret, [given, made]);
  if (issues === undefined) return findings.map((finding) => hide(finding));
  const rulesAt = byPath(correct);
  return issues.flatMap((issue) => {
    const keys = keysOf(issue).map(String);
    const fix = fixOf(issue, listed(rulesAt(keys) ?? []));
    const source = { issue, keys, ownWords: isZod(schema) && (issue as ZodIssue).code !== "custom" };
    return findingsOf([issue], given).map((finding) => hide(fix === undefined ? finding : { ...finding, fix }, source));
  });
}

function under(at: string, issues: readonly Finding[]): Finding[] {
  return issues.map((issue) => ({ ...issue, path: `${at}correct.${issue.path}` }));
}
