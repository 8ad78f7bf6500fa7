// What comes out: a schema and checks, before anything is delivered.
import { z } from "zod";
import { type Check, type Checked, checker, checksSchema } from "../core/checks.ts";
import { OutputRejectedError, stackless } from "../core/errors.ts";
import type { CallContext, Duration, Operation, Protected } from "../core/operation.ts";
import type { AnySchema, Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";

export interface GateOptions<T> {
  /** What the schema cannot say; all are asked, all findings are told. */
  checks?: ReadonlyArray<Check<T>> | undefined;
  /** Not built yet: throws when declared. */
  benchmark?: { latency?: Duration | undefined; bytes?: number | undefined; money?: number | undefined } | undefined;
  /** Not built yet: throws when declared. */
  repair?: ReadonlyArray<"json" | ((raw: unknown) => unknown)> | undefined;
  /** When nothing is left to try. `"throw"`; the others are not built yet and throw when declared. */
  onReject?: "throw" | "review" | { await: Duration } | undefined;
}

export interface Gate<O> {
  <I>(operation: Operation<I, unknown>): Protected<I, O>;
  readonly kind: "gate";
}

export const gateSchema = z.strictObject({
  checks: checksSchema,
  benchmark: z.never({ error: "no `benchmark` yet: it is not built" }).optional(),
  repair: z.never({ error: "no `repair` yet: it is not built" }).optional(),
  onReject: z.literal("throw", { error: '"throw": review is not built yet' }).optional(),
});

/**
 * Checks what the operation gave, and gives the caller what the schema makes of it; a refused output is a failure of
 * kind `quality`, tried again by a retry outside with the findings in `context.previous`.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @throws OutputRejectedError when called and the output is refused
 * @example
 * const answer = gate(z.object({ n: z.number() }))(async (text: string) => JSON.parse(text));
 * console.log((await answer('{"n":1}')).n); // → 1
 */
export function gate<S extends AnySchema>(
  schema: S,
  options: GateOptions<Out<S>> = {},
  seams?: Partial<Seams>,
): Gate<Out<S>> {
  const given = parseOptions("gate", gateSchema, options);
  return wrapperOf(gateSpec(schema, given, toolsOf(seams)), seams) as unknown as Gate<Out<S>>;
}

export function gateSpec(schema: AnySchema | undefined, options: z.output<typeof gateSchema>, tools: Tools): LayerSpec {
  const check = checker(schema, options.checks);

  function conclude(context: CallContext, output: unknown, checked: Checked): unknown {
    if ("value" in checked) return checked.value;
    const { findings } = checked;
    tools.emit(context, "output.rejected", { attempt: context.attempt, findings });
    return tools.refuse(stackless(() => new OutputRejectedError(context.name, findings, output)));
  }

  return {
    kind: "gate",
    options: { ...options, ...(schema !== undefined && { schema }) },
    layer: {
      bracket: {
        judge({ context }, output) {
          const checked = check(output, context);
          return checked instanceof Promise
            ? checked.then((done) => conclude(context, output, done))
            : conclude(context, output, checked);
        },
      },
    },
  };
}
