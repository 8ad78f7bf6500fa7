// What goes in: a schema and checks, before anything is called.
import { z } from "zod";
import { type Check, type Checked, checker, checksSchema } from "../core/checks.ts";
import { InputRejectedError, stackless } from "../core/errors.ts";
import type { Attempt } from "../core/layer.ts";
import type { CallContext, Operation, Protected } from "../core/operation.ts";
import type { AnySchema, In, Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";

/** What corrects an input; not built yet: a declaration that names one throws. */
export type Correction =
  | "trim"
  | "coerce"
  | "clamp"
  | "default"
  | { clamp: readonly [min: number, max: number] }
  | { default: unknown }
  | ((value: unknown) => unknown);

export interface GuardOptions<T> {
  /** What the schema cannot say: cross-field rules, look-ups; all are asked, all findings are told. */
  checks?: ReadonlyArray<Check<T>> | undefined;
  /** By path. Not built yet: throws when declared. */
  correct?: Readonly<Record<string, Correction>> | undefined;
  /** Paths whose values are shown nowhere. */
  secret?: readonly string[] | undefined;
}

export interface Guard<I, I2> {
  <O>(operation: Operation<I2, O>): Protected<I, O>;
  readonly kind: "guard";
}

export const guardSchema = z.strictObject({
  checks: checksSchema,
  correct: z.never({ error: "no `correct` yet: corrections are not built" }).optional(),
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
  const given = parseOptions("guard", guardSchema, options);
  return wrapperOf(guardSpec(schema, given, toolsOf(seams)), seams) as unknown as Guard<In<S>, Out<S>>;
}

export function guardSpec(
  schema: AnySchema | undefined,
  options: z.output<typeof guardSchema>,
  tools: Tools,
): LayerSpec {
  const check = checker(schema, options.checks);
  const secret = options.secret ?? [];

  function conclude(context: CallContext, checked: Checked): unknown {
    if ("value" in checked) return checked.value;
    const issues = checked.findings.map((finding) => veiled(finding, secret));
    tools.emit(context, "input.rejected", { issues });
    return tools.refuse(stackless(() => new InputRejectedError(context.name, issues)));
  }

  return {
    kind: "guard",
    options: { ...options, ...(schema !== undefined && { schema }) },
    layer: {
      bracket: {
        before({ input, context }: Attempt) {
          const checked = check(input, context);
          return checked instanceof Promise
            ? checked.then((done) => conclude(context, done))
            : conclude(context, checked);
        },
      },
    },
  };
}

function veiled(finding: Finding, secret: readonly string[]): Finding {
  const { path = "" } = finding;
  const hidden = secret.some(
    (one) => path === one || path.startsWith(`${one}.`) || one.startsWith(`${path}.`) || path === "",
  );
  return hidden && "got" in finding ? { ...finding, got: "[secret]" } : finding;
}
