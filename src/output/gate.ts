// What comes out, before anything is delivered: its benchmark, whether it is whole, repairs, the schema, checks.
import { z } from "zod";
import { type Check, type Checked, checker, checksSchema } from "../core/checks.ts";
import { OutputRejectedError, stackless } from "../core/errors.ts";
import type { Attempt } from "../core/layer.ts";
import type { CallContext, Duration, Operation, Protected } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import type { AnySchema, Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";
import { type Ending, endingOf } from "./answer.ts";
import { type Benchmark, benchmarkSchema, measure } from "./benchmark.ts";
import { bounded } from "./feedback.ts";
import { type Repair, type Repaired, repairer } from "./repair.ts";

export interface GateOptions<T, I = unknown> {
  /** What the schema cannot say, of the output and of what was asked; all are asked, all findings are told. See `judge` for those that score. */
  checks?: ReadonlyArray<Check<T, I>> | undefined;
  /** What an answer may cost at most. `latency`: from the operation's start; `bytes`: of its text, else its JSON; `money`: as `context.cost` told it, or `prices` made it, of this attempt and what it began; not judged where none is known. */
  benchmark?: Benchmark | undefined;
  /** What makes it readable, asked of every output in this order before the schema is. `"json"`: text, or the text of a model's answer, becomes what its JSON says. What is cut off is never repaired. */
  repair?: ReadonlyArray<Repair> | undefined;
  /** When nothing is left to try. `"throw"`; the others are not built yet and throw when declared. */
  onReject?: "throw" | "review" | { await: Duration } | undefined;
}

export interface Gate<O> {
  <I>(operation: Operation<I, unknown>): Protected<I, O>;
  readonly kind: "gate";
}

export const gateSchema = z.strictObject({
  checks: checksSchema,
  benchmark: benchmarkSchema.optional(),
  repair: z
    .array(
      z.custom<Repair>((given) => given === "json" || typeof given === "function", { error: '"json" or a function' }),
    )
    .optional(),
  onReject: z.literal("throw", { error: '"throw": review is not built yet' }).optional(),
});

/**
 * Checks what the operation gave, and gives the caller what the schema makes of it; a refused output is a failure of
 * kind `quality`, tried again by a retry outside with the findings in `context.previous`. What a model cut off at its
 * limit, or refused (`contentFiltered`), is not asked again here, but elsewhere.
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

export function gateSpec(schema: AnySchema | undefined, given: z.output<typeof gateSchema>, tools: Tools): LayerSpec {
  const live = new LiveOptions((written) => parseOptions("gate", gateSchema, written), given);
  /** An output that is lost already is worth no second opinion. */
  const inspectForm = checker(schema);
  let { benchmark, inspect, repair } = partsOf(schema, live.now);
  live.changedBy((options) => {
    const next = partsOf(schema, options);
    return () => {
      ({ benchmark, inspect, repair } = next);
    };
  });

  function check({ context, input }: Attempt, output: unknown, value: unknown, found: readonly Finding[]): unknown {
    const checked = (found.length === 0 ? inspect : inspectForm)(value, context, input);
    return checked instanceof Promise
      ? checked.then((done) => conclude(context, output, done, found))
      : conclude(context, output, checked, found);
  }

  function conclude(context: CallContext, output: unknown, checked: Checked, found: readonly Finding[]): unknown {
    if ("findings" in checked) return reject(context, output, [...found, ...checked.findings]);
    return found.length === 0 ? checked.value : reject(context, output, found);
  }

  function goOn(attempt: Attempt, output: unknown, repaired: Repaired, found: readonly Finding[]): unknown {
    const { context } = attempt;
    if ("finding" in repaired) return reject(context, output, [...found, repaired.finding], repaired.reason);
    for (const repair of repaired.by) tools.emit(context, "output.repaired", { repair });
    return check(attempt, output, repaired.value, found);
  }

  function reject(context: CallContext, output: unknown, found: readonly Finding[], reason?: Ending["reason"]): never {
    const findings = bounded(found);
    tools.emit(context, "output.rejected", { attempt: context.attempt, findings });
    return tools.refuse(stackless(() => new OutputRejectedError(context.name, findings, output, reason)));
  }

  return {
    kind: "gate",
    get options() {
      return { ...live.now, ...(schema !== undefined && { schema }) };
    },
    live,
    layer: {
      bracket: {
        judge(attempt, output) {
          // measured first: what the checks take is no time of the operation's
          const found = benchmark === undefined ? nothing : measure(benchmark, attempt, output, tools);
          const ending = endingOf(output);
          if (ending !== undefined) return reject(attempt.context, output, [...found, ending.finding], ending.reason);
          if (repair === undefined) return check(attempt, output, output, found);
          const repaired = repair(output);
          return repaired instanceof Promise
            ? repaired.then((done) => goOn(attempt, output, done, found))
            : goOn(attempt, output, repaired, found);
        },
      },
    },
  };
}

/** What it works with, made of its options. */
function partsOf(schema: AnySchema | undefined, { benchmark, checks, repair }: z.output<typeof gateSchema>) {
  return { benchmark, inspect: checker(schema, checks), repair: repair?.length ? repairer(repair) : undefined };
}

const nothing: readonly Finding[] = [];
