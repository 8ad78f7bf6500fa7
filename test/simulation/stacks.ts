// A plan of a stack, built.

import { stackOf } from "../../src/core/stack.ts";
import {
  adaptiveLimit,
  type BreakerState,
  breaker,
  bulkhead,
  cache,
  deadline,
  fallback,
  gate,
  guard,
  hedge,
  type Operation,
  type Protected,
  protect,
  rateLimit,
  retry,
  shed,
  timeout,
} from "../../src/index.ts";
import { simulated } from "../../src/testing/simulation/simulated.ts";
import { Answer, answers, answersLater, type Question, questions, questionsLater } from "./answers.ts";
import { type Declared, isPredictable } from "./expected.ts";
import type {
  BreakerPlan,
  ByHand,
  CachePlan,
  Checks,
  HedgePlan,
  Hostile,
  Inside,
  Layers,
  RateLimitPlan,
  RetryPlan,
  ShedPlan,
  StackPlan,
  TierPlan,
} from "./plan.ts";
import type {
  AdaptiveLimitState,
  BulkheadState,
  Held,
  RateLimitState,
  WatchedAdaptiveLimit,
  WatchedBreaker,
  WatchedBudget,
  WatchedBulkhead,
  WatchedCall,
  WatchedRateLimit,
} from "./watched.ts";

type Ask = Operation<Question, unknown>;
type Call = Protected<Question, unknown>;

export interface Built {
  readonly calls: readonly Call[];
  readonly bulkheads: readonly WatchedBulkhead[];
  /** Of every bulkhead: empty in the end. */
  readonly places: readonly (() => Held)[];
  /** What a user's own `discard` was given, where there is one. */
  readonly dropped: readonly unknown[];
  /** Of each call, by its index, where it has a cache. */
  readonly caches: readonly (CachePlan | undefined)[];
  /** Whether the cache stands where a declaration lays it. */
  readonly inOrder?: boolean | undefined;
  /** The names of those that were declared not idempotent. */
  readonly onceOnly: ReadonlySet<string>;
  readonly breakers: readonly WatchedBreaker[];
  readonly rateLimits?: readonly WatchedRateLimit[] | undefined;
  readonly adaptiveLimits?: readonly WatchedAdaptiveLimit[] | undefined;
  readonly budgets?: readonly WatchedBudget[] | undefined;
  /** Those whose operation is a service. */
  readonly watchedCalls?: readonly WatchedCall[] | undefined;
  /** What each call declares, where nothing else decides how it goes. */
  readonly predictable?: readonly Declared[] | undefined;
  /** What each call declares, where a service is directly behind it. */
  readonly declared?: readonly Layers[] | undefined;
  /** The stages of each call, by its index. */
  readonly urgent?: readonly Layers["urgency"][] | undefined;
  /** What changes take: of a call by its index, or of its policy. */
  readonly changed: (call: number) => unknown;
  /** Of each call, by its index: whether its input is checked, and its output. */
  readonly checks: readonly { readonly guard: boolean | "of some tiers"; readonly gate: boolean }[];
}

export function build(plan: StackPlan, hostile?: Hostile): Built {
  const onceOnly = new Set<string>();
  const breakers: WatchedBreaker[] = [];
  const bulkheads: WatchedBulkhead[] = [];
  const places: (() => Held)[] = [];
  const dropped: unknown[] = [];
  const rateLimits: WatchedRateLimit[] = [];
  const adaptiveLimits: WatchedAdaptiveLimit[] = [];
  const budgets: WatchedBudget[] = [];
  const watchedCalls: WatchedCall[] = [];
  const loads = { rateLimits, adaptiveLimits, budgets, watchedCalls };
  const common = { onceOnly, breakers, bulkheads, places, dropped, ...loads };
  let services = 0;
  let asked = 0;

  if (plan.kind === "policy") {
    const all = plan.layers.map((layers) => over(plan.shared, layers));
    const { calls, component } = policy(plan.shared, plan.layers);
    return {
      ...common,
      calls,
      changed: (call) => (call === 0 ? component : calls[call]),
      declared: all,
      predictable: predictable(all),
      urgent: all.map(({ urgency }) => urgency),
      checks: all.map(checksOf),
      caches: cachesOf(all),
    };
  }
  if (plan.kind === "pipe") {
    const call = plan.layers.reduce<Ask>((inner, layer) => byHand(layer)(inner), service()) as Call;
    for (const { kind, layer } of stackOf(call)?.specs ?? [])
      if (holds.has(kind)) places.push((() => layer.state?.()) as never);
    const [kept] = plan.layers.filter((layer) => layer.kind === "cache");
    return {
      ...common,
      calls: [call],
      changed: () => call,
      checks: [checksByHand(plan.layers)],
      caches: [kept?.cache],
      inOrder: false,
    };
  }
  const { layers, inside } = plan;
  const name = inside === undefined ? `service ${services}` : undefined;
  const operation = inside === undefined ? service() : enclosing(inside);
  const call = declared("call", operation, layers, name);
  if (name !== undefined && layers.breaker) watch(layers.breaker, [call], new Map([["call", name]]), [layers]);
  return {
    ...common,
    calls: [call],
    changed: () => call,
    declared: inside === undefined ? [layers] : undefined,
    predictable: predictable([{ ...layers, inside }]),
    urgent: [layers.urgency],
    checks: [checksOf(layers)],
    caches: cachesOf([layers]),
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
      state: stateOf(calls[0], "breaker") as () => BreakerState,
      names: new Set(names.keys()),
      services: new Set(names.values()),
      timeout: timeouts.size === 1 ? layers[0]?.timeout : undefined,
      waits: layers.some(
        ({ bulkhead, cache, rateLimit }) => queues(bulkhead) || cache !== undefined || rateLimit !== undefined,
      ),
      shares: layers.some(({ cache }) => cache !== undefined),
      hedges: layers.some(({ hedge, urgency }) => (hedge ?? urgency) !== undefined),
      deadlines: layers.map(({ deadline }) => deadline),
    });
  }

  /** The same for every play of a plan: it throws at every third time. */
  function sometimes<T>(throws: boolean, given: T): T {
    if (throws && ++asked % 3 === 0) throw new Error("thrown by a function of the user's");
    return given;
  }

  function again(outcome: { readonly ok: boolean }): boolean {
    return sometimes(true, !outcome.ok);
  }

  function service(name = `service ${services++}`): Ask {
    return simulated((question: Question) => new Answer(question, true), {
      name,
      lie: (question) => new Answer(question, false),
    });
  }

  function enclosing({ layers, how }: Inside): Ask {
    const behind = `service ${services}`;
    const inner = declared("inner", service(), layers, behind);
    if (how === "direct") return inner;
    return how === "context"
      ? (question, context) => inner(question, context)
      : (question, context) => inner(question, { ...context });
  }

  /** `behind`: the service that is its operation, where one is. */
  function declared(name: string, operation: Ask, layers: Layers, behind: string | undefined): Call {
    if (layers.once) onceOnly.add(name);
    const call = protect(name, operation, options(layers, behind ?? name)) as Call;
    watchLoad(layers, call, behind === undefined ? undefined : new Map([[name, behind]]), layers);
    if (behind !== undefined) watchedCalls.push({ name, layers, services: withOthers(behind) });
    return call;
  }

  /** `names`: of the calls, each with its service, where one is directly behind it; `all`: what stands round those, too. */
  function watchLoad(layers: Layers, call: Call, names: ReadonlyMap<string, string> | undefined, all: Layers): void {
    const { bulkhead, rateLimit, adaptiveLimit, budget } = layers;
    const told = { names: new Set(names?.keys()), services: new Set(names?.values()), waits: queues(all.bulkhead) };
    if (bulkhead) {
      const state = stateOf(call, "bulkhead") as () => BulkheadState;
      places.push(state);
      if (names !== undefined) bulkheads.push({ plan: bulkhead, state, services: told.services });
    }
    if (rateLimit) {
      const state = stateOf(call, "rateLimit") as () => RateLimitState;
      places.push(state);
      if (names !== undefined)
        rateLimits.push({
          plan: rateLimit,
          state,
          refuses: (bulkhead ?? adaptiveLimit ?? all.breaker) !== undefined,
          ...told,
        });
    }
    if (adaptiveLimit) {
      const state = stateOf(call, "adaptiveLimit") as () => AdaptiveLimitState;
      places.push(state);
      if (names !== undefined)
        adaptiveLimits.push({ plan: adaptiveLimit, state, sheds: all.shed !== undefined, ...told });
    }
    if (budget && names !== undefined)
      budgets.push({ plan: budget, state: stateOf(call, "budget") as never, names: told.names });
  }

  function policy(shared: Layers, own: readonly Layers[]) {
    const { discard: _, ...common } = options({ ...shared, key: undefined }, "of all") as {
      readonly discard?: unknown;
    };
    const component = protect.with("component", common);
    const names = new Map<string, string>();
    const calls = own.map((layers, i) => {
      const name = `call ${i}`;
      if (layers.once ?? shared.once) onceOnly.add(name);
      names.set(name, `service ${services}`);
      const behind = names.get(name) as string;
      const { breaker: _b, bulkhead: _p, rateLimit: _r, adaptiveLimit: _a, budget: _t, ...rest } = layers;
      const call = component(name, service(), options(rest, behind) as never) as Call;
      const all = over(shared, layers);
      watchedCalls.push({ name, layers: all, services: withOthers(behind) });
      return call;
    });
    const sheds = [shared, ...own].find(({ shed }) => shed !== undefined)?.shed;
    watchLoad(shared, calls[0] as Call, names, { ...shared, shed: sheds });
    if (shared.breaker)
      watch(
        shared.breaker,
        calls,
        names,
        own.map((layers) => over(shared, layers)),
      );
    return { calls, component };
  }

  /** `behind`: what its operation is called. */
  function options(layers: Layers, behind: string): object {
    const {
      tiers,
      gate,
      guard,
      once,
      key,
      breaker,
      cache: kept,
      bulkhead,
      retry: tries,
      hedge,
      shed,
      ...others
    } = layers;
    const { rateLimit: rate, ...limits } = others;
    return {
      ...limits,
      ...(rate && { rateLimit: rateLimitOptions(rate) }),
      ...(hedge && { hedge: hedgeOptions(hedge, behind) }),
      ...(shed && { shed: shedOptions(shed) }),
      ...(tries && { retry: { ...tries, ...(hostile === "when" && { when: again }) } }),
      ...(breaker && { breaker: { ...breakerOptions(breaker), ...(hostile === "breaker.when" && { when: again }) } }),
      ...(bulkhead && { bulkhead: { ...bulkhead } }),
      ...(kept && { cache: cacheOptions(kept) }),
      ...(guard && { input: guard === "now" ? questions : questionsLater }),
      ...(gate && { output: gate === "now" ? answers : answersLater }),
      ...(tiers && tiers.length > 0 && { fallback: tiers.map(tier) }),
      ...(once && { idempotent: false }),
      ...(key && {
        idempotencyKey: ({ n }: Question) => `key ${sometimes(hostile === "key", n)}`,
      }),
      ...(hostile === "classify" && {
        classify: (seen: unknown, standard: (seen: unknown) => unknown) => sometimes(true, standard(seen)),
      }),
      ...(hostile === "discard" && { discard: (value: unknown) => sometimes(true, dropped.push(value)) }),
    };
  }

  function hedgeOptions({ to, ...rest }: HedgePlan, behind: string) {
    return { ...rest, ...(to && { to: [service(`${behind}, elsewhere`)] }) };
  }

  function tier({ timeout: after, when, own }: TierPlan) {
    const behind = `service ${services}`;
    const name = `tier of ${behind}`;
    return {
      name,
      operation: own === undefined ? service() : declared(name, service(), own, behind),
      ...(after !== undefined && { timeout: after }),
      ...(when !== undefined && { when: () => sometimes(hostile === "tier.when", when === "always") }),
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
      case "cache":
        return cache(cacheOptions(layer.cache)) as never;
      case "bulkhead":
        return bulkhead({ ...layer.bulkhead }) as never;
      case "hedge":
        return hedge(hedgeOptions(layer.hedge, "by hand")) as never;
      case "rateLimit":
        return rateLimit(rateLimitOptions(layer.rateLimit)) as never;
      case "adaptiveLimit":
        return adaptiveLimit(layer.adaptiveLimit as never) as never;
      case "shed":
        return shed(shedOptions(layer.shed)) as never;
      case "fallback":
        return fallback(layer.tiers.map(tier)) as never;
      case "gate":
        return gate(layer.checks === "now" ? answers : answersLater) as never;
      case "guard":
        return guard(layer.checks === "now" ? questions : questionsLater) as never;
    }
  }
}

/** The call's own over the policy's, option by option; what a policy owns is the policy's. */
function over(shared: Layers, own: Layers): Layers {
  const written = <T extends object>(given: T | undefined) =>
    Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as T;
  const merged = <T extends object>(below: T | undefined, given: T | undefined) =>
    below === undefined && given === undefined ? undefined : ({ ...below, ...written(given) } as T);
  const { breaker, bulkhead, rateLimit, adaptiveLimit, budget } = shared;
  return {
    ...shared,
    ...written(own),
    ...{ breaker, bulkhead, rateLimit, adaptiveLimit, budget },
    retry: merged(shared.retry, own.retry),
    hedge: merged(shared.hedge, own.hedge),
    shed: merged(shared.shed, own.shed),
  };
}

function predictable(declared: readonly Declared[]): readonly Declared[] | undefined {
  return declared.every(isPredictable) ? declared : undefined;
}

/** What `explain` gives as a layer's state, without the rest of it: it is asked after every step. */
function stateOf(call: unknown, kind: string): () => unknown {
  const spec = stackOf(call)?.specs.find((one) => one.kind === kind);
  return () => spec?.layer.state?.();
}

/** A service, and those whom hedges ask in its place: of the call's own, or of its policy's. */
function withOthers(service: string): ReadonlySet<string> {
  return new Set([service, `${service}, elsewhere`, "of all, elsewhere"]);
}

/** Whether one may wait there. */
function queues(bulkhead: Layers["bulkhead"]): boolean {
  return (bulkhead?.queue ?? 0) > 0;
}

/** Layers that hold what has to be empty in the end. */
const holds: ReadonlySet<string> = new Set(["bulkhead", "rateLimit", "adaptiveLimit"]);

function rateLimitOptions({ limit, per, burst, ...rest }: RateLimitPlan) {
  return { requests: { limit, per, ...(burst !== undefined && { burst }) }, ...rest };
}

function shedOptions({ pressure, tenants, eventLoopDelay }: ShedPlan) {
  return {
    ...(eventLoopDelay !== undefined && { eventLoopDelay }),
    ...(pressure !== undefined && { measure: () => pressure }),
    ...(tenants !== undefined && { fairBy: ({ n }: Question) => `tenant ${n % tenants}` }),
  };
}

function cacheOptions({ keys, ...options }: CachePlan) {
  return { ...options, key: ({ n }: Question) => `question ${n % keys}` };
}

function cachesOf(layers: readonly Layers[]): readonly (CachePlan | undefined)[] {
  return layers.map(({ cache }) => cache);
}

function breakerOptions({ slow, ...rest }: BreakerPlan) {
  return { ...rest, ...(slow && { slowCallRate: slow.rate, slowCallDuration: slow.duration }) };
}

function checksOf({ guard, gate }: { guard?: Checks | undefined; gate?: Checks | undefined }) {
  return { guard: guard !== undefined, gate: gate !== undefined };
}

/** What a fallback lays outside a guard or a gate, they do not see; and no guard what a hedge asks elsewhere. */
function checksByHand(layers: readonly ByHand[]): Built["checks"][number] {
  const at = (kind: ByHand["kind"]) => layers.findLastIndex((layer) => layer.kind === kind);
  const [guard, gate, tiers] = [at("guard"), at("gate"), at("fallback")];
  const elsewhere = layers.findLastIndex((layer) => layer.kind === "hedge" && layer.hedge.to === true);
  return { guard: guard >= 0 && (Math.max(tiers, elsewhere) < guard || "of some tiers"), gate: gate > tiers };
}
