// The declaration: the one file that knows every primitive, and the order in which they stand (docs/order.md).
import { z } from "zod";
import { adaptiveLimit, adaptiveLimitSchema } from "./call/adaptiveLimit.ts";
import { breaker, breakerSchema } from "./call/breaker.ts";
import { budgetOf, budgetSchema, layerOf } from "./call/budget.ts";
import { bulkhead, bulkheadSchema } from "./call/bulkhead.ts";
import { cache, cacheSchema } from "./call/cache.ts";
import { deadlineSpec } from "./call/deadline.ts";
import { hedge, hedgeSchema } from "./call/hedge.ts";
import { rateLimit, rateLimitSchema } from "./call/rateLimit.ts";
import { retry, retrySchema } from "./call/retry.ts";
import { shed, shedSchema } from "./call/shed.ts";
import { timeoutSpec } from "./call/timeout.ts";
import { isBudget } from "./core/budget.ts";
import { limitSchema } from "./core/duration.ts";
import { protectedBy } from "./core/enter.ts";
import { OptionsInvalidError } from "./core/errors.ts";
import { SHARED } from "./core/explain.ts";
import { stack } from "./core/fuse.ts";
import type { CallContext, CallOptions, Duration, Operation, Protected } from "./core/operation.ts";
import { isPlain, merged, written } from "./core/options.ts";
import { type AnySchema, isSchema } from "./core/schema.ts";
import type { Seams } from "./core/seams.ts";
import { type LayerSpec, type Stack, stackOf } from "./core/stack.ts";
import type { Classify } from "./core/verdict.ts";
import { functionSchema, optionsOf, wanted } from "./core/wanted.ts";
import { baseOf, parseOptions, specOf, toolsOf } from "./core/wrapper.ts";
import type { Policy, PolicyOptions, Protect } from "./declaration.ts";
import { fallbackSpec, tiersSchema } from "./fallback/fallback.ts";
import { Whole } from "./fallback/urgency/had.ts";
import { urgencySchema } from "./fallback/urgency/stages.ts";
import { allAtOnce, urgencyProblems, urgencySpec } from "./fallback/urgency.ts";
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

/** What a policy owns: its state is shared by its calls, and each may only switch it off. Primitives by their keys. */
const owned: Readonly<Record<string, (options: never, seams: Partial<Seams>) => unknown>> = {
  adaptiveLimit,
  breaker,
  bulkhead,
  rateLimit,
  budget: budgetOf,
};

/** What `declare` reads; the types of a declaration are for the call site, its schema is for this. */
type Given = Record<string, unknown>;
interface Shared {
  readonly component: string;
  readonly options: Given;
  /** What is run on the policy: its layers are those that its calls share, or whose options theirs stand over. */
  readonly onIt: Stack | undefined;
}

function policy(component: string, options: PolicyOptions): Policy {
  const given: Given = { ...options };
  parseOptions(component, ofPolicySchema, given);
  const seams = { ...(given.seams as Partial<Seams> | undefined), name: component };
  for (const [key, make] of Object.entries(owned))
    if (isPlain(given[key]) || typeof given[key] === "number") given[key] = make(given[key] as never, seams);
  const shared: Shared = { component, options: given, onIt: undefined };
  // one stack for all that is run on it: its input is the operation
  const onIt = declare(
    component,
    (run: Operation<void, unknown>, context) => run(undefined, context),
    shared,
    undefined,
  );
  const sharing = { ...shared, onIt: stackOf(onIt) };
  const made: Protect = (name, operation, own) => declare(name, operation as never, sharing, own) as never;
  const run = (operation: (context: CallContext) => Promise<unknown>, said?: CallOptions) => {
    if (typeof operation !== "function") {
      const issue = { path: "operation", got: operation, wanted: "a function" };
      return Promise.reject(new OptionsInvalidError(component, [issue]));
    }
    return onIt(((_: undefined, context: CallContext) => operation(context)) as never, said);
  };
  return Object.assign(made, { component, run, [SHARED]: stackOf(onIt) }) as Policy;
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
  const said: Given = { ...own };
  const given = shared === undefined ? said : overPolicy(name, shared, said);
  const options = allAtOnce(name, urgencyProblems(given, operation), () => parseOptions(name, callSchema, given));
  const seams = { ...options.seams, name };
  const tools = toolsOf(seams);
  const base = baseOf(operation, name);
  const layer = (key: string, make: (options: never) => LayerSpec | undefined) => {
    const spec = specIn(given[key], make);
    const below = shared?.onIt?.specs.find(({ kind }) => kind === key)?.live;
    // a wrapper made before stands for itself, on either side
    const inherits = typeof given[key] !== "function" && typeof shared?.options[key] !== "function";
    if (below !== undefined && inherits) spec?.live?.inherit(below, said[key]);
    return spec === undefined ? [] : [spec];
  };
  const time = layer("timeout", (after: Duration) => timeoutSpec(after));
  const judged = options.output !== undefined || options.gate !== undefined;
  const gate = judged ? [gateSpec(options.output, options.gate ?? {}, tools)] : [];
  const budget = given.budget ? budgetOf(given.budget, seams) : undefined;
  const specs: LayerSpec[] = [
    ...base.specs,
    ...time,
    ...layer("bulkhead", (given: number) => specOf(bulkhead(given, seams))),
    ...layer("adaptiveLimit", (given: object) => specOf(adaptiveLimit(given, seams))),
    ...layer("rateLimit", (given: never) => specOf(rateLimit(given, seams))),
    ...layer("breaker", (given: object) => specOf(breaker(given, seams))),
    ...gate,
    ...layer("hedge", (given: object) => specOf(hedge(given, seams))),
    ...(budget === undefined ? [] : [layerOf(budget)]),
    ...layer("retry", (given: object) => specOf(retry(given, seams))),
  ];
  if (options.fallback) {
    const tierShape = (ms: number | undefined, declared: boolean) => [
      ...(ms !== undefined ? [timeoutSpec(ms)] : declared ? [] : time),
      ...gate,
    ];
    specs.push(fallbackSpec(options.fallback, undefined, tierShape, tools));
  }
  const known = layer("cache", (given: never) => specOf(cache(given, seams)));
  const whole = layer("deadline", (within: Duration) => deadlineSpec(within));
  if (options.urgency !== undefined)
    specs.push(urgencySpec(name, options.urgency, new Whole(specs, known[0], whole[0])));
  specs.push(...layer("shed", (given: object) => specOf(shed(given, seams))));
  if (options.idempotencyKey !== undefined) specs.push(keySpec(options.idempotencyKey));
  specs.push(...known);
  if (options.input !== undefined || options.guard !== undefined)
    specs.push(guardSpec(options.input, options.guard ?? {}, tools, "guard."));
  specs.push(...whole);
  const { classify, criticality, idempotent, discard } = options;
  const component = shared?.component ?? name;
  const ofPolicy = specs.filter((spec) => shared?.onIt?.specs.includes(spec));
  const traits = {
    name,
    component,
    seams: base.seams.with(seams),
    declared: true,
    gated: judged,
    budget,
    owned: ofPolicy,
  };
  return protectedBy(
    stack(base.operation, specs, { ...traits, classify, criticality, discard, idempotent: idempotent ?? true }),
  );
}

/** The call's own keys over the policy's, option by option; what the policy owns may only be switched off. */
function overPolicy(name: string, { component, options, onIt }: Shared, own: Given): Given {
  const wanted = `false or nothing: it belongs to the policy "${component}"`;
  const taken = Object.keys(owned).filter((key) => options[key] && own[key] !== undefined && own[key] !== false);
  if (taken.length > 0)
    throw new OptionsInvalidError(
      name,
      taken.map((path) => ({ path, got: own[path], wanted })),
    );
  const all: Given = { ...options };
  // as they are now: a policy may have been changed since it was made
  for (const { kind, live } of onIt?.specs ?? [])
    if (live !== undefined && !isMade(options[kind])) all[kind] = live.written;
  for (const [key, value] of Object.entries(written(own))) all[key] = merged(all[key], value);
  return all;
}

/** A wrapper, or a budget, made before: it stands for itself. */
function isMade(given: unknown): boolean {
  return typeof given === "function" || isBudget(given);
}

/** What a key of the declaration lays: nothing, a wrapper made before, or one made of its options. */
function specIn(given: unknown, make: (options: never) => LayerSpec | undefined): LayerSpec | undefined {
  if (given === undefined || given === false) return undefined;
  return typeof given === "function" ? specOf(given) : make(given as never);
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
        const such = optionsOf(options);
        const message = `${kind === "adaptiveLimit" ? "an" : "a"} ${kind}, its options, or false${such ? `; options are ${such}` : ""}`;
        context.addIssue({ code: "custom", message, input: given });
      } else {
        const { error } = options.safeParse(given, { error: wanted });
        for (const issue of error?.issues ?? []) context.addIssue({ ...issue } as never);
      }
    })
    .optional();
}

const policySchema = z.strictObject({
  deadline: key("deadline", limitSchema),
  timeout: key("timeout", limitSchema),
  retry: key("retry", retrySchema),
  hedge: key("hedge", hedgeSchema),
  breaker: key("breaker", breakerSchema),
  adaptiveLimit: key("adaptiveLimit", adaptiveLimitSchema),
  bulkhead: key("bulkhead", bulkheadSchema),
  rateLimit: key("rateLimit", rateLimitSchema),
  budget: z.preprocess((given) => (given === false || isBudget(given) ? undefined : given), budgetSchema.optional()),
  shed: key("shed", shedSchema),
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
  cache: key("cache", cacheSchema),
  fallback: z.preprocess((given) => (given === false ? undefined : given), tiersSchema.optional()),
  urgency: urgencySchema.optional(),
  idempotencyKey: functionSchema<(input: never) => string>().optional(),
  discard: functionSchema<(value: unknown) => unknown>().optional(),
});

/** What is a call's own: a policy has one component's state, and neither an answer to judge nor other ways to one. */
const ofPolicySchema = policySchema.extend({
  ...Object.fromEntries(
    Object.keys(callSchema.shape)
      .filter((key) => !(key in policySchema.shape))
      .map((key) => [key, notHere(key)]),
  ),
  urgency: notHere("urgency", "its stages start what a call has, its tiers, its cache and its hedge, so "),
});

function notHere(key: string, why = "") {
  const error = `nothing here: ${why}a call says it, \`policy(name, operation, { ${key} })\``;
  return z.undefined({ error }).optional();
}
