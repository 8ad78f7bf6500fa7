// Layers composed when wrappers are applied: specs in, one flat list of moments out.
import type { AttemptRecord } from "./attempt.ts";
import { ATTEMPT } from "./context.ts";
import { letsGoItsOwnWay } from "./discard.ts";
import { protectedBy } from "./enter.ts";
import type { Attempt, Bracket } from "./layer.ts";
import type { CallContext, Operation } from "./operation.ts";
import { enclosed, inside, scope } from "./scope.ts";
import {
  type FusedLayer,
  type Hearing,
  type Hedging,
  type InnerRecovery,
  type LayerSpec,
  type Limit,
  type LimitingBracket,
  readyThrough,
  type Segment,
  type Stack,
  stackOf,
  type Traits,
} from "./stack.ts";
import type { Verdict } from "./verdict.ts";
import { promiseOf } from "./wayIn.ts";

const bare: FusedLayer = {
  kind: "",
  spec: undefined,
  timeout: undefined,
  before: undefined,
  started: undefined,
  after: undefined,
  judge: undefined,
  ended: undefined,
  ready: undefined,
  recover: undefined,
  hearing: undefined,
  elsewhere: undefined,
  around: undefined,
  room: undefined,
  load: undefined,
};

/** An operation with these layers round it, innermost first. */
export function segment(
  operation: Operation<never, unknown>,
  specs: readonly LayerSpec[],
  tier: number,
  tierName: string,
  inside?: Stack,
): Segment {
  const layers = specs.map((spec, at) => fused(spec, at, specs, inside));
  return {
    operation: operation as Operation<unknown, unknown>,
    layers,
    limits: layers.map((_, from) => limitFrom(layers, from)),
    starts: layers.some((layer) => layer.started !== undefined),
    lastRecovery: layers.findLastIndex((layer) => layer.recover !== undefined),
    keepers: specs.filter(({ keeps }) => keeps !== undefined),
    hearing: together(layers.flatMap(({ hearing }) => hearing ?? [])),
    tier,
    tierName,
  };
}

/** A whole call. The outermost deadline is the call's own; one with layers outside it is a scope. */
export function stack(operation: Operation<never, unknown>, specs: readonly LayerSpec[], traits: Traits): Stack {
  specs.forEach(({ layer }, i) => {
    if ("sharing" in layer) layer.sharing.fits(specs.slice(i + 1).find(({ schema }) => schema)?.schema, traits.name);
  });
  if (traits.discard !== undefined) letsGoItsOwnWay();
  const last = specs.at(-1);
  const own = last !== undefined && "limit" in last.layer && last.layer.limit === "call" ? last.layer : undefined;
  return { ...compose(operation, own === undefined ? specs : specs.slice(0, -1), traits), specs, deadline: own };
}

/** Outside a layer that calls share something inside of, what is inside is a call of its own: theirs together. */
function compose(operation: Operation<never, unknown>, specs: readonly LayerSpec[], traits: Traits): Stack {
  const at = specs.findLastIndex(({ layer }) => "sharing" in layer);
  const inside = at < 0 ? undefined : compose(operation, specs.slice(0, at), traits);
  const within = inside === undefined ? operation : protectedBy<never, unknown>(inside);
  const own = at < 0 ? specs : specs.slice(at);
  const first = segment(within, own, 0, nameOf(operation) ?? traits.name, inside);
  const tiers = own.flatMap(({ layer }) =>
    "recovery" in layer ? ((layer.recovery as InnerRecovery).tiers ?? []) : [],
  );
  const ends = [first, ...tiers].some(({ layers }) => layers.some((layer) => layer.ended !== undefined));
  return {
    ...traits, // may be a whole stack that more is laid round
    ...first,
    keepers: [...first.keepers, ...tiers.flatMap(({ keepers }) => keepers), ...(inside?.keepers ?? [])],
    specs,
    // as what is declared: past a gate goes no value that tells of a failure
    gated: traits.gated || specs.some(({ kind }) => kind === "gate"),
    deadline: undefined,
    // what is shared goes on in its own call
    recovers:
      first.lastRecovery >= 0 ||
      own.some(({ layer }) => "beside" in layer) ||
      first.layers.some(({ around }) => around !== undefined),
    ends,
    inside,
  };
}

/** What stands round another target too, as round a tier: breaker and limits are of the operation. */
const roundTargets: ReadonlySet<string> = new Set(["timeout", "gate"]);

/** The innermost time-out that stands at this layer or outside it. */
function limitFrom(layers: readonly FusedLayer[], from: number): Segment["limits"][number] {
  const at = layers.findIndex(({ timeout }, i) => i >= from && timeout !== undefined);
  return at < 0 ? undefined : { at, limit: (layers[at] as FusedLayer).timeout as Limit };
}

function together(hearing: readonly Hearing[]): Hearing | undefined {
  if (hearing.length < 2) return hearing[0];
  return {
    get hearsSuccess() {
      return hearing.some(({ hearsSuccess }) => hearsSuccess);
    },
  };
}

/** A call of its own that is the operation is the first tier by its own name. */
function nameOf(operation: unknown): string | undefined {
  const inner = stackOf(operation);
  return inner?.declared ? inner.name : undefined;
}

function fused(spec: LayerSpec, at: number, specs: readonly LayerSpec[], inner?: Stack): FusedLayer {
  const { kind, layer, foreign } = spec;
  if ("sharing" in layer) {
    const { sharing } = layer;
    return {
      ...bare,
      kind,
      spec,
      before: sharing.before.bind(sharing),
      load: (attempt) => sharing.load(attempt, inner as Stack),
      ready: (input, asking) =>
        sharing.has(input, asking) || inner === undefined
          ? 0
          : readyThrough(inner.layers, inner.layers.length, input, asking),
    };
  }
  if ("beside" in layer) return { ...bare, kind, spec, load: (attempt) => layer.beside.run(attempt, at) };
  if ("hedging" in layer) return { ...bare, kind, spec, ...hedged(layer.hedging, at, specs, inner?.specs) };
  if ("limit" in layer) {
    if (layer.limit === "attempt" && !enclosesMore(at, specs)) return { ...bare, kind, spec, timeout: layer };
    return { ...bare, kind, spec, around: (input, context) => scope(attemptOf(context, kind), at, layer, input) };
  }
  if ("around" in layer) {
    const within: Operation<unknown, unknown> = (input, context) =>
      inside(attemptOf(context, kind), at, input, context);
    return { ...bare, kind, spec, around: layer.around(within) };
  }
  if ("recovery" in layer) {
    const recovery: InnerRecovery = layer.recovery;
    return {
      ...bare,
      kind,
      spec,
      recover: recovering(recovery),
      ready: byInput(recovery),
      hearing: "hearsSuccess" in recovery ? recovery : undefined,
      elsewhere: recovery.elsewhere?.bind(recovery),
    };
  }
  const bracket: LimitingBracket = layer.bracket;
  return {
    ...bare,
    kind,
    spec,
    before: foreign ? awaitable(bracket, bracket.before) : bracket.before?.bind(bracket),
    started: bracket.started?.bind(bracket),
    after: bracket.after?.bind(bracket),
    judge: foreign ? awaitable(bracket, bracket.judge) : bracket.judge?.bind(bracket),
    ended: bracket.ended?.bind(bracket),
    ready: byInput(bracket),
    room: foreign ? undefined : bracket.room,
  };
}

/** What may be a user's own hears of nothing but the input. */
function byInput(layer: { ready?(input: unknown): number }): FusedLayer["ready"] {
  const ready = layer.ready?.bind(layer);
  return ready === undefined ? undefined : (input) => ready(input);
}

/** The attempt itself is the first run; where more than one attempt may stand inside, one of its own. */
function hedged(
  hedging: Hedging,
  at: number,
  specs: readonly LayerSpec[],
  shared: readonly LayerSpec[] = [],
): Partial<FusedLayer> {
  const inner = [...shared, ...specs.slice(0, at)].filter(({ kind }) => roundTargets.has(kind));
  const round = (target: Operation<never, unknown>) => segment(target, inner, 0, nameOf(target) ?? target.name);
  let given = hedging.targets;
  let targets = given.map(round);
  return {
    before(attempt) {
      if (given !== hedging.targets) {
        given = hedging.targets;
        targets = given.map(round); // they were changed while it runs
      }
      hedging.begin(attempt as AttemptRecord, at, targets);
      return attempt.input;
    },
    load: recoversInside(at, specs) ? (attempt) => enclosed(attempt, at) : undefined,
    after: (attempt, _, verdict) => (attempt as AttemptRecord).more.rivals?.firstEnded(verdict),
    recover: (attempt, _, verdict) => (attempt as AttemptRecord).more.rivals?.firstFailed(verdict as Verdict),
  };
}

/** A thenable of somebody's own as a promise; what it was given, it may give on as it is. */
function awaitable<Rest extends readonly unknown[]>(
  bracket: Bracket,
  moment: ((attempt: Attempt, ...rest: Rest) => unknown) | undefined,
): ((attempt: Attempt, ...rest: Rest) => unknown) | undefined {
  if (moment === undefined) return undefined;
  return (attempt, ...rest) => {
    const given = moment.call(bracket, attempt, ...rest);
    const taken = rest.length === 0 ? attempt.input : rest[0];
    return given === taken ? given : (promiseOf(given) ?? given);
  };
}

function recovering(recovery: InnerRecovery): InnerRecovery["recover"] {
  if (recovery.notesFailures) return recovery.recover.bind(recovery);
  return (attempt, ...rest) => {
    (attempt as AttemptRecord).note();
    return recovery.recover(attempt, ...rest);
  };
}

/** Whether a time-out here stands round more than one attempt: round a recovery or another limit. */
function enclosesMore(at: number, specs: readonly LayerSpec[]): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const { layer } = specs[i] as LayerSpec;
    if ("limit" in layer || "recovery" in layer || "hedging" in layer) return true;
    if ("around" in layer || "beside" in layer) return false; // to layers outside it, that is the operation
  }
  return false;
}

/** Whether an attempt that comes through here may be recovered before it is back. */
function recoversInside(at: number, specs: readonly LayerSpec[]): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const { layer } = specs[i] as LayerSpec;
    if ("recovery" in layer || "hedging" in layer) return true;
    if (!("bracket" in layer) && !("limit" in layer && !enclosesMore(i, specs))) return false; // an attempt of its own
  }
  return false;
}

function attemptOf(context: CallContext, kind: string): AttemptRecord {
  const attempt = (context as { readonly [ATTEMPT]?: AttemptRecord } | undefined)?.[ATTEMPT];
  if (attempt === undefined) throw new TypeError(`"${kind}" has to pass its context on to the operation inside it.`);
  return attempt;
}
