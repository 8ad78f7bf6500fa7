// New options while running: checked whole, all or nothing, with an undo.
import type { Bulkhead, BulkheadOptions } from "./call/bulkhead.ts";
import type { CacheOptions } from "./call/cache.ts";
import type { RateLimit, RateLimitOptions } from "./call/rateLimit.ts";
import { isBudget } from "./core/budget.ts";
import { HoldfastError, OptionsInvalidError } from "./core/errors.ts";
import { sharedBy } from "./core/explain.ts";
import type { Protected } from "./core/operation.ts";
import { type Coming, isPlain, type Laid, type LiveOptions, type Plan } from "./core/options.ts";
import { type Stack, stackOf } from "./core/stack.ts";
import type { Finding } from "./core/verdict.ts";
import type { Policy, PolicyOptions } from "./declaration.ts";
import type { UrgencyStage } from "./fallback/urgency.ts";
import type { GuardOptions } from "./input/guard.ts";
import type { GateOptions } from "./output/gate.ts";

/**
 * What may be changed of a call, or of a policy, while it runs: by layer, what is written; the rest stays as it is. Add
 * your own wrappers by their kind: `declare module "holdfast" { interface Change { atMost?: { calls: number } } }`
 */
export interface Change extends Omit<PolicyOptions, "bulkhead" | "rateLimit"> {
  bulkhead?: number | Partial<BulkheadOptions> | Bulkhead | false | undefined;
  rateLimit?: RateLimitOptions | RateLimit | false | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a call's schemas make of its values is not in its type
  guard?: GuardOptions<any> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  gate?: GateOptions<any> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  cache?: Partial<CacheOptions<any>> | undefined;
  /** All stages anew. */
  urgency?: readonly UrgencyStage[] | undefined;
}

interface Meant {
  readonly live: LiveOptions;
  readonly options: object;
}

/** One layer, what is laid over its options, and how to take that away again. */
interface Step {
  readonly layer: string;
  readonly live: LiveOptions;
  readonly laid: Laid;
}

/**
 * Changes options while calls run: all that is written, or nothing where any of it cannot be. Calls in flight finish; what
 * was counted stays counted. A policy is changed for all its calls. Gives the undo of this one change, whatever came after.
 * @throws OptionsInvalidError with every problem and its path; nothing is changed then. The undo throws it likewise where
 * later changes cannot stand without this one
 * @example
 * const user = protect("user", async (id: string) => ({ id }), { timeout: "2s", retry: { attempts: 3 } });
 * const undo = configure(user, { timeout: "5s", retry: { base: "50ms" } });
 * console.log(explain(user)[1]?.options); // → { after: 5000 }
 * undo();
 */
export function configure(call: Protected<never, unknown> | Policy, change: Change): () => void {
  const policy = sharedBy(call);
  const stack = policy ?? stackOf(call);
  if (stack === undefined)
    throw new OptionsInvalidError("configure", [{ path: "call", got: call, wanted: wantedOf(call) }]);
  if (!isPlain(change) || Array.isArray(change))
    throw new OptionsInvalidError(stack.name, [{ got: change, wanted: "options by layer" }]);
  const problems: Finding[] = [];
  const steps = Object.entries(change).flatMap(([key, given]) => {
    if (given === undefined) return [];
    const found = layerOf(stack, key, given, policy !== undefined);
    const written = "wanted" in found ? given : withoutSchema(given, found.options);
    if ("wanted" in found) problems.push(found);
    return "wanted" in found ? [] : [{ layer: key, live: found.live, laid: { written } }];
  });
  make(stack, steps, (live, laid, coming) => live.lay(laid, coming), problems);
  return () => make(stack, steps, (live, laid, coming) => live.lift(laid, coming));
}

function wantedOf(given: unknown): string {
  const inside = typeof given === "function" ? ": of `settled(call)` the call itself" : "";
  return `a protected call, or a policy${inside}`;
}

/** `explain` shows the schema beside the options: said again as it is, it changes nothing. */
function withoutSchema(given: unknown, shown: object): unknown {
  if (!isPlain(given) || !("schema" in given) || !("schema" in shown) || given.schema !== shown.schema) return given;
  const { schema: _, ...options } = given;
  return options;
}

/** The layer that a key means, or why there is none to be changed. */
function layerOf(stack: Stack, key: string, written: unknown, isPolicy: boolean): Meant | Finding {
  const path = key;
  const no = (wanted: string): Finding => ({ path, got: written, wanted });
  const all = stack.specs.filter(({ kind }) => kind === key);
  // what is declared stands round what was laid by hand before
  const found = stack.declared ? all.slice(-1) : all;
  const [spec] = found;
  if (spec === undefined) return no(missing(stack, key, isPolicy));
  if (found.length > 1)
    return no(
      `a layer that there is once, not ${found.length} times: change what was made before the others were added`,
    );
  if (!isPolicy && stack.owned.includes(spec))
    return no(`nothing: it belongs to the policy "${stack.component}", and is changed there for all its calls`);
  if (written === false || typeof written === "function" || isBudget(written)) return no(`options${instead(key)}`);
  const { live, options } = spec;
  return live?.canChange ? { live, options } : no("nothing: it has no options that can be changed while it runs");
}

function missing({ specs }: Stack, key: string, isPolicy: boolean): string {
  const whose = isPolicy ? "this policy" : "this call";
  if (declared.has(key)) return `nothing: that is said of ${whose} where it is made, and stays`;
  const has =
    specs.length === 0
      ? "no layers"
      : specs
          .map(({ kind }) => kind)
          .toReversed()
          .join(", ");
  return `nothing: ${whose} has ${has}, and gets no other layers while it runs. Declare it where ${whose} is made`;
}

/** What is declared and is no layer, or none with options. */
const declared = new Set([
  ...["input", "output", "fallback", "idempotent", "idempotencyKey", "classify", "criticality", "discard", "seams"],
]);

function instead(key: string): string {
  const off = key === "breaker" ? ': `mode: "off"` lets all pass' : "";
  return `: a layer stays where it was built${off}`;
}

/** Checks all of them first; then makes all of them, and tells what is different. */
function make(
  stack: Stack,
  steps: readonly Step[],
  plan: (live: LiveOptions, laid: Laid, coming: Coming) => Plan,
  problems: readonly Finding[] = [],
): void {
  const found = [...problems];
  const coming: Coming = new Map();
  // what leans on other layers comes after them
  const inOrder = steps.toSorted((a, b) => Number(a.live.leans) - Number(b.live.leans));
  const plans = inOrder.flatMap(({ layer, live, laid }) => {
    try {
      return [{ layer, plan: plan(live, laid, coming) }];
    } catch (error) {
      if (!HoldfastError.is(error, "OPTIONS_INVALID")) throw error;
      for (const issue of error.issues) found.push({ ...issue, path: issue.path ? `${layer}.${issue.path}` : layer });
      return [];
    }
  });
  for (const live of coming.keys()) found.push(...live.disputes(coming));
  if (found.length > 0) throw new OptionsInvalidError(stack.name, found);
  const changed = plans.filter(({ plan }, at) => {
    try {
      return plan.make();
    } catch (error) {
      for (const { plan } of plans.slice(0, at + 1).toReversed()) plan.back();
      throw error;
    }
  });
  const { name, component, seams } = stack;
  if (seams.events.quiet) return;
  const about = { name, component, stack };
  for (const { layer } of changed) seams.events.emit("options.changed", { layer }, about);
}
