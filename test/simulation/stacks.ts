// A plan of a stack, built.

import { stackOf } from "../../src/core/stack.ts";
import {
  type BreakerState,
  breaker,
  deadline,
  fallback,
  gate,
  guard,
  type Operation,
  type Protected,
  protect,
  retry,
  timeout,
} from "../../src/index.ts";
import { simulated } from "../../src/testing/simulation/simulated.ts";
import { Answer, answers, answersLater, type Question, questions, questionsLater } from "./answers.ts";
import { isPredictable } from "./expected.ts";
import type { BreakerPlan, ByHand, Checks, Layers, RetryPlan, StackPlan, TierPlan } from "./plan.ts";

type Ask = Operation<Question, unknown>;
type Call = Protected<Question, unknown>;

/** A breaker of which it is known what stands behind it. */
export interface WatchedBreaker {
  readonly plan: BreakerPlan;
  readonly state: () => BreakerState;
  /** Of the calls that it is part of. */
  readonly names: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  /** What limits each run, where one number does for all. */
  readonly timeout: number | undefined;
  /** Declared, of each call by its index. */
  readonly deadlines: readonly (number | undefined)[];
}

export interface Built {
  readonly calls: readonly Call[];
  /** The names of those that were declared not idempotent. */
  readonly onceOnly: ReadonlySet<string>;
  readonly breakers: readonly WatchedBreaker[];
  /** What each call declares, where nothing else decides how it goes. */
  readonly predictable?: readonly Layers[] | undefined;
  /** Of each call, by its index: whether its input is checked, and its output. */
  readonly checks: readonly { readonly guard: boolean | "of some tiers"; readonly gate: boolean }[];
}

export function build(plan: StackPlan): Built {
  const onceOnly = new Set<string>();
  const breakers: Built["breakers"][number][] = [];
  let services = 0;

  if (plan.kind === "policy") {
    const { calls, names } = policy(plan.shared, plan.layers);
    const all = plan.layers.map((layers) => over(plan.shared, layers));
    if (plan.shared.breaker) watch(plan.shared.breaker, calls, names, all);
    return { calls, onceOnly, breakers, predictable: predictable(all), checks: all.map(checksOf) };
  }
  if (plan.kind === "pipe") {
    const call = plan.layers.reduce<Ask>((inner, layer) => byHand(layer)(inner), service());
    return { calls: [call as Call], onceOnly, breakers, checks: [checksByHand(plan.layers)] };
  }
  const { layers, inside } = plan;
  const operation = inside === undefined ? service() : enclosing(inside);
  const calls = [declared("call", operation, layers)];
  if (inside === undefined && layers.breaker) watch(layers.breaker, calls, new Map([["call", "service 0"]]), [layers]);
  return {
    calls,
    onceOnly,
    breakers,
    predictable: inside === undefined ? predictable([layers]) : undefined,
    checks: [checksOf(layers)],
  };

  /** `names`: of the calls, each with its service. */
  function watch(
    plan: BreakerPlan,
    calls: readonly Call[],
    names: ReadonlyMap<string, string>,
    layers: readonly Layers[],
  ): void {
    const timeouts = new Set(layers.map(({ timeout }) => timeout));
    breakers.push({
      plan,
      state: stateOf(calls[0]),
      names: new Set(names.keys()),
      services: new Set(names.values()),
      timeout: timeouts.size === 1 ? layers[0]?.timeout : undefined,
      deadlines: layers.map(({ deadline }) => deadline),
    });
  }

  function service(): Ask {
    const name = `service ${services++}`;
    return simulated((question: Question) => new Answer(question, true), {
      name,
      lie: (question) => new Answer(question, false),
    });
  }

  function enclosing({ layers, how }: NonNullable<Extract<StackPlan, { kind: "protect" }>["inside"]>): Ask {
    const inner = declared("inner", service(), layers);
    if (how === "direct") return inner;
    return how === "context"
      ? (question, context) => inner(question, context)
      : (question, context) => inner(question, { ...context });
  }

  function declared(name: string, operation: Ask, layers: Layers): Call {
    if (layers.once) onceOnly.add(name);
    return protect(name, operation, options(layers));
  }

  function policy(shared: Layers, own: readonly Layers[]) {
    const common = protect.with("component", options({ ...shared, key: undefined }));
    const names = new Map<string, string>();
    const calls = own.map((layers, i) => {
      const name = `call ${i}`;
      if (layers.once ?? shared.once) onceOnly.add(name);
      names.set(name, `service ${services}`);
      const { breaker: _, ...rest } = layers;
      return common(name, service(), options(rest) as never) as Call;
    });
    return { calls, names };
  }

  function options(layers: Layers): object {
    const { tiers, gate, guard, once, key, breaker, retry: tries, ...limits } = layers;
    return {
      ...limits,
      ...(tries && { retry: { ...tries } }),
      ...(breaker && { breaker: breakerOptions(breaker) }),
      ...(guard && { input: guard === "now" ? questions : questionsLater }),
      ...(gate && { output: gate === "now" ? answers : answersLater }),
      ...(tiers && tiers.length > 0 && { fallback: tiers.map(tier) }),
      ...(once && { idempotent: false }),
      ...(key && { idempotencyKey: ({ n }: Question) => `key ${n}` }),
    };
  }

  function tier({ timeout: after, when, own }: TierPlan) {
    const name = `tier of service ${services}`;
    return {
      name,
      operation: own === undefined ? service() : declared(name, service(), own),
      ...(after !== undefined && { timeout: after }),
      ...(when !== undefined && { when: () => when === "always" }),
    };
  }

  function byHand(layer: ByHand): (inner: Ask) => Call {
    switch (layer.kind) {
      case "timeout":
        return timeout(layer.ms) as never;
      case "deadline":
        return deadline(layer.ms) as never;
      case "retry":
        return retry(layer.retry as RetryPlan) as never;
      case "breaker":
        return breaker(breakerOptions(layer.breaker)) as never;
      case "fallback":
        return fallback(layer.tiers.map(tier)) as never;
      case "gate":
        return gate(layer.checks === "now" ? answers : answersLater) as never;
      case "guard":
        return guard(layer.checks === "now" ? questions : questionsLater) as never;
    }
  }
}

/** The call's own over the policy's, option by option; the breaker is the policy's. */
function over(shared: Layers, own: Layers): Layers {
  const written = <T extends object>(given: T | undefined) =>
    Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as T;
  const all: Layers = { ...shared, ...written(own), breaker: shared.breaker };
  return shared.retry && own.retry ? { ...all, retry: { ...shared.retry, ...written(own.retry) } } : all;
}

function predictable(layers: readonly Layers[]): readonly Layers[] | undefined {
  return layers.every(isPredictable) ? layers : undefined;
}

/** What `explain` gives as a breaker's state, without the rest of it: it is asked after every step. */
function stateOf(call: unknown): () => BreakerState {
  const spec = stackOf(call)?.specs.find(({ kind }) => kind === "breaker");
  return spec?.layer.state as () => BreakerState;
}

function breakerOptions({ slow, ...rest }: BreakerPlan) {
  return { ...rest, ...(slow && { slowCallRate: slow.rate, slowCallDuration: slow.duration }) };
}

function checksOf({ guard, gate }: { guard?: Checks | undefined; gate?: Checks | undefined }) {
  return { guard: guard !== undefined, gate: gate !== undefined };
}

/** What a fallback lays outside a guard or a gate, they do not see. */
function checksByHand(layers: readonly ByHand[]): Built["checks"][number] {
  const at = (kind: ByHand["kind"]) => layers.findLastIndex((layer) => layer.kind === kind);
  const [guard, gate, tiers] = [at("guard"), at("gate"), at("fallback")];
  return { guard: guard >= 0 && (tiers < guard || "of some tiers"), gate: gate > tiers };
}
