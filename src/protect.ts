// The declaration: the one file that knows every primitive, and the order in which they stand (docs/order.md).
import { z } from "zod";
import { breaker, breakerSchema } from "./call/breaker.ts";
import { deadlineSpec } from "./call/deadline.ts";
import { retry, retrySchema } from "./call/retry.ts";
import { timeoutSpec } from "./call/timeout.ts";
import { limitSchema, toMs } from "./core/duration.ts";
import { protectedBy } from "./core/enter.ts";
import { OptionsInvalidError } from "./core/errors.ts";
import { SHARED } from "./core/explain.ts";
import { stack } from "./core/fuse.ts";
import type { CallContext, CallOptions, Duration, Operation, Protected } from "./core/operation.ts";
import { type AnySchema, isSchema } from "./core/schema.ts";
import type { Seams } from "./core/seams.ts";
import { type LayerSpec, stackOf } from "./core/stack.ts";
import type { Classify } from "./core/verdict.ts";
import { functionSchema, wanted } from "./core/wanted.ts";
import { baseOf, parseOptions, specOf, toolsOf } from "./core/wrapper.ts";
import type { Policy, PolicyOptions, Protect } from "./declaration.ts";
import { fallbackSpec, tiersSchema } from "./fallback/fallback.ts";
import { guardSchema, guardSpec } from "./input/guard.ts";
import { gateSchema, gateSpec } from "./output/gate.ts";

/**
 * What a call to a service should have, to spread into a declaration: 30 s in all, 10 s an attempt, three attempts, a breaker.
 * @example
 * const user = protect("user", async (id: string) => ({ id }), { ...standard, timeout: "2s" });
 */
export const standard = Object.freeze({
  deadline: "30s",
  timeout: "10s",
  retry: Object.freeze({ attempts: 3 }),
  breaker: Object.freeze({}),
} as const satisfies PolicyOptions);

/**
 * Protects a call by what is declared of it; holdfast knows the order. Only the keys that are written are built.
 * `protect.with` makes a policy: one component's options and state, shared by many calls.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const user = protect("user", async (id: string) => ({ id }), {
 *   deadline: "5s",
 *   timeout: "2s",
 *   retry: { attempts: 3 },
 *   fallback: [async (id) => ({ id })],
 * });
 * console.log(await user("ada")); // → { id: 'ada' }
 */
export const protect: Protect & { with(component: string, options: PolicyOptions): Policy } = Object.assign(
  ((name, operation, options) => declare(name, operation, undefined, options)) as Protect,
  { with: policy },
);

/** What `declare` reads; the types of a declaration are for the call site, its schema is for this. */
type Given = Record<string, unknown>;
interface Shared {
  readonly component: string;
  readonly options: Given;
}

function policy(component: string, options: PolicyOptions): Policy {
  const given: Given = { ...options };
  parseOptions(component, policySchema, given);
  const seams = { ...(given.seams as Partial<Seams> | undefined), name: component };
  if (isPlain(given.breaker)) given.breaker = breaker(given.breaker, seams);
  const shared: Shared = { component, options: given };
  const made: Protect = (name, operation, own) => declare(name, operation as never, shared, own) as never;
  // one stack for all that is run on it: its input is the operation
  const onIt = declare(
    component,
    (run: Operation<void, unknown>, context) => run(undefined, context),
    shared,
    undefined,
  );
  const run = (operation: (context: CallContext) => Promise<unknown>, said?: CallOptions) => {
    if (typeof operation !== "function") {
      const issue = { path: "operation", got: operation, wanted: "a function" };
      return Promise.reject(new OptionsInvalidError(component, [issue]));
    }
    return onIt(((_: undefined, context: CallContext) => operation(context)) as never, said);
  };
  const explained = () => stackOf(onIt)?.specs.toReversed() ?? [];
  return Object.assign(made, { component, run, [SHARED]: explained }) as Policy;
}

/** Lays what is declared round the operation: innermost first, the reverse of the order in which a call meets it. */
function declare(
  name: string,
  operation: Operation<never, unknown>,
  shared: Shared | undefined,
  own: object | undefined,
): Protected<unknown, unknown> {
  if (typeof name !== "string" || name === "")
    throw new OptionsInvalidError("protect", [{ path: "name", got: name, wanted: "a name" }]);
  const given = shared === undefined ? { ...own } : merged(name, shared, { ...own });
  const options = parseOptions(name, callSchema, given);
  const seams = { ...options.seams, name };
  const tools = toolsOf(seams);
  const base = baseOf(operation, name);
  const time = specIn(given.timeout, (after) => timeoutSpec(toMs(after as Duration)));
  const judged = options.output !== undefined || options.gate !== undefined;
  const gate = judged ? [gateSpec(options.output, options.gate ?? {}, tools)] : [];
  const specs: LayerSpec[] = [
    ...base.specs,
    ...time,
    ...specIn(given.breaker, (raw) => specOf(breaker(raw as object, seams))),
    ...gate,
    ...specIn(given.retry, (raw) => specOf(retry(raw as object, seams))),
  ];
  if (options.fallback) {
    const tierShape = (ms: number | undefined, declared: boolean) => [
      ...(ms !== undefined ? [timeoutSpec(ms)] : declared ? [] : time),
      ...gate,
    ];
    specs.push(fallbackSpec(options.fallback, undefined, tierShape, tools));
  }
  if (options.idempotencyKey !== undefined) specs.push(keySpec(options.idempotencyKey));
  if (options.input !== undefined || options.guard !== undefined)
    specs.push(guardSpec(options.input, options.guard ?? {}, tools, "guard."));
  specs.push(...specIn(given.deadline, (within) => deadlineSpec(toMs(within as Duration))));
  const { classify, criticality, idempotent, discard } = options;
  const component = shared?.component ?? name;
  const traits = { name, component, seams: base.seams.with(seams), declared: true, gated: judged };
  return protectedBy(
    stack(base.operation, specs, { ...traits, classify, criticality, discard, idempotent: idempotent ?? true }),
  );
}

/** The call's own keys over the policy's, option by option; what the policy owns may only be switched off. */
function merged(name: string, { component, options }: Shared, own: Given): Given {
  if (options.breaker && own.breaker !== undefined && own.breaker !== false) {
    const wanted = `false or nothing: it belongs to the policy "${component}"`;
    throw new OptionsInvalidError(name, [{ path: "breaker", got: own.breaker, wanted }]);
  }
  const all: Given = { ...options };
  for (const [key, value] of Object.entries(written(own))) {
    const common = options[key];
    all[key] = isPlain(value) && isPlain(common) ? { ...common, ...written(value) } : value;
  }
  return all;
}

/** What says something: an `undefined` stands over nothing. */
function written(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function isPlain(given: unknown): given is Given {
  return typeof given === "object" && given !== null;
}

/** What a key of the declaration lays: nothing, a wrapper made before, or one made of its options. */
function specIn(given: unknown, make: (options: unknown) => LayerSpec | undefined): readonly LayerSpec[] {
  if (given === undefined || given === false) return [];
  const spec = typeof given === "function" ? specOf(given) : make(given);
  return spec === undefined ? [] : [spec];
}

/** One key a call, read from the input as the guard gave it on; the caller's own goes first. */
function keySpec(idempotencyKey: (input: never) => string): LayerSpec {
  return {
    kind: "idempotencyKey",
    options: { idempotencyKey },
    layer: {
      bracket: {
        before({ input, context }) {
          const own = context as { idempotencyKey: string | undefined };
          own.idempotencyKey ??= idempotencyKey(input as never);
          return input;
        },
      },
    },
  };
}

/** A key of the declaration: off, a wrapper of that kind made before, or the primitive's options. */
function key(kind: string, options: z.ZodType) {
  return z
    .unknown()
    .superRefine((given, context) => {
      if (given === undefined || given === false) return;
      if (typeof given === "function" || (options instanceof z.ZodObject && typeof given !== "object")) {
        if (specOf(given)?.kind === kind) return;
        context.addIssue({ code: "custom", message: `a ${kind}, its options, or false`, input: given });
      } else {
        const { error } = options.safeParse(given, { error: wanted });
        for (const issue of error?.issues ?? []) context.addIssue({ ...issue } as never);
      }
    })
    .optional();
}

function notYet(name: string) {
  return z.literal(false, { error: `no ${name} yet: it is not built` }).optional();
}

const policySchema = z.strictObject({
  deadline: key("deadline", limitSchema),
  timeout: key("timeout", limitSchema),
  retry: key("retry", retrySchema),
  breaker: key("breaker", breakerSchema),
  bulkhead: notYet("bulkhead"),
  idempotent: z.boolean().optional(),
  classify: functionSchema<Classify>().optional(),
  criticality: z.enum(["critical", "normal", "sheddable", "background"]).optional(),
  seams: z.custom<Partial<Seams>>(isPlain, { error: "an object" }).optional(),
});

const schema = z.custom<AnySchema>(isSchema, { error: "a Standard Schema" }).optional();
const callSchema = policySchema.extend({
  input: schema,
  guard: guardSchema.optional(),
  output: schema,
  gate: gateSchema.optional(),
  cache: notYet("cache"),
  fallback: z.preprocess((given) => (given === false ? undefined : given), tiersSchema.optional()),
  idempotencyKey: functionSchema<(input: never) => string>().optional(),
  discard: functionSchema<(value: unknown) => unknown>().optional(),
});
