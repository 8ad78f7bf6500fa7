// What comes out, before anything is delivered: its benchmark, whether it is whole, repairs, the schema, checks.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { type Check, type Checked, checker, checksSchema } from "../core/checks.ts";
import { spanSchema } from "../core/duration.ts";
import { endingOf } from "../core/ending.ts";
import { OptionsInvalidError, OutputRejectedError, stackless } from "../core/errors.ts";
import type { Attempt } from "../core/layer.ts";
import type { Duration, Operation, Protected } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { type AnySchema, isSchema, type Out } from "../core/schema.ts";
import type { Seams } from "../core/seams.ts";
import type { LayerSpec } from "../core/stack.ts";
import { isStream } from "../core/streams.ts";
import { unreadable } from "../core/unreadable.ts";
import type { Finding } from "../core/verdict.ts";
import { parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";
import { type Benchmark, benchmarkSchema, measure } from "./benchmark.ts";
import { bounded } from "./feedback.ts";
import { type Repair, type Repaired, repairer } from "./repair.ts";
import { declareForm } from "./review/queue.ts";
import { remember } from "./review/rejected.ts";
import { faultIn } from "./unjudged.ts";

export interface GateOptions<T, I = unknown> {
  /** What the schema cannot say, of the output and of what was asked; all are asked, all findings are told. They must not write to it: it is what is delivered. See `judge` for those that score. */
  checks?: ReadonlyArray<Check<T, I>> | undefined;
  /** What an answer may cost at most. `latency`: from the operation's start; `bytes`: of its text, else its JSON; `money`: as `context.cost` told it, or `prices` made it, of this attempt and what it began; not judged where none is known. */
  benchmark?: Benchmark | undefined;
  /** What makes it readable, asked of every output in this order before the schema is. `"json"`: text, or the text of a model's answer, becomes what its JSON says. What is cut off is never repaired. */
  repair?: ReadonlyArray<Repair> | undefined;
  /**
   * When the call is about to end without a value. `"throw"`, the default: it fails. `"review"`: the output that was refused
   * last is kept for a person, and the call rejects with a `ReviewPendingError`. `{ await }`: kept likewise, and the
   * person's verdict is waited for so long, within the deadline. What becomes of a verdict that comes later: `reviews`.
   */
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
  onReject: z
    .union([z.enum(["throw", "review"]), z.strictObject({ await: spanSchema })], {
      error: '"throw", "review" or { await: a duration }',
    })
    .optional(),
});

/**
 * Checks what the operation gave, and gives the caller what the schema makes of it; a refused output is a failure of
 * kind `quality`, tried again by a retry outside with the findings in `context.previous`. What a model cut off at its
 * limit, or refused (`contentFiltered`), is not asked again here, but elsewhere; what a judge failed on is not asked again.
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
  if (schema !== undefined && !isSchema(schema))
    throw new OptionsInvalidError("gate", [{ path: "schema", got: schema, wanted: "a Standard Schema" }]);
  const given = parseOptions("gate", gateSchema, options);
  return wrapperOf(gateSpec(schema, given, toolsOf(seams)), seams) as unknown as Gate<Out<S>>;
}

export function gateSpec(schema: AnySchema | undefined, given: z.output<typeof gateSchema>, tools: Tools): LayerSpec {
  const live = new LiveOptions((written) => parseOptions("gate", gateSchema, written), given);
  /** An output that is lost already is worth no second opinion. */
  const inspectForm = checker(schema);
  let { benchmark, inspect, reads, repair, waitMs } = partsOf(schema, live.now, tools.name);
  live.changedBy({
    change: (options) => {
      const next = partsOf(schema, options, tools.name);
      return () => {
        ({ benchmark, inspect, reads, repair, waitMs } = next);
      };
    },
  });

  function check(attempt: Attempt, output: unknown, value: unknown, found: readonly Finding[]): unknown {
    let checked: Checked | Promise<Checked>;
    try {
      checked = (found.length === 0 ? inspect : inspectForm)(value, attempt.context, attempt.input);
    } catch (error) {
      return failed(attempt, output, value, error, found);
    }
    return checked instanceof Promise
      ? checked.then(
          (done) => conclude(attempt, output, value, done, found),
          (error) => failed(attempt, output, value, error, found),
        )
      : conclude(attempt, output, value, checked, found);
  }

  /** A function of the user's threw, and that is what the caller hears; unless the output could not even be read. */
  function failed(attempt: Attempt, output: unknown, value: unknown, error: unknown, found: readonly Finding[]): never {
    const finding = unreadable(value, error);
    if (finding === undefined) throw error;
    return reject(attempt, output, [...found, finding], { value, fits: false });
  }

  function conclude(
    attempt: Attempt,
    output: unknown,
    value: unknown,
    checked: Checked,
    found: readonly Finding[],
  ): unknown {
    if (checked.findings === undefined)
      return found.length === 0 ? checked.value : reject(attempt, output, found, { value: checked.value, fits: true });
    const form = "made" in checked ? { value: checked.made, fits: true } : { value, fits: false };
    const fault = found.length === 0 ? faultIn(checked.findings) : undefined;
    if (fault !== undefined) return reject(attempt, output, checked.findings, form, "unjudged", fault.error);
    return reject(attempt, output, [...found, ...checked.findings], form);
  }

  function goOn(attempt: Attempt, output: unknown, repaired: Repaired, found: readonly Finding[]): unknown {
    if ("finding" in repaired)
      return reject(attempt, output, [...found, repaired.finding], { value: output }, repaired.reason);
    for (const repair of repaired.by) tools.emit(attempt.context, "output.repaired", { repair });
    return check(attempt, output, repaired.value, found);
  }

  /** `form`: how far the gate came with it. */
  function reject(
    attempt: Attempt,
    output: unknown,
    found: readonly Finding[],
    form: { readonly value: unknown; readonly fits?: boolean },
    reason?: OutputRejectedError["reason"],
    cause?: unknown,
  ): never {
    const { context } = attempt;
    const findings = bounded(found);
    tools.emit(context, "output.rejected", { attempt: context.attempt, findings });
    if (waitMs !== undefined) {
      const refused = { raw: output, output: form.value, fits: form.fits, findings, reason };
      remember(attempt as AttemptRecord, schema, refused, waitMs);
    }
    return tools.refuse(stackless(() => new OutputRejectedError(context.name, findings, output, reason, cause)));
  }

  return {
    kind: "gate",
    get options() {
      return { ...live.now, ...(schema !== undefined && { schema }) };
    },
    live,
    get keeps() {
      return waitMs !== undefined || (live.now.checks?.length ?? 0) > 0;
    },
    layer: {
      bracket: {
        judge(attempt, output) {
          // measured first: what the checks take is no time of the operation's
          const found = benchmark === undefined ? nothing : measure(benchmark, attempt, output, tools);
          const ending = endingOf(output);
          if (ending !== undefined)
            return reject(attempt, output, [...found, ending.finding], { value: output }, ending.reason);
          if (reads && streams(output)) return reject(attempt, output, [...found, streamed], { value: output });
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
function partsOf(
  schema: AnySchema | undefined,
  { benchmark, checks, onReject, repair }: z.output<typeof gateSchema>,
  name: string | undefined,
) {
  const waitMs = waitOf(onReject);
  if (waitMs !== undefined && name !== undefined) declareForm(name, schema);
  return {
    benchmark,
    inspect: checker(schema, checks, "gate.checks"),
    /** Whether it is read by others than the schema, which may want a stream. */
    reads: checks !== undefined || repair !== undefined,
    repair: repair?.length ? repairer(repair) : undefined,
    waitMs,
  };
}

/** Ms that a call waits for a person; `undefined`: nothing is kept for one. */
function waitOf(onReject: z.output<typeof gateSchema>["onReject"]): number | undefined {
  if (typeof onReject === "object") return onReject.await;
  return onReject === "review" ? 0 : undefined;
}

function streams(output: unknown): boolean {
  if (typeof output !== "object" || output === null) return false;
  try {
    return isStream(output);
  } catch {
    return false; // a proxy that throws: what reads it says so
  }
}

const nothing: readonly Finding[] = [];
const streamed: Finding = {
  got: "a stream",
  wanted: "an output that can be read again: collect the stream in the operation and give what it held",
};
