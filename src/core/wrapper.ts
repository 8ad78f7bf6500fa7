// How a wrapper is made: options parsed once, a layer laid round an operation.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import type { About } from "./bus.ts";
import { protectedBy } from "./enter.ts";
import { type HoldfastError, OptionsInvalidError } from "./errors.ts";
import type { EventMap, EventType } from "./events.ts";
import { stack as fuse } from "./fuse.ts";
import type { Layer, Recovery } from "./layer.ts";
import type { CallContext, Operation, Protected, Wrapper } from "./operation.ts";
import { LiveOptions } from "./options.ts";
import { refuse } from "./refusal.ts";
import { findingsOf } from "./schema.ts";
import { LiveSeams, type Seams } from "./seams.ts";
import { type LayerSpec, operationOf, type Stack, stackOf, type Traits } from "./stack.ts";
import { wanted } from "./wanted.ts";

/** What a wrapper is made with. */
export interface Tools extends Seams {
  emit<T extends EventType>(context: CallContext, type: T, facts: EventMap[T]): void;
  /** Ends the attempt with this error, the operation uncalled or its output refused. */
  refuse(error: HoldfastError): never;
}

/** Where a wrapper keeps what it lays round an operation. */
const SPEC: unique symbol = Symbol.for("holdfast/1/spec") as never;

export function specOf(wrapper: NonNullable<unknown>): LayerSpec | undefined {
  return (wrapper as { readonly [SPEC]?: LayerSpec })[SPEC];
}

/**
 * Makes a primitive of your own, as all of holdfast's are made: the options are parsed once, and `make` gives its layer.
 * @throws OptionsInvalidError with every problem and its path
 * @example
 * const atMost = (given: { calls: number }) =>
 *   defineWrapper("atMost", z.strictObject({ calls: z.int() }), given, ({ calls }, { refuse }) => {
 *     let made = 0;
 *     return {
 *       bracket: {
 *         before: ({ input }) => (++made > calls ? refuse(new HoldfastError("enough")) : input),
 *       },
 *       state: () => made,
 *     };
 *   });
 */
export function defineWrapper<Options>(
  kind: string,
  schema: StandardSchemaV1<never, Options> | StandardSchemaV1<unknown, Options>,
  given: unknown,
  make: (options: Options, tools: Tools) => Layer<NoInfer<Options>>,
  seams?: Partial<Seams>,
): Wrapper {
  const live = new LiveOptions<Options>(
    (written) => parseOptions(kind, schema as StandardSchemaV1<unknown, Options>, written),
    given,
  );
  const layer = make(live.now, toolsOf(seams));
  if (!isLayer(layer)) throw new OptionsInvalidError(kind, [{ path: "make", got: layer, wanted: layers }]);
  live.changedBy(layer);
  return wrapperOf(new LiveSpec(kind, live, layer, undefined, true), seams);
}

/** A layer whose options can be changed; `options` are those of now. A class: accessors of their own cost each object a shape. */
export class LiveSpec<Options> implements LayerSpec {
  readonly kind: string;
  readonly live: LiveOptions<Options>;
  readonly layer: LayerSpec["layer"];
  readonly foreign: true | undefined;
  private readonly shown: ((options: Options) => object) | undefined;

  /** `shown`: what of them `explain` says, where that is not how they are parsed. */
  constructor(
    kind: string,
    live: LiveOptions<Options>,
    layer: LayerSpec["layer"],
    shown?: (options: Options) => object,
    foreign?: true,
  ) {
    this.kind = kind;
    this.live = live;
    this.layer = layer;
    this.shown = shown;
    this.foreign = foreign;
  }

  get options(): object {
    return this.shown === undefined ? (this.live.now as object) : this.shown(this.live.now);
  }
}

export function parseOptions<Options>(
  name: string,
  schema: StandardSchemaV1<unknown, Options>,
  given: unknown,
): Options {
  if (typeof given === "function" && schema instanceof z.ZodObject)
    throw new OptionsInvalidError(name, [
      { got: given, wanted: `options; an operation goes to what \`${name}()\` gives` },
    ]);
  const parsed = validated(schema, given);
  if (parsed instanceof Promise) throw new TypeError(`The options of "${name}" have to be checked synchronously.`);
  if (parsed.issues !== undefined) throw new OptionsInvalidError(name, findingsOf(parsed.issues, given));
  return parsed.value;
}

export function toolsOf(seams: Partial<Seams> | undefined): Tools {
  const live = new LiveSeams(seams) as LiveSeams & Pick<Tools, "emit" | "refuse">;
  live.emit = (context, type, facts) => {
    const { events } = live;
    if (!events.quiet) events.emit(type, facts, context as About);
  };
  live.refuse = refuse;
  return live;
}

/** A wrapper that lays this round what it is given. */
export function wrapperOf(spec: LayerSpec, seams?: Partial<Seams>): Wrapper {
  const wrapper = <I, O>(operation: Operation<I, O>) => laidRound(operation, spec, seams);
  return Object.defineProperties(wrapper, { kind: { value: spec.kind, enumerable: true }, [SPEC]: { value: spec } });
}

/** The same, where each call that it is laid round gets a layer of its own. */
export function wrapperLaying(kind: string, lay: () => LayerSpec, seams?: Partial<Seams>): Wrapper {
  const wrapper = <I, O>(operation: Operation<I, O>) => laidRound(operation, lay(), seams);
  Object.setPrototypeOf(wrapper, laying);
  return Object.defineProperties(wrapper, { kind: { value: kind, enumerable: true }, [LAY]: { value: lay } }) as never;
}

const LAY = Symbol("holdfast.lay");

/** One for all of them: an accessor of its own costs each a shape. */
export const laying: object = {
  __proto__: Function.prototype,

  get [SPEC](): LayerSpec {
    return (this as unknown as { readonly [LAY]: () => LayerSpec })[LAY]();
  },
};

function laidRound<I, O>(operation: Operation<I, O>, spec: LayerSpec, seams?: Partial<Seams>): Protected<I, O> {
  const base = baseOf(operation as Operation<never, unknown>, spec.kind);
  const traits = seams === undefined ? base : { ...base, seams: base.seams.with(seams) };
  return protectedBy(fuse(base.operation, [...base.specs, spec], traits));
}

/** The stack to lay more round: what `pipe` made merges, what `protect` made stays a call of its own. */
export function baseOf(
  operation: Operation<never, unknown>,
  whose: string,
): Pick<Stack, "operation" | "specs"> & Traits {
  if (typeof operation !== "function")
    throw new OptionsInvalidError(whose, [{ path: "operation", got: operation, wanted: "a function" }]);
  const known = stackOf(operation);
  if (known !== undefined && !known.declared) return { ...known, operation: operationOf(known) };
  const name = operation.name || "anonymous";
  return { ...plain, name, component: name, operation: operation as Operation<unknown, unknown>, specs: [] };
}

const plain: Omit<Traits, "name" | "component"> = {
  seams: new LiveSeams(),
  declared: false,
  classify: undefined,
  idempotent: true,
  criticality: undefined,
  discard: undefined,
  gated: false,
  budget: undefined,
  owned: [],
};

/**
 * Gives a call that is built by `pipe` its name in events, stories and errors (else it is the function's).
 * @example
 * const getUser = pipe(named("user", async (id: string) => ({ id })), timeout("2s"), retry());
 */
export function named<I = void, O = unknown>(name: string, operation: Operation<I, O>): Protected<I, O> {
  const base = baseOf(operation as Operation<never, unknown>, name);
  return protectedBy(fuse(base.operation, base.specs, { ...base, name, component: name }));
}

const layers =
  "a function that gives { bracket: { before?, … } }, { recovery: { recover } } or { around: (operation) => … }";

function isLayer(given: object): boolean {
  if (typeof given !== "object" || given === null) return false;
  const { around, bracket, recovery } = given as { around?: unknown; bracket?: unknown; recovery?: Recovery };
  if ("around" in given) return typeof around === "function";
  if ("recovery" in given) return typeof recovery?.recover === "function";
  return typeof bracket === "object" && bracket !== null;
}

/** In our words, where it is zod that finds something and nothing better was written beside the option. */
function validated<Options>(schema: StandardSchemaV1<unknown, Options>, given: unknown) {
  const { success, data, error } = schema instanceof z.ZodType ? schema.safeParse(given, { error: wanted }) : none;
  if (success === undefined) return schema["~standard"].validate(given);
  return success ? { value: data as Options, issues: undefined } : { issues: error.issues };
}
const none = { success: undefined, data: undefined, error: undefined };
