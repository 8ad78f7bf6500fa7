// Rising urgency: the more of the deadline is gone, the more is tried at once.
import type { AttemptRecord } from "../core/attempt.ts";
import { HoldfastError, OptionsInvalidError } from "../core/errors.ts";
import { type Coming, LiveOptions } from "../core/options.ts";
import { type Beside, type Hedging, type LayerSpec, stackOf } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { LiveSpec, parseOptions } from "../core/wrapper.ts";
import { hadIn, type Whole } from "./urgency/had.ts";
import { Rising } from "./urgency/rising.ts";
import { countOf, problemsOf, urgencySchema } from "./urgency/stages.ts";
import type { Way } from "./way.ts";

/** What starts when this share of the deadline is gone. */
export interface UrgencyStage {
  /** Of the deadline that the call has, between 0 and 1. */
  at: number;
  /** Another try beside the first; the next tier, or the last, beside what runs; the answer that the cache still has. */
  start: "hedge" | "nextTier" | "lastTier" | "cached";
}

/** What a call has that a stage may start. */
export interface Ways {
  readonly stages: readonly UrgencyStage[];
  readonly hedge: Hedging | undefined;
  readonly tiers: readonly Way[];
  /** What the cache still has for this attempt's input. */
  readonly cached:
    | ((attempt: AttemptRecord) => { readonly value: unknown; readonly ageMs: number } | undefined)
    | undefined;
}

/** Of a declaration, whatever else is wrong with it: what its stages start and it has not, and which are out of order. */
export function urgencyProblems(declared: Readonly<Record<string, unknown>>, operation: unknown): Finding[] {
  const { urgency } = declared;
  if (urgency === undefined) return [];
  const known = stackOf(operation);
  return problemsOf(urgency, hadIn(declared, known === undefined || known.declared ? [] : known.specs));
}

/** `whole`: what the call has; that it has what the stages start is known. */
export function urgencySpec(name: string, stages: readonly UrgencyStage[], whole: Whole): LayerSpec {
  const { hedge, cache, tiers } = whole;
  const sharing = cache !== undefined && "sharing" in cache.layer ? cache.layer.sharing : undefined;
  const now = {
    ...{ stages, tiers },
    hedge: hedge !== undefined && "hedging" in hedge.layer ? hedge.layer.hedging : undefined,
    cached: sharing?.stale?.bind(sharing),
  };
  if (now.hedge !== undefined) now.hedge.hurried ??= new WeakMap();
  const live = new LiveOptions((written, coming) => parsed(written, whole, coming), stages, inFull)
    .changedBy({
      change: (next) => () => {
        now.stages = next.stages;
      },
    })
    .leanOn(whole.live, (other, coming) => disputed(name, now.stages, whole, other, coming));
  const beside: Beside = { run: (attempt, top) => new Rising(attempt, top, now, now.stages).start() };
  return new LiveSpec("urgency", live, { beside });
}

/** `explain` shows stages as a layer's options; they are written as a list. */
function inFull(written: unknown): unknown {
  return Array.isArray(written) ? { stages: written } : written;
}

function parsed(written: unknown, whole: Whole, coming?: Coming): { readonly stages: readonly UrgencyStage[] } {
  const { stages } = inFull(written) as { readonly stages: unknown };
  const odd = problemsOf(stages, whole.had(coming)).map(({ path = "", ...issue }) => ({
    // of the layer that is changed, whose name is said before them
    ...{ path: path.replace(/^urgency\.?/, ""), ...issue },
  }));
  return { stages: allAtOnce("urgency", odd, () => parseOptions("urgency", urgencySchema, stages)) };
}

/** What `parse` gives; what it finds and what was found beside it comes in one error. */
export function allAtOnce<T>(name: string, odd: readonly Finding[], parse: () => T): T {
  let result: T;
  try {
    result = parse();
  } catch (error) {
    if (odd.length === 0 || !HoldfastError.is(error, "OPTIONS_INVALID")) throw error;
    throw new OptionsInvalidError(name, [...error.issues, ...odd]);
  }
  if (odd.length > 0) throw new OptionsInvalidError(name, odd);
  return result;
}

/** What another layer is to say no more, though the stages start it. */
function disputed(name: string, stages: Ways["stages"], whole: Whole, other: unknown, coming: Coming): Finding[] {
  const { hasDeadline, hedge, cached } = whole.had(coming);
  const why = `: \`urgency\` of "${name}"`;
  const hedges = countOf(stages, "hedge");
  if (other === whole.hedge?.live && hedge < hedges)
    return [{ path: "hedge.extra", got: hedge, wanted: `at least ${hedges}${why} starts so many` }];
  if (other === whole.deadline?.live && !hasDeadline)
    return [{ path: "deadline", got: coming.get(other as never), wanted: `a limit${why} has stages at shares of it` }];
  if (other === whole.cache?.live && cached < countOf(stages, "cached"))
    return [
      {
        path: "cache",
        wanted: `\`staleOnError\` or \`whileRevalidating\`${why} has a stage that serves what is stale`,
      },
    ];
  return [];
}
