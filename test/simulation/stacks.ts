// A plan of a stack, built.
import {
  type Breaker,
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
import type { BreakerPlan, ByHand, Checks, Layers, RetryPlan, StackPlan, TierPlan } from "./plan.ts";

type Ask = Operation<Question, unknown>;
type Call = Protected<Question, unknown>;

export interface Built {
  readonly calls: readonly Call[];
  /** The names of those that were declared not idempotent. */
  readonly onceOnly: ReadonlySet<string>;
  /** Breakers that a hand was laid on, with the plan and the name of the service behind. */
  readonly breakers: readonly { readonly breaker: Breaker; readonly plan: BreakerPlan; readonly service: string }[];
  /** Of each call, by its index: whether its input is checked, and its output. */
  readonly checks: readonly { readonly guard: boolean | "of some tiers"; readonly gate: boolean }[];
}

export function build(plan: StackPlan): Built {
  const onceOnly = new Set<string>();
  const breakers: Built["breakers"][number][] = [];
  let services = 0;

  if (plan.kind === "policy") {
    const { calls } = policy(plan.shared, plan.layers);
    return { calls, onceOnly, breakers, checks: plan.layers.map((layers) => checksOf({ ...plan.shared, ...layers })) };
  }
  if (plan.kind === "pipe") {
    const call = plan.layers.reduce<Ask>((inner, layer) => byHand(layer)(inner), service());
    return { calls: [call as Call], onceOnly, breakers, checks: [checksByHand(plan.layers)] };
  }
  const { layers, inside } = plan;
  const operation = inside === undefined ? service() : enclosing(inside);
  return { calls: [declared("call", operation, layers)], onceOnly, breakers, checks: [checksOf(layers)] };

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
    return {
      calls: own.map((layers, i) => {
        const name = `call ${i}`;
        if (layers.once ?? shared.once) onceOnly.add(name);
        const { breaker: _, ...rest } = layers;
        return common(name, service(), options(rest) as never) as Call;
      }),
    };
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

  function tier({ timeout: after, when, own }: TierPlan, index: number) {
    const name = `tier ${index + 1}`;
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
