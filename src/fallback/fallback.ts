// Something else instead: other ways to the same answer, tried in order.

import { z } from "zod";
import { timeoutSpec } from "../call/timeout.ts";
import { mayAsk } from "../core/askable.ts";
import type { AttemptRecord } from "../core/attempt.ts";
import { enterOnce, wasEntered } from "../core/chain.ts";
import { spanSchema } from "../core/duration.ts";
import { FallbackExhaustedError, stackless } from "../core/errors.ts";
import type { EventMap } from "../core/events.ts";
import { asked, askedNow, FAULT, Fault } from "../core/final.ts";
import { segment } from "../core/fuse.ts";
import type { Duration, Operation, Protected } from "../core/operation.ts";
import { triesOf } from "../core/rare.ts";
import { mustNotRepeat } from "../core/repeat.ts";
import type { Seams } from "../core/seams.ts";
import { type LayerSpec, type Segment, stackOf } from "../core/stack.ts";
import type { Failure, FailureKind, Verdict } from "../core/verdict.ts";
import { functionSchema } from "../core/wanted.ts";
import { baseOf, parseOptions, type Tools, toolsOf, wrapperOf } from "../core/wrapper.ts";
import { Soonest } from "./soonest.ts";
import { readyOf, type Tiered, type Way } from "./way.ts";

/** One of the ways that follow. A bare function is a tier named after itself. */
export interface Tier<I, O> {
  readonly name: string;
  readonly operation: Operation<I, O>;
  /** Whether it is asked after this failure, in place of the verdict. */
  readonly when?: ((failure: Failure, verdict: Verdict) => boolean) | undefined;
  /** One attempt of it; in a declaration, in place of the declared one. */
  readonly timeout?: Duration | undefined;
}

export interface FallbackOptions<I, O> {
  /** The answer when no tier gave one. */
  otherwise?: ((input: I, failures: readonly Failure[]) => O | Promise<O>) | undefined;
}

export interface Fallback<I, O> {
  (operation: Operation<I, O>): Protected<I, O>;
  readonly kind: "fallback";
}

/** Of a call that is its own tier, or the tier of its tier. */
const unmade =
  "a call that is not made yet, as in a circle of tiers, is nothing: name it by a function that calls it, (input, context) => later(input, context)";

const tierSchema = z.preprocess(
  (given) => (typeof given === "function" ? { operation: given } : given),
  z.strictObject(
    {
      name: z.string().min(1).optional(),
      operation: z.custom<GivenOperation>((given) => typeof given === "function", {
        error: ({ input }) => (input === undefined ? `a function; ${unmade}` : "a function"),
      }),
      when: functionSchema<NonNullable<Tier<never, unknown>["when"]>>().optional(),
      timeout: spanSchema.optional(),
    },
    {
      error: ({ code, input }) => {
        const one = "a function, or { name, operation, when?, timeout? }";
        return code !== "invalid_type" ? undefined : input === undefined ? `${one}; ${unmade}` : one;
      },
    },
  ),
);
export const tiersSchema = z.array(tierSchema, { error: "a list of tiers" }).min(1, { error: "at least one tier" });
const optionsSchema = z.strictObject({
  otherwise: functionSchema<Otherwise>().optional(),
});

type Otherwise = (input: unknown, failures: readonly Failure[]) => unknown;
type GivenOperation = Operation<never, unknown>;
type GivenTier = z.output<typeof tierSchema>;

/**
 * When the operation fails, these are tried in order; each gets the input and, in `context.previous`, what was tried
 * before it and why that failed. What a tier gives is `degraded` in events and story.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @throws FallbackExhaustedError when called and no tier gave an answer, with every failure in order
 * @example
 * const user = fallback([async (id: string) => ({ id, name: "?" })])(async (id) => ({ id, name: "Ada" }));
 * await user("ada");
 */
export function fallback<I, O>(
  tiers: ReadonlyArray<Operation<I, O> | Tier<I, O>>,
  options: FallbackOptions<I, O> = {},
  seams?: Partial<Seams>,
): Fallback<I, O> {
  const given = parseOptions("fallback", tiersSchema, tiers);
  const { otherwise } = parseOptions("fallback", optionsSchema, options);
  return wrapperOf(fallbackSpec(given, otherwise, timed, toolsOf(seams)), seams) as Fallback<I, O>;
}

/** `shape` gives what is laid round a tier: what its `timeout` says, and whether it is a call of its own. */
export function fallbackSpec(
  tiers: readonly GivenTier[],
  otherwise: Otherwise | undefined,
  shape: (timeout: number | undefined, declared: boolean) => readonly LayerSpec[],
  tools: Tools,
): LayerSpec {
  const ways = tiers.map(({ name, operation, when, timeout }, index): Way => {
    const known = stackOf(operation);
    // what is shared with other calls is a call of its own, here too
    const base = known?.inside === undefined ? baseOf(operation, "fallback") : { ...known, operation, specs: [] };
    const specs = [...base.specs, ...shape(timeout, known?.declared ?? false)];
    return {
      operation,
      when,
      segment: segment(base.operation, specs, index + 1, name ?? nameOf(base.name, index + 1)),
    };
  });
  return {
    kind: "fallback",
    options: { tiers: ways.map((way) => way.segment.tierName), ...(otherwise !== undefined && { otherwise }) },
    layer: { recovery: recovery(ways, otherwise, tools) },
  };
}

/** A function without a name is told apart by its place. */
function nameOf(name: string, tier: number): string {
  return name === "anonymous" ? `tier ${tier}` : name;
}

function timed(timeout: number | undefined): readonly LayerSpec[] {
  return timeout === undefined ? [] : [timeoutSpec(timeout)];
}

function recovery(ways: readonly Way[], otherwise: Otherwise | undefined, tools: Tools): Tiered {
  return {
    ways,
    tiers: ways.map(({ segment }) => segment),
    notesFailures: true,
    elsewhere(attempt) {
      const asking = attempt as AttemptRecord;
      const { call, context, input } = asking;
      if (context.fallback === false) return Number.POSITIVE_INFINITY;
      const left = ways.filter(({ operation, segment }) => !wasEntered(call, operation, segment));
      return Math.min(...left.map(({ segment }) => readyOf(segment, input, asking)));
    },
    recover(attempt, _outcome, verdict) {
      const first = attempt as AttemptRecord;
      if (first.said?.fallback === false || verdict === undefined || first.isCut || verdict.kind === "cancelled")
        return;
      // no tier has a say of its own in what the verdict leaves to no tier
      if (!verdict.fallBack && ways.every(({ when }) => when === undefined)) return;
      return new Descent(first, ways, otherwise, tools).run();
    },
  };
}

/** The way down through the tiers of one call. */
class Descent {
  private readonly first: AttemptRecord;
  private readonly at: number;
  private readonly ways: readonly Way[];
  private readonly otherwise: Otherwise | undefined;
  private readonly tools: Tools;
  /** The attempt that failed last. */
  private latest: AttemptRecord;
  private readonly soonest = new Soonest();

  constructor(first: AttemptRecord, ways: readonly Way[], otherwise: Otherwise | undefined, tools: Tools) {
    this.first = first;
    this.at = first.at;
    this.ways = ways;
    this.otherwise = otherwise;
    this.tools = tools;
    this.latest = first;
  }

  async run(): Promise<unknown> {
    const { first, ways } = this;
    first.note();
    this.soonest.failed(first.verdict, first.now());
    let tried = 0;
    for (const way of ways) {
      if (first.isCut || this.mustNotRepeat()) break;
      const admitted = await this.admits(way);
      if (first.isCut) break; // while it was looked at
      if (!admitted) continue;
      tried++;
      const reason = kindOf(this.latest);
      await this.ask(way);
      const { verdict, value } = this.latest;
      if (verdict === undefined) {
        first.call.more.degraded = { reason };
        return value;
      }
      if (verdict === FAULT) throw new Fault(value);
      this.soonest.failed(verdict, first.now());
    }
    return this.end(tried);
  }

  private async ask({ segment }: Way): Promise<void> {
    const { first, latest, at } = this;
    const { call } = first;
    this.tools.emit(first.context, "fallback.used", {
      from: latest.segment.tierName,
      to: segment.tierName,
      kind: kindOf(latest),
    });
    call.more.tier = segment.tier;
    call.more.tierName = segment.tierName;
    await first.ask(segment, segment.layers.length, first.inputAt(at)).catch(() => {}); // the attempt knows how it ended
    this.latest = first.last ?? first;
  }

  private async admits(way: Way): Promise<boolean> {
    const { operation, when, segment } = way;
    const { first, latest, at } = this;
    const skip = (reason: Skipped) => {
      if (!first.isCut) this.tools.emit(first.context, "fallback.skipped", { tier: segment.tierName, reason });
      return false;
    };
    const failure = first.call.failures.at(-1);
    const verdict = latest.verdict as Verdict;
    const decides = failure !== undefined && mayAsk(latest.outcome, verdict) ? when : undefined;
    const allowed =
      decides === undefined
        ? verdict.fallBack
        : await asked(() => decides(failure as Failure, verdict), `fallback.${this.ways.indexOf(way)}.when`, decides);
    if (!allowed || !enterOnce(first.call, operation, segment)) return skip("condition");
    if (first.remainingMs() <= 0) return skip("deadline");
    const input = first.inputAt(at);
    const readyMs = askedNow(() => readyOf(segment, input, first));
    if (readyMs === 0) return true;
    this.soonest.skipped(readyMs, first.now());
    return skip(askedNow(() => whyNot(segment, input, first)));
  }

  /** What may have been received is not sent to another tier either, unless the call can be told apart. */
  private mustNotRepeat(): boolean {
    const { first, latest } = this;
    const { verdict } = latest;
    return verdict !== undefined && triesOf(first.call) > 0 && mustNotRepeat(first, latest, verdict);
  }

  private async end(tried: number): Promise<unknown> {
    const { first, latest, otherwise, tools } = this;
    const { call } = first;
    const { outcome, verdict } = latest;
    if (!first.isCut) {
      call.gaveUp = true;
      if (otherwise !== undefined && verdict?.fallBack && !this.mustNotRepeat()) {
        const value = await asked(
          () => otherwise(first.inputAt(this.at), call.failures),
          "fallback.otherwise",
          otherwise,
        );
        if (first.isCut) return value; // to nobody
        tools.emit(first.context, "fallback.used", {
          from: latest.segment.tierName,
          to: "otherwise",
          kind: kindOf(latest),
        });
        call.more.degraded = { reason: kindOf(latest) };
        call.more.tierName = "otherwise";
        return value;
      }
      if (tried > 0) tools.emit(first.context, "fallback.exhausted", { tiers: tried + 1 });
    }
    if (outcome.ok) return outcome.value; // it tells of a failure, and is still the best there is
    if (first.isCut) throw outcome.error;
    const now = first.now();
    if (tried === 0) throw this.soonest.told(outcome.error, now);
    const retryAfterMs = this.soonest.in(now);
    throw stackless(() => new FallbackExhaustedError(call.name, call.failures.slice(), retryAfterMs));
  }
}

type Skipped = EventMap["fallback.skipped"]["reason"];
const whyByKind: Readonly<Record<string, Skipped>> = {
  breaker: "breakerOpen",
  bulkhead: "bulkheadFull",
  rateLimit: "rateLimited",
  adaptiveLimit: "limitReached",
  shed: "limitReached",
};

/** Which layer would not admit, the outermost first; asks no layer of a user's a second time. */
function whyNot({ operation, layers }: Segment, input: unknown, asking: AttemptRecord): Skipped {
  const ours = [...layers, ...(stackOf(operation)?.layers ?? [])].filter(({ kind }) => kind in whyByKind);
  const refusing = ours.findLast(({ ready }) => (ready?.(input, asking) ?? 0) > 0);
  return whyByKind[refusing?.kind ?? ""] ?? "breakerOpen";
}

function kindOf(failed: AttemptRecord): FailureKind {
  return failed.verdict?.kind ?? "unknown";
}
